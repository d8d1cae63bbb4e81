// The fuzz targets: readers of untrusted bytes. Each target accepts any bytes. It must not crash, hang or use much
// memory, and it may throw only the errors that it tolerates.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace radial::fuzz {

using Bytes = std::span<const std::uint8_t>;

/// CIFAR's archive, or one of its files.
void cifar(Bytes bytes);
/// A checkpoint: two bytes with the size of the tensor data, which are zeros, then the JSON header.
void checkpoint(Bytes bytes);
/// A file for --config in JSON or TOML.
void config(Bytes bytes);
/// A file of MNIST: the bytes as they are, and as the content of a gzip stream.
void idx(Bytes bytes);
/// A JPEG or PNG image.
void image(Bytes bytes);
/// A safetensors file.
void safetensors(Bytes bytes);
/// The JSON state of a run in a snapshot, without the tensors.
void snapshot(Bytes bytes);
/// A tar archive: the bytes as they are, as a gzip stream, and as the content of a gzip stream.
void tar_gz(Bytes bytes);

struct Target {
    std::string_view name;
    void (*run)(Bytes);
};

inline constexpr std::array<Target, 8> targets{{{"cifar", cifar},
                                                {"checkpoint", checkpoint},
                                                {"config", config},
                                                {"idx", idx},
                                                {"image", image},
                                                {"safetensors", safetensors},
                                                {"snapshot", snapshot},
                                                {"tar_gz", tar_gz}}};

}  // namespace radial::fuzz
