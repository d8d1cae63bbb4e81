// Decodes images completely, to find files that training would fail on.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

namespace radial::data {

/// The result of decoding a file.
struct CheckedPicture {
    std::size_t number = 0;  ///< index of the file
    std::string problem;     ///< why it cannot be read, including its name; empty if it can
};

/// Decodes each of `files` completely, on `threads` threads, and calls `checked` with each result, one call at a time,
/// in the order in which they finish. An exception from `checked` ends the check and is rethrown. Throws Error when
/// `threads` is below 1.
void check_pictures(std::span<const std::filesystem::path> files, int threads,
                    const std::function<void(const CheckedPicture&)>& checked);

}  // namespace radial::data
