// Fetching data sets from public mirrors, checked and resumable.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace radial::data {

/// A file of a data set: where it is and what it must be.
struct RemoteFile {
    std::string url;      ///< where it is
    std::string name;     ///< file name under the target folder
    std::string sha256;   ///< lower-case hexadecimal
    std::uint64_t bytes;  ///< exact size
};

/// Called with bytes so far and in total.
using Progress = std::function<void(const RemoteFile&, std::uint64_t done, std::uint64_t total)>;

/// Fetches `file` into `folder` unless a file of that name with that checksum is there. An interrupted download goes on
/// where it stopped (NAME.part). Throws FileError on an HTTP error, a checksum or size that differs (the part is then
/// deleted), or a folder that cannot be written. What `progress` throws ends the download too, and leaves the part.
void download(const RemoteFile& file, const std::filesystem::path& folder, const Progress& progress = {});

/// MNIST's four files, from a public mirror when `mirror` (a URL that ends in "/") is empty.
std::vector<RemoteFile> mnist_files(const std::string& mirror = "");
/// The archive of CIFAR-10's binary version, from its publisher when `mirror` (a URL that ends in "/") is empty.
std::vector<RemoteFile> cifar10_files(const std::string& mirror = "");
/// As cifar10_files(), for CIFAR-100.
std::vector<RemoteFile> cifar100_files(const std::string& mirror = "");

/// SHA-256 of a file, lower-case hexadecimal. Throws FileError.
std::string sha256_of(const std::filesystem::path& path);

}  // namespace radial::data
