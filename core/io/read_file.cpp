// Reading whole files, through stdio.
#include "radial/core/io/read_file.h"

#include "radial/core/util/error.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace radial {

namespace fs = std::filesystem;

void check_regular_file(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) throw FileError(path.string() + ": no such file");
    if (error) throw FileError(fmt::format("{}: cannot open: {}", path.string(), error.message()));
    if (!fs::is_regular_file(status)) throw FileError(path.string() + ": not a regular file");
}

std::string read_file(const fs::path& path, std::size_t most) {
    check_regular_file(path);
    const auto close = [](std::FILE* file) { std::fclose(file); };
    const std::unique_ptr<std::FILE, decltype(close)> file(std::fopen(path.c_str(), "rb"), close);
    if (file == nullptr) throw FileError(fmt::format("{}: cannot open: {}", path.string(), std::strerror(errno)));
    // Files of /proc say that they are empty, so the size is no more than a beginning.
    std::error_code unknown;
    const auto size = fs::file_size(path, unknown);
    std::string content;
    const auto too_long = [&] { return FileError(fmt::format("{}: longer than {} bytes", path.string(), most)); };
    if (!unknown && size > most) throw too_long();
    std::size_t step = unknown ? 4096 : static_cast<std::size_t>(size) + 1;
    while (content.size() <= most) {
        const std::size_t held = content.size();
        content.resize(std::min(held + step, most + 1));
        const std::size_t got = std::fread(content.data() + held, 1, content.size() - held, file.get());
        const bool ended = held + got < content.size();
        content.resize(held + got);
        if (std::ferror(file.get()) != 0)
            throw FileError(fmt::format("{}: cannot read: {}", path.string(), std::strerror(errno)));
        if (ended) return content;
        step = content.size() + 4096;
    }
    throw too_long();
}

}  // namespace radial
