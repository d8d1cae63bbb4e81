// Which files below a folder are pictures.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace radial::data {

/// The files below a folder.
struct FoundImages {
    std::vector<std::filesystem::path> files;   ///< pictures, in the order of their paths
    std::vector<std::filesystem::path> others;  ///< what is passed over as no picture, likewise
};

/// Looks for pictures in `folder` and the folders below it, at any depth. A regular file is one when its name ends in
/// .jpg, .jpeg or .png, in any case, or when its content begins as that of a JPEG or PNG does, whatever its name.
///
/// What begins with a dot (".ipynb_checkpoints", "._a.png") is hidden and neither looked into nor counted. Links are
/// followed, but to no folder above `folder`, and each real file and folder counts once, under its own path where it
/// has one below `folder`. Throws FileError when a folder cannot be read.
FoundImages find_images(const std::filesystem::path& folder);

/// "3 files passed over, being no JPEG or PNG by name or content, as PATH": what to tell of FoundImages::others, of
/// which there must be one.
std::string passed_over(std::span<const std::filesystem::path> others);

/// Whether two paths lead to the same folder, or the first to one above the second. False where one does not exist.
bool leads_above(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace radial::data
