// Downloads over HTTP with libcurl: resumable, verified, and renamed to the target only when complete.
#include "radial/data/download.h"

#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>

namespace radial::data {
namespace {

namespace fs = std::filesystem;

template <class... Args>
[[noreturn]] void fail(const std::string& subject, fmt::format_string<Args...> format, Args&&... args) {
    throw FileError(subject + ": " + fmt::format(format, std::forward<Args>(args)...));
}

std::string last_error() { return std::strerror(errno); }

using File = std::unique_ptr<std::FILE, decltype([](std::FILE* f) { std::fclose(f); })>;
using Curl = std::unique_ptr<CURL, decltype([](CURL* c) { curl_easy_cleanup(c); })>;
using Digest = std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* d) { EVP_MD_CTX_free(d); })>;

/// One transfer into a part file, used by the callbacks of libcurl.
struct Transfer {
    const RemoteFile& file;
    const Progress& progress;
    fs::path part;
    std::uint64_t done = 0;  ///< bytes in the part file
    File out = nullptr;
    CURL* curl = nullptr;
    std::exception_ptr error = nullptr;  ///< exception of a callback, stored because exceptions must not propagate
                                         ///< through C code

    long response_code() const {
        long code = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
        return code;
    }

    /// Opens the part file when the first bytes arrive, so that a failed request leaves it unchanged.
    void begin() {
        // 206 continues after the existing bytes. A server that does not support ranges answers 200 and sends the whole
        // file.
        if (response_code() != 206) done = 0;
        out.reset(std::fopen(part.c_str(), done == 0 ? "wb" : "ab"));
        if (!out) fail(part.string(), "cannot write: {}", last_error());
    }

    void write(const char* bytes, std::size_t count) {
        if (!out) begin();
        if (std::fwrite(bytes, 1, count, out.get()) != count) fail(part.string(), "cannot write: {}", last_error());
        done += count;
        if (progress) progress(file, done, file.bytes);
    }

    /// Closes the part file after its bytes have reached the disk.
    void finish() {
        if (!out) return;
        const bool written = std::fflush(out.get()) == 0 && ::fsync(::fileno(out.get())) == 0;
        if (std::fclose(out.release()) != 0 || !written) fail(part.string(), "cannot write: {}", last_error());
    }
};

std::size_t on_bytes(char* bytes, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    try {
        transfer.write(bytes, size * count);
        // Stop if there are more bytes than the file can have.
        return transfer.done <= transfer.file.bytes ? size * count : 0;
    } catch (...) {
        transfer.error = std::current_exception();
        return 0;
    }
}

Curl make_request(Transfer& transfer) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    Curl curl(initialised == CURLE_OK ? curl_easy_init() : nullptr);
    if (!curl) fail(transfer.file.url, "libcurl cannot start");
    CURL* const c = curl.get();
    curl_easy_setopt(c, CURLOPT_URL, transfer.file.url.c_str());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "radial");
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 30L);
    // A transfer below 100 bytes per second for half a minute counts as dead.
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 100L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 30L);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &on_bytes);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, &transfer);
    // CURLOPT_RESUME_FROM is not used, because libcurl then fails for servers that do not support ranges.
    if (transfer.done > 0) curl_easy_setopt(c, CURLOPT_RANGE, fmt::format("{}-", transfer.done).c_str());
    transfer.curl = c;
    return curl;
}

/// Downloads the missing bytes of the part file. Returns false when the server cannot resume from there.
bool fetch(const RemoteFile& file, const fs::path& part, const Progress& progress) {
    Transfer transfer{file, progress, part, fs::file_size(part)};
    const bool resuming = transfer.done > 0;
    const Curl curl = make_request(transfer);
    const CURLcode result = curl_easy_perform(curl.get());
    if (transfer.error) std::rethrow_exception(transfer.error);
    transfer.finish();
    // A transfer also ends when there are too many bytes; check_part() reports this error.
    if (result == CURLE_OK || transfer.done > file.bytes) return true;
    if (transfer.done == 0) fs::remove(part);
    if (result == CURLE_HTTP_RETURNED_ERROR) {
        const long code = transfer.response_code();
        if (code == 416 && resuming) return false;
        fail(file.url, "the server answered HTTP {}", code);
    }
    if (transfer.done == 0) fail(file.url, "cannot download: {}", curl_easy_strerror(result));
    fail(file.url, "stopped after {} of {} bytes ({}); the next download goes on from there", transfer.done, file.bytes,
         curl_easy_strerror(result));
}

