// Reading pictures from beginning to end, to find those that training would stumble over.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace radial::data {

/// What decoding a file came to.
struct CheckedPicture {
    std::size_t number = 0;  ///< which of the files
    std::string problem;     ///< why it cannot be read, with its name; empty where it can
};

/// Decodes each of `files` as a whole, on `threads` threads, and tells `checked` of it, one call at a time, in whatever
/// order they come to an end. Ends, and throws what `checked` throws, when it does. Throws Error for no thread at all.
void check_pictures(std::span<const std::filesystem::path> files, int threads,
                    const std::function<void(const CheckedPicture&)>& checked);

}  // namespace radial::data
