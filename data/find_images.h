// Finds the image files below a folder.
#pragma once

#include <filesystem>
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
/// except to folders above `folder`. Each file and folder is listed once, under its own path if that is below `folder`.
/// Throws FileError when a folder cannot be read.
FoundImages find_images(const std::filesystem::path& folder);

/// A message about FoundImages::others, of which there must be at least one: "3 files passed over, being no JPEG or PNG
/// by name or content, as PATH".
std::string passed_over(std::span<const std::filesystem::path> others);

/// Whether two paths refer to the same folder, or the first to a folder above the second. False if one does not exist.
bool leads_above(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace radial::data
