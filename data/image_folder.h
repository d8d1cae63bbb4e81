// Pictures sorted into a folder a class, as ImageNet's are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace radial::data {

/// A set of pictures by their files: nothing is decoded yet (see read_image()).
struct ImageFolder {
    std::vector<std::filesystem::path> files;   ///< class by class, in the order of their paths
    std::vector<std::int64_t> labels;           ///< one a file: which of `folders` it lies in
    std::vector<std::string> folders;           ///< names of the classes' folders, as "n01440764" or "tench"
    std::vector<std::string> class_names;       ///< what people call them, one a folder
    std::vector<std::filesystem::path> others;  ///< files in the classes' folders that are no pictures

    std::int64_t size() const { return static_cast<std::int64_t>(files.size()); }
    std::int64_t classes() const { return static_cast<std::int64_t>(folders.size()); }
};

struct ImageFolderOptions {
    /// The classes in the order of their labels, so that a validation set has the labels of the training set. Empty:
    /// the folders that are there, in the order of their names.
    std::vector<std::string> folders{};
    /// What folders are called. One that is not among them is called as it is named.
    std::map<std::string, std::string> names{};
};

/// The names of the folders in `root` that stand for classes, in their order: see list_image_folder(). Throws FileError
/// when it cannot be read.
std::vector<std::string> list_class_folders(const std::filesystem::path& root);

/// Lists ROOT/CLASS/.../FILE, for the JPEG and PNG files at any depth that find_images() finds. Files beside the
/// classes' folders are passed over, and so are folders whose names begin with a dot or that are links to ROOT or a
/// folder above it. Throws FileError naming the folder when there is no ROOT, no class in it, a class without a
/// picture, a class that is not among options.folders, or one of those that is not there.
ImageFolder list_image_folder(const std::filesystem::path& root, const ImageFolderOptions& options = {});

/// Names by WordNet id: lines of an id, white space, and names, as in ImageNet's LOC_synset_mapping.txt ("n01440764
/// tench, Tinca tinca"). Empty lines are passed over. Throws FileError when the list is missing, not a regular file or
/// longer than 8 MiB, and naming the line that is not so, or whose id came before.
std::map<std::string, std::string> read_synset_names(const std::filesystem::path& path);

}  // namespace radial::data
