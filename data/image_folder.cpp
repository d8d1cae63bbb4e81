// Traverses folders and links, reads ImageNet, and checks files by decoding them on several threads.
#include "radial/data/image_folder.h"

#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/data/images/image.h"
#include "radial/data/images/jpeg_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <exception>
#include <fstream>
#include <functional>
#include <mutex>
#include <sstream>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <vector>

namespace radial::data {
namespace {

namespace fs = std::filesystem;

bool has_image_name(const fs::path& path) {
    std::string ending = path.extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

/// Called only for files without an image extension, because opening every file of a large data set over a network
/// takes minutes.
bool has_image_content(const fs::path& path) {
    std::array<std::uint8_t, 8> first{};
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(first.data()), first.size());
    const auto content = std::span(first).first(static_cast<std::size_t>(file.gcount()));
    return is_jpeg(content) || is_png(content);
}

/// The canonical path; empty if a link is broken or circular.
fs::path real_path(const fs::path& path) {
    std::error_code error;
    const fs::path real = fs::canonical(path, error);
    return error ? fs::path() : real;
}

/// One traversal of a folder. Links are followed last, so that each file and folder is listed under its own path if
/// possible.
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
    /// Visits a folder that has not been visited under another path, and the real folders below it.
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
                std::error_code gone;  // set if the entry has vanished in the meantime
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
    std::unordered_set<std::string> folders_, files_;  ///< canonical paths seen so far
    std::vector<fs::path> links_;
};

template <class... Args>
[[noreturn]] void fail(const fs::path& path, fmt::format_string<Args...> format, Args&&... args) {
    throw FileError(path.string() + ": " + fmt::format(format, std::forward<Args>(args)...));
}

/// Throws FileError unless the classes `there` are exactly those of `expected`, in any order.
void check_classes(const fs::path& root, const std::vector<std::string>& there,
                   const std::vector<std::string>& expected) {
    const auto has = [](const std::vector<std::string>& list, const std::string& name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    for (const std::string& name : there)
        if (!has(expected, name)) fail(root / name, "not one of the {} classes", expected.size());
    for (const std::string& name : expected)
        if (!has(there, name)) fail(root, "no folder for the class {}", name);
}

/// Reads and decodes a file. `bytes` is used as memory for its content.
CheckedPicture checked_picture(std::size_t number, const fs::path& file, std::vector<std::uint8_t>& bytes) {
    CheckedPicture picture{.number = number};
    try {
        read_bytes(file, bytes);
        picture.digest = std::hash<std::string_view>{}({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        const Tensor image = decode_image(bytes, file.string());
        picture.height = image.size(0);
        picture.width = image.size(1);
    } catch (const FileError& error) {
        picture.problem = error.what();
    }
    return picture;
}

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

std::vector<std::string> list_class_folders(const fs::path& root) {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entry(root, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        std::error_code ignored;  // of a link that leads nowhere
        if (!entry->is_directory(ignored) || name.starts_with('.')) continue;
        if (!entry->is_symlink() || !leads_above(entry->path(), root)) names.push_back(name);
    }
    if (error) fail(root, "cannot list: {}", error.message());
    std::sort(names.begin(), names.end());
    return names;
}

ImageFolder list_image_folder(const fs::path& root, const ImageFolderOptions& options) {
    if (!fs::is_directory(root)) fail(root, "no such folder");
    const std::vector<std::string> there = list_class_folders(root);
    if (there.empty()) fail(root, "no folder in it, expected one for each class of pictures");
    if (!options.folders.empty()) check_classes(root, there, options.folders);
    ImageFolder set;
    set.folders = options.folders.empty() ? there : options.folders;
    for (const std::string& name : set.folders) {
        const FoundImages found = find_images(root / name);
        if (found.files.empty()) fail(root / name, "no JPEG or PNG file in this class");
        set.files.insert(set.files.end(), found.files.begin(), found.files.end());
        set.others.insert(set.others.end(), found.others.begin(), found.others.end());
        set.labels.resize(set.files.size(), std::ssize(set.class_names));
        const auto called = options.names.find(name);
        set.class_names.push_back(called != options.names.end() ? called->second : name);
    }
    return set;
}

std::map<std::string, std::string> read_synset_names(const fs::path& path) {
    constexpr std::size_t most = std::size_t{8} << 20U;
    std::istringstream file(read_file(path, most));
    constexpr const char* space = " \t\r";
    std::map<std::string, std::string> names;
    std::int64_t number = 0;
    for (std::string line; std::getline(file, line);) {
        ++number;
        line.erase(line.find_last_not_of(space) + 1);
        if (line.empty()) continue;
        const auto end = line.find_first_of(space);
        const auto start = line.find_first_not_of(space, end);
        if (end == 0 || start == std::string::npos)
            fail(path, "line {} is '{}', expected an id and a name", number, line);
        if (!names.emplace(line.substr(0, end), line.substr(start)).second)
            fail(path, "line {}: {} has a name already", number, line.substr(0, end));
    }
    return names;
}

ImageSet make_dataset(const ImageFolder& folder) {
    std::vector<std::pair<std::int64_t, std::size_t>> turns;  // position of a picture within its class, and its index
    std::vector<std::int64_t> seen(folder.folders.size(), 0);
    for (std::size_t i = 0; i < folder.files.size(); ++i)
        turns.emplace_back(seen[static_cast<std::size_t>(folder.labels[i])]++, i);
    std::sort(turns.begin(), turns.end());
    std::vector<fs::path> files;
    std::vector<std::int64_t> labels;
    for (const auto& [turn, place] : turns) {
        files.push_back(folder.files[place]);
        labels.push_back(folder.labels[place]);
    }
    ImageSet set(std::move(files), Tensor::from(labels, {std::ssize(labels)}, Device{}), folder.class_names);
    set.class_folders = folder.folders;
    if (!folder.others.empty()) set.notes.push_back(passed_over(folder.others));
    return set;
}

ImageSet read_imagenet(const fs::path& root, bool train) {
    if (!fs::is_directory(root / "train") && !fs::is_directory(root / "val"))
        throw FileError(root.string() + ": neither train/ nor val/ in this folder");
    ImageFolderOptions options;
    for (const char* const list : {"LOC_synset_mapping.txt", "synset_words.txt"}) {
        if (!options.names.empty() || !fs::exists(root / list)) continue;
        options.names = read_synset_names(root / list);
    }
    if (!train && fs::is_directory(root / "train")) options.folders = list_class_folders(root / "train");
    return make_dataset(list_image_folder(root / (train ? "train" : "val"), options));
}

ImageSet read_pictures(const fs::path& root, bool train) {
    if (train && !fs::is_directory(root / "train") && !fs::is_directory(root / "val"))
        return make_dataset(list_image_folder(root));
    if (!train && !fs::is_directory(root / "val"))
        throw FileError(root.string() +
                        ": no val/ in this folder; hold out some of the training pictures with --val-split 0.2");
    return read_imagenet(root, train);
}

void check_pictures(std::span<const std::filesystem::path> files, int threads,
                    const std::function<void(const CheckedPicture&)>& checked) {
    RADIAL_CHECK(threads >= 1, "check_pictures: {} threads, expected at least 1", threads);
    std::mutex mutex;
    std::size_t next = 0;  // guarded by mutex, as is `failed`
    std::exception_ptr failed;
    const auto work = [&] {
        std::vector<std::uint8_t> bytes;
        std::unique_lock lock(mutex);
        while (next < files.size() && failed == nullptr) {
            CheckedPicture picture{.number = next++};
            lock.unlock();
            std::exception_ptr error;
            try {
                picture = checked_picture(picture.number, files[picture.number], bytes);
            } catch (...) {  // for example, out of memory
                error = std::current_exception();
            }
            lock.lock();
            try {
                if (error == nullptr) checked(picture);
            } catch (...) {
                error = std::current_exception();
            }
            if (error != nullptr && failed == nullptr) failed = error;
        }
    };
    {
        std::vector<std::jthread> workers;
        workers.reserve(static_cast<std::size_t>(threads));
        for (int i = 0; i < threads; ++i) workers.emplace_back(work);
    }
    if (failed != nullptr) std::rethrow_exception(failed);
}

bool same_content(const fs::path& one, const fs::path& other) {
    std::vector<std::uint8_t> first, second;
    read_bytes(one, first);
    read_bytes(other, second);
    return first == second;
}

DatasetInfo imagenet_info() {
    return {.name = "imagenet",
            .source = "Russakovsky et al. 2015, and any folder of images with one subfolder per class",
            .mean = {0.485F, 0.456F, 0.406F},
            .std = {0.229F, 0.224F, 0.225F},
            .read = reader_of(read_imagenet)};
}

}  // namespace radial::data
