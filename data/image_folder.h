// Images sorted into one folder per class, like ImageNet.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace radial::data {

/// The image files of a data set, not yet decoded (see read_image()).
struct ImageFolder {
    std::vector<std::filesystem::path> files;   ///< class by class, in the order of their paths
    std::vector<std::int64_t> labels;           ///< one per file: the index in `folders` of its folder
    std::vector<std::string> folders;           ///< names of the classes' folders, such as "n01440764" or "tench"
    std::vector<std::string> class_names;       ///< readable names, one per folder
    std::vector<std::filesystem::path> others;  ///< files in the classes' folders that are not images

    /// The number of files.
    std::int64_t size() const { return static_cast<std::int64_t>(files.size()); }
    /// The number of classes.
    std::int64_t classes() const { return static_cast<std::int64_t>(folders.size()); }
};

/// Options of list_image_folder().
struct ImageFolderOptions {
    /// The class folders in the order of their labels, so that a validation set can have the labels of the training
    /// set. If empty, all folders in the order of their names.
    std::vector<std::string> folders{};
    /// Readable names by folder. A folder that is not listed is called by its own name.
    std::map<std::string, std::string> names{};
};

/// The names of the class folders in `root`, in order: see list_image_folder(). Throws FileError when `root` cannot be
/// read.
std::vector<std::string> list_class_folders(const std::filesystem::path& root);

/// Lists the JPEG and PNG files ROOT/CLASS/.../FILE, at any depth, as find_images() finds them. Files directly in ROOT
/// are ignored, as are folders whose names begin with a dot or that are links to ROOT or a folder above it. Throws
/// FileError naming the folder when ROOT does not exist, there is no class in it, a class has no images, or a class is
/// missing from, or not listed in, a non-empty options.folders.
ImageFolder list_image_folder(const std::filesystem::path& root, const ImageFolderOptions& options = {});

/// Reads names by WordNet id from lines of an id, white space and names, as in ImageNet's LOC_synset_mapping.txt
/// ("n01440764 tench, Tinca tinca"). Empty lines are ignored. Throws FileError when the file is missing, not a regular
/// file or longer than 8 MiB, and for a malformed line or a duplicate id, naming the line.
std::map<std::string, std::string> read_synset_names(const std::filesystem::path& path);

}  // namespace radial::data