/// Throws and deletes `part` unless it matches the size and checksum of `file`.
void check_part(const RemoteFile& file, const fs::path& part) {
    const std::uint64_t bytes = fs::file_size(part);
    if (bytes > file.bytes) {
        fs::remove(part);
        fail(file.url, "more bytes than the expected {}; deleted", file.bytes);
    }
    if (bytes < file.bytes) {
        fs::remove(part);
        fail(file.url, "{} bytes, expected {}; deleted", bytes, file.bytes);
    }
    if (const std::string sha256 = sha256_of(part); sha256 != file.sha256) {
        fs::remove(part);
        fail(file.url, "SHA-256 is {}, expected {}; deleted", sha256, file.sha256);
    }
}

/// Whether the file at `path` matches the size and checksum of `file`.
bool is_whole(const RemoteFile& file, const fs::path& path) {
    std::error_code none;
    return fs::file_size(path, none) == file.bytes && !none && sha256_of(path) == file.sha256;
}

constexpr const char* cifar_publisher = "https://www.cs.toronto.edu/~kriz/";

/// Returns `files` with URLs that consist of `mirror` and the name of the file.
std::vector<RemoteFile> at(const std::string& mirror, std::vector<RemoteFile> files) {
    for (RemoteFile& file : files) file.url = mirror + file.name;
    return files;
}

}  // namespace

void download(const RemoteFile& file, const fs::path& folder, const Progress& progress) {
    const fs::path target = folder / file.name, part = folder / (file.name + ".part");
    if (is_whole(file, target)) return;
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) fail(folder.string(), "cannot make the folder: {}", error.message());
    if (fs::exists(part)) check_regular_file(part);
    // Check that the part file is writable before requesting anything. Opening it for append does not change it.
    if (const File writable(std::fopen(part.c_str(), "ab")); !writable) {
        fail(part.string(), "cannot write: {}", last_error());
    }
    if (!is_whole(file, part)) {
        // A part that is too long, or complete but wrong, cannot be resumed.
        if (fs::file_size(part) >= file.bytes) fs::resize_file(part, 0);
        if (!fetch(file, part, progress)) {
            fs::resize_file(part, 0);
            fetch(file, part, progress);
        }
        check_part(file, part);
    }
    fs::rename(part, target, error);
    if (error) fail(target.string(), "cannot write: {}", error.message());
}

std::vector<RemoteFile> mnist_files(const std::string& mirror) {
    return at(
        mirror.empty() ? "https://ossci-datasets.s3.amazonaws.com/mnist/" : mirror,
        {
            {"", "train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
             9912422},
            {"", "train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
             28881},
            {"", "t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
             1648877},
            {"", "t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6", 4542},
        });
}

std::vector<RemoteFile> cifar10_files(const std::string& mirror) {
    return at(mirror.empty() ? cifar_publisher : mirror,
              {
                  {"", "cifar-10-binary.tar.gz", "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
                   170052171},
              });
}

std::vector<RemoteFile> cifar100_files(const std::string& mirror) {
    return at(mirror.empty() ? cifar_publisher : mirror,
              {
                  {"", "cifar-100-binary.tar.gz", "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
                   168513733},
              });
}

std::string sha256_of(const fs::path& path) {
    check_regular_file(path);
    const File in(std::fopen(path.c_str(), "rb"));
    if (!in) fail(path.string(), "cannot open: {}", last_error());
    const Digest digest(EVP_MD_CTX_new());
    bool ok = digest && EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) == 1;
    std::array<unsigned char, 1U << 16U> buffer{};
    while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), in.get())) {
        ok = ok && EVP_DigestUpdate(digest.get(), buffer.data(), count) == 1;
    }
    if (std::ferror(in.get()) != 0) fail(path.string(), "cannot read: {}", last_error());
    std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
    unsigned length = 0;
    ok = ok && EVP_DigestFinal_ex(digest.get(), hash.data(), &length) == 1;
    if (!ok) fail(path.string(), "libcrypto cannot compute SHA-256");
    std::string text;
    for (unsigned i = 0; i < length; ++i) text += fmt::format("{:02x}", hash[i]);
    return text;
}

}  // namespace radial::data
