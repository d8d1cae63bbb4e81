// Finds images in folders, reads one folder per class as in ImageNet (Russakovsky et al. 2015), and checks images.
#pragma once

#include "radial/data/image_set.h"
#include "radial/data/registry.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace radial::data {

/// The files below a folder.
struct FoundImages {
    std::vector<std::filesystem::path> files;   ///< images, in the order of their paths
    std::vector<std::filesystem::path> others;  ///< files that are not images, in the order of their paths
};

/// Finds the images in `folder` and all folders below it. A regular file is an image if its name ends in .jpg, .jpeg or
/// .png, in any case, or if its content begins like that of a JPEG or PNG file.
///
/// Files and folders whose names begin with a dot (".ipynb_checkpoints", "._a.png") are ignored. Links are followed,
/// except to folders above `folder`. Each file is listed once, under its own path if that is below `folder`, even if
/// links lead to it. Throws FileError when a folder cannot be read.
FoundImages find_images(const std::filesystem::path& folder);

/// A message about `others` (FoundImages::others), which must not be empty: "3 files passed over, being no JPEG or PNG
/// by name or content, as PATH".
std::string passed_over(std::span<const std::filesystem::path> others);

/// Whether `path` refers to `folder` or to a folder above it. False if either path does not exist.
bool leads_above(const std::filesystem::path& path, const std::filesystem::path& folder);

/// The image files of a data set, not yet decoded (see read_image()).
struct ImageFolder {
    std::vector<std::filesystem::path> files;   ///< class by class, in the order of their paths
    std::vector<std::int64_t> labels;           ///< one per file: the index of its class in `folders`
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
/// FileError naming the folder when ROOT does not exist or contains no class folder, when a class has no images, and
/// when options.folders is not empty and the class folders are not exactly those that it lists.
ImageFolder list_image_folder(const std::filesystem::path& root, const ImageFolderOptions& options = {});

/// Reads a map from WordNet ids to names. Each line of the file has an id, white space and names, as in ImageNet's
/// LOC_synset_mapping.txt ("n01440764 tench, Tinca tinca"). Empty lines are ignored. Throws FileError when the file is
/// missing, not a regular file or longer than 8 MiB, and for a malformed line or a duplicate id, naming the line.
std::map<std::string, std::string> read_synset_names(const std::filesystem::path& path);

/// Makes a data set of the images of a folder, which are decoded when they are needed. Classes alternate: the first
/// image of each class comes first, then the second image of each, so that the first samples include all classes. The
/// class names are those of `folder`.
ImageSet make_dataset(const ImageFolder& folder);

/// Reads ROOT/train/CLASS/FILE or ROOT/val/CLASS/FILE, with one folder per class, named by WordNet id ("n01440764") or
/// in any other way. Ids are replaced by the names in ROOT/LOC_synset_mapping.txt or ROOT/synset_words.txt, if there is
/// such a file. Classes are numbered in the order of the folders' names; val must have the classes of train if train
/// exists. Throws FileError naming the folder or file that is missing or malformed (see list_image_folder()).
ImageSet read_imagenet(const std::filesystem::path& root, bool train);

/// Reads a user's own pictures: ROOT/train or ROOT/val, as read_imagenet() does, or ROOT/CLASS/FILE for training if
/// neither of these folders exists. Throws FileError as read_imagenet() does, and when `train` is false and ROOT/val
/// does not exist.
ImageSet read_pictures(const std::filesystem::path& root, bool train);

/// The result of decoding a file.
struct CheckedPicture {
    std::size_t number = 0;              ///< index of the file
    std::string problem{};               ///< why the file cannot be read, including its name; empty if it can be read
    std::int64_t width = 0, height = 0;  ///< in pixels; 0 if the file cannot be read
    std::size_t digest = 0;              ///< hash of the file's bytes; equal for files with equal bytes
};

/// Decodes each of `files` completely, on `threads` threads, and calls `checked` with each result in the order in which
/// the files are finished, never concurrently. An exception from `checked` ends the check and is rethrown. Throws Error
/// when `threads` is below 1.
void check_pictures(std::span<const std::filesystem::path> files, int threads,
                    const std::function<void(const CheckedPicture&)>& checked);

/// Whether two files have the same bytes. Throws FileError when one cannot be read.
bool same_content(const std::filesystem::path& one, const std::filesystem::path& other);

/// The entry of the registry for ImageNet and any folder of pictures with the same structure.
DatasetInfo imagenet_info();

}  // namespace radial::data
