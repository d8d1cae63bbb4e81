// Downloads data sets from public mirrors, with checksums and resumption.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace radial::data {

/// A file of a data set: its location and expected content.
struct RemoteFile {
    std::string url;      ///< location
    std::string name;     ///< file name under the target folder
    std::string sha256;   ///< lower-case hexadecimal
    std::uint64_t bytes;  ///< exact size
};

/// Called during a download with the number of bytes of the file that are present so far, and its total size in bytes.
using Progress = std::function<void(const RemoteFile&, std::uint64_t done, std::uint64_t total)>;

/// Downloads `file` into `folder` unless a file with that name and checksum is already there. An interrupted download
/// (NAME.part) is resumed. Throws FileError on an HTTP error, on a wrong checksum or size (the partial file is then
/// deleted), or when the folder cannot be written. An exception from `progress` also ends the download but keeps the
/// partial file.
void download(const RemoteFile& file, const std::filesystem::path& folder, const Progress& progress = {});

/// The four files of MNIST. If `mirror` (a URL that ends in "/") is empty, a public mirror is used.
std::vector<RemoteFile> mnist_files(const std::string& mirror = "");
/// The archive of the binary version of CIFAR-10. If `mirror` (a URL that ends in "/") is empty, the publisher's site
/// is used.
std::vector<RemoteFile> cifar10_files(const std::string& mirror = "");
/// Like cifar10_files(), for CIFAR-100.
std::vector<RemoteFile> cifar100_files(const std::string& mirror = "");

/// The SHA-256 of a file in lower-case hexadecimal. Throws FileError when the file is not a regular file or cannot be
/// read.
std::string sha256_of(const std::filesystem::path& path);

}  // namespace radial::data
