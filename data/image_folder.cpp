// Walking the folders.
#include "radial/data/image_folder.h"

#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/data/find_images.h"

#include <algorithm>
#include <sstream>

namespace radial::data {
namespace {

namespace fs = std::filesystem;

template <class... Args>
[[noreturn]] void fail(const fs::path& path, fmt::format_string<Args...> format, Args&&... args) {
    throw FileError(path.string() + ": " + fmt::format(format, std::forward<Args>(args)...));
}

/// The classes are those expected, or there is an error.
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

}  // namespace

std::vector<std::string> list_class_folders(const fs::path& root) {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator entry(root, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (!entry->is_directory() || name.starts_with('.')) continue;
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

}  // namespace radial::data
