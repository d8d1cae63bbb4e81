// Walking folders and their links.
#include "radial/data/find_images.h"

#include "radial/core/util/error.h"
#include "radial/data/decoded.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <unordered_set>

namespace radial::data {
namespace {

namespace fs = std::filesystem;

bool has_image_name(const fs::path& path) {
    std::string ending = path.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

/// Only for files whose names do not say it: opening each would take a large set on a network minutes.
bool has_image_content(const fs::path& path) {
    std::array<std::uint8_t, 8> first{};
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(first.data()), first.size());
    const auto content = std::span(first).first(static_cast<std::size_t>(file.gcount()));
    return is_jpeg(content) || is_png(content);
}

/// The real path, or an empty one where a link leads nowhere or in a circle.
fs::path real_path(const fs::path& path) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    return error ? fs::path() : real;
}

/// One walk. Links wait until all that is really there has been seen, so that it counts under its own path.
class Walk {
public:
    explicit Walk(const fs::path& folder) {
        for (fs::path above = real_path(folder); !above.empty(); above = above.parent_path()) {
            folders_.insert(above.native());
            if (above == above.root_path()) break;
        }
        enter(folder);
        while (!links_.empty()) {
            std::vector<fs::path> links;
            links.swap(links_);
            std::sort(links.begin(), links.end());
            for (const fs::path& link : links) follow(link);
        }
        std::sort(found_.files.begin(), found_.files.end());
        std::sort(found_.others.begin(), found_.others.end());
    }
    FoundImages take() { return std::move(found_); }

private:
    /// Looks into a folder that no other path has led to, and the real folders below it.
    void enter(const fs::path& folder) {
        std::vector<fs::path> waiting{folder};
        while (!waiting.empty()) {
            const fs::path present = std::move(waiting.back());
            waiting.pop_back();
            const fs::path real = real_path(present);
            std::error_code error;
            fs::directory_iterator entry(present, error);
            for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
                const fs::path& path = entry->path();
                const std::string name = path.filename().string();
                if (name.starts_with('.')) continue;
                std::error_code gone;  // while the folder is read
                if (entry->is_symlink(gone)) {
                    links_.push_back(path);
                } else if (entry->is_directory(gone)) {
                    if (folders_.insert((real / name).native()).second) waiting.push_back(path);
                } else {
                    add(path, real / name);
                }
            }
            if (error) throw FileError(fmt::format("{}: cannot list: {}", present.string(), error.message()));
        }
    }

    void follow(const fs::path& link) {
        const fs::path real = real_path(link);
        std::error_code error;
        if (!fs::is_directory(real, error)) {
            add(link, real);
        } else if (folders_.insert(real.native()).second) {
            enter(link);
        }
    }

    void add(const fs::path& path, const fs::path& real) {
        if (!real.empty() && !files_.insert(real.native()).second) return;
        std::error_code error;
        const bool regular = fs::is_regular_file(path, error);
        const bool picture = regular && (has_image_name(path) || has_image_content(path));
        (picture ? found_.files : found_.others).push_back(path);
    }

    FoundImages found_;
    std::unordered_set<std::string> folders_, files_;  ///< real paths of what has been seen
    std::vector<fs::path> links_;
};

}  // namespace

FoundImages find_images(const fs::path& folder) { return Walk(folder).take(); }

std::string passed_over(std::span<const fs::path> others) {
    return fmt::format("{} file{} passed over, being no JPEG or PNG by name or content, as {}", others.size(),
                       others.size() == 1 ? "" : "s", others.front().string());
}

bool leads_above(const fs::path& path, const fs::path& folder) {
    const fs::path upper = real_path(path), lower = real_path(folder);
    if (upper.empty() || lower.empty()) return false;
    return std::mismatch(upper.begin(), upper.end(), lower.begin(), lower.end()).first == upper.end();
}

}  // namespace radial::data
