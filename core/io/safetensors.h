// Reading and writing tensors in the safetensors format, so that other tools can open them.
#pragma once

#include "radial/core/nn/module.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace radial {

/// The content of a safetensors file: tensors in file order and the free-form metadata.
struct TensorFile {
    std::vector<NamedTensor> tensors;
    std::map<std::string, std::string> metadata;

    /// Throws Error when there is none of that name.
    const Tensor& at(std::string_view name) const;
    bool contains(std::string_view name) const;
};

/// Whether a file says what its content adds up to, so that a reader notices damage: as "radial.crc32" in the metadata,
/// which read_safetensors() checks and takes out.
enum class Checksum : std::uint8_t { none, added };

/// Reads F32, F64, I32, I64 and U8 tensors, and F16 and BF16 ones as float32, in time and memory that grow with the
/// file. Throws FileError, naming the file and what is wrong (missing, not a regular file, truncated, header of more
/// than 100 MB or not JSON, offsets that overlap or leave gaps, unknown dtype, longer than its header says, another
/// checksum than it was written with); never returns a part. With Checksum::added, a file without a checksum is refused
/// too.
TensorFile read_safetensors(const std::filesystem::path& path, Checksum checksum = Checksum::none);

/// Writes the tensors in their order, row-major whatever their layout, with the header padded to eight bytes: to a
/// temporary name beside `path`, which is synced and renamed. Throws FileError (disk full, no such folder, a name given
/// twice or not UTF-8, an undefined tensor); then `path` is as it was.
void write_safetensors(const std::filesystem::path& path, const TensorFile& content,
                       Checksum checksum = Checksum::none);

/// Throws FileError when a floating-point tensor of a file that was read has a NaN or an infinity: with the first such
/// tensor's name, where the first such number stands, and how many there are in that tensor.
void check_finite(const TensorFile& file, const std::filesystem::path& path);

}  // namespace radial
