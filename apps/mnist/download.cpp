// Fetching MNIST, checked and resumable, with a line a file.
#include "radial/apps/mnist/download.h"

#include "radial/core/error.h"
#include "radial/data/download.h"

#include <unistd.h>

#include <cstdio>

namespace radial::apps {
namespace {

struct DownloadOptions {
    std::filesystem::path folder;
    std::string mirror;
};

void run_download(const DownloadOptions& options) {
    RADIAL_CHECK(!options.folder.empty(), "no folder to download to: radial-mnist download DIR");
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    const auto files = options.mirror.empty() ? data::mnist_files() : data::mnist_files(options.mirror);
    for (const data::RemoteFile& file : files) {
        data::download(file, options.folder, [terminal](const auto& remote, std::uint64_t done, std::uint64_t total) {
            if (!terminal || total == 0) return;
            fmt::print("\r\x1b[K{}: {}%", remote.name, 100 * done / total);
            std::fflush(stdout);
        });
        fmt::print("{}{}: {} bytes, checksum correct\n", terminal ? "\r\x1b[K" : "", file.name, file.bytes);
        std::fflush(stdout);
    }
    fmt::print("MNIST is in {}; train with --data {}\n", options.folder.string(), options.folder.string());
}

}  // namespace

Command download_command() {
    return {
        "download", "Fetch MNIST into a folder", [](CLI::App& app) {
            auto options = std::make_shared<DownloadOptions>();
            app.add_option("folder", options->folder, "Folder to put the four files in")->type_name("DIR");
            app.add_option("--mirror", options->mirror, "URL that ends in / to fetch from instead")->type_name("URL");
            return [options] { run_download(*options); };
        }};
}

}  // namespace radial::apps
