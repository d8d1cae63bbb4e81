// Reads and writes tensors in the safetensors format, which other tools can open.
#pragma once

#include "radial/core/nn/module.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace radial {

/// The content of a safetensors file.
struct TensorFile {
    std::vector<NamedTensor> tensors;             ///< in file order
    std::map<std::string, std::string> metadata;  ///< free-form text

    /// The tensor with this name. Throws Error if there is none.
    const Tensor& at(std::string_view name) const;
    /// Whether there is a tensor with this name.
    bool contains(std::string_view name) const;
};

/// Whether a file contains a checksum of its content, as "radial.crc32" in the metadata. read_safetensors() checks it
/// and removes it from the metadata.
enum class Checksum : std::uint8_t {
    none,  ///< no checksum
    added  ///< the metadata contain the checksum
};

/// Reads a safetensors file: F32, F64, I32, I64 and U8 tensors, and F16 and BF16 ones as float32. Time and memory grow
/// with the size of the file. Throws FileError naming the file and the fault: missing, not a regular file, truncated, a
/// header of more than 100 MB or not JSON, offsets that overlap or leave gaps, an unknown dtype, longer than its header
/// says, or a wrong checksum. Never returns a partial result. With Checksum::added, a file without a checksum is
/// rejected too.
TensorFile read_safetensors(const std::filesystem::path& path, Checksum checksum = Checksum::none);

/// Writes the tensors in their order, row-major regardless of their layout, with the header padded to eight bytes.
/// Writes a temporary file beside `path`, syncs and renames it. Throws FileError (disk full, no such folder, a
/// duplicate name or one that is not UTF-8, an undefined tensor), and Error for a bfloat16 tensor; `path` is then
/// unchanged.
void write_safetensors(const std::filesystem::path& path, const TensorFile& content,
                       Checksum checksum = Checksum::none);

/// Throws FileError when a floating-point tensor of `file` contains a NaN or an infinity, naming the first such tensor,
/// the position of the first such element and the number of them in that tensor. `path` is used in the message only.
void check_finite(const TensorFile& file, const std::filesystem::path& path);

}  // namespace radial
