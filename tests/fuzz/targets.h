// What is fuzzed: readers of bytes that nobody vouches for. Each target takes any bytes and must neither crash nor hang
// nor take much memory; what it throws beyond the errors that it tolerates is a finding.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace radial::fuzz {

using Bytes = std::span<const std::uint8_t>;

/// CIFAR's archive, or one of its files.
void cifar(Bytes bytes);
/// A checkpoint's header, the tensors behind it zeros: two bytes of how many, then JSON.
void checkpoint(Bytes bytes);
/// A file for --config: JSON or TOML.
void config(Bytes bytes);
/// A file of MNIST, plain and as what a gzip stream holds.
void idx(Bytes bytes);
/// A JPEG or PNG picture.
void image(Bytes bytes);
/// A safetensors file.
void safetensors(Bytes bytes);
/// What a snapshot says of its run beside the tensors.
void snapshot(Bytes bytes);
/// An archive, plain, gzipped, and as what a gzip stream holds.
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
