// Fetching a benchmark's files, checked and resumable, with a line a file.
#include "radial/apps/tasks/download_command.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/core/util/error.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

namespace radial::train {
namespace {

struct DownloadOptions {
    std::filesystem::path folder;
    std::string mirror;
};

void run_download(const std::string& title, const std::vector<data::RemoteFile>& files,
                  const std::filesystem::path& folder) {
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    for (const data::RemoteFile& file : files) {
        data::download(file, folder, [terminal](const auto& remote, std::uint64_t done, std::uint64_t total) {
            if (!terminal || total == 0) return;
            print_on(fmt::format("\r\x1b[K{}: {}%", remote.name, 100 * done / total));
        });
        print_on(fmt::format("{}{}: {} bytes, checksum correct\n", terminal ? "\r\x1b[K" : "", file.name, file.bytes));
    }
    print_on(fmt::format("{} is in {}; train with --data {}\n", title, shown(folder.string()), shell_word(folder)));
}

}  // namespace

Command download_command(const std::string& program, const std::string& title,
                         std::function<std::vector<data::RemoteFile>(const std::string& mirror)> files) {
    return {.name = "download",
            .summary = fmt::format("Fetch {} into a folder", title),
            .set_up =
                [program, title, files = std::move(files)](CLI::App& app) {
                    auto options = std::make_shared<DownloadOptions>();
                    app.add_option("folder", options->folder, "Output folder")->type_name("DIR");
                    app.add_option("--mirror", options->mirror, "Download from this URL instead; it ends in /")
                        ->type_name("URL");
                    return [program, title, files, options] {
                        RADIAL_CHECK(!options->folder.empty(), "no folder to download to: {} download DIR", program);
                        run_download(title, files(options->mirror), options->folder);
                    };
                },
            .keeps_results = true};
}

}  // namespace radial::train
