// Reads gzip files with zlib, whose errors it distinguishes, and tar archives without trusting their headers.
#include "radial/data/archive.h"

#include "radial/core/io/files.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <string_view>

namespace radial::data {
namespace {

namespace fs = std::filesystem;

/// The compression ratio of gzip is at most 1032. Photographs stay below 10; drawings and labels reach 100.
constexpr std::uintmax_t plausible_factor = 200, always_plausible_bytes = std::uintmax_t{256} << 20U;

constexpr std::size_t block_bytes = 512;
using Block = std::array<std::uint8_t, block_bytes>;

/// The text of a field, which ends at its first zero byte or at the end of the field.
std::string_view text_at(const Block& block, std::size_t begin, std::size_t length) {
    const auto* const text = reinterpret_cast<const char*>(block.data() + begin);
    return {text, strnlen(text, length)};
}

/// The octal number in a field, possibly surrounded by blanks; nothing if the field contains none.
std::optional<std::uint64_t> octal_at(const Block& block, std::size_t begin, std::size_t length) {
    std::string_view text = text_at(block, begin, length);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    while (text.ends_with(' ')) text.remove_suffix(1);
    if (text.empty()) return std::nullopt;
    std::uint64_t value = 0;  // at most 12 digits of 3 bits
    for (const char c : text) {
        if (c < '0' || c > '7') return std::nullopt;
        value = value * 8 + static_cast<std::uint64_t>(c - '0');
    }
    return value;
}

/// The sum of the bytes of a header, where the bytes of the checksum itself count as blanks.
std::uint64_t checksum_of(const Block& block) {
    constexpr std::ptrdiff_t begin = 148, end = 156;
    const std::uint64_t before = std::accumulate(block.begin(), block.begin() + begin, std::uint64_t{0});
    return std::accumulate(block.begin() + end, block.end(), before + std::uint64_t{' '} * (end - begin));
}

/// The name in a header, with the prefix in which ustar stores the beginning of long names.
std::string name_of(const Block& block) {
    const std::string name(text_at(block, 0, 100));
    const std::string_view prefix = text_at(block, 345, 155);
    const bool ustar = text_at(block, 257, 6) == "ustar" && block[262] == 0;
    return ustar && !prefix.empty() ? std::string(prefix) + "/" + name : name;
}

}  // namespace

GzipFile::GzipFile(fs::path path) : path_(std::move(path)) {
    check_regular_file(path_);
    size_ = fs::file_size(path_);
    errno = 0;
    file_ = gzopen(path_.c_str(), "rb");
    if (file_ == nullptr) fail_at(path_, "cannot open: {}", std::strerror(errno != 0 ? errno : ENOMEM));
    gzbuffer(file_, 1U << 18U);
}

GzipFile::~GzipFile() { gzclose(file_); }

bool GzipFile::plain() const { return gzdirect(file_) == 1; }

std::size_t GzipFile::read(std::uint8_t* to, std::size_t count) {
    std::size_t done = 0;
    while (done < count) {
        const auto step = static_cast<unsigned>(std::min(count - done, std::size_t{1} << 26U));
        const int got = gzread(file_, to + done, step);
        if (got <= 0) {
            check_stream();
            break;
        }
        done += static_cast<std::size_t>(got);
        read_ += static_cast<std::uintmax_t>(got);
        if (read_ > always_plausible_bytes && read_ / plausible_factor > size_)
            fail_at(path_, "{} bytes of gzip hold more than {} bytes: not what images compress to", size_, read_);
    }
    return done;
}

/// Only gzerror distinguishes the end of the file from a broken stream.
void GzipFile::check_stream() const {
    int code = Z_OK;
    std::string_view message = gzerror(file_, &code);
    if (code == Z_OK || code == Z_STREAM_END) return;
    if (code == Z_BUF_ERROR) fail_at(path_, "truncated gzip stream");
    if (code == Z_ERRNO) fail_at(path_, "cannot read: {}", std::strerror(errno));
    const std::string prefix = path_.string() + ": ";
    if (message.starts_with(prefix)) message.remove_prefix(prefix.size());
    fail_at(path_, "corrupt gzip stream: {}", message);
}

std::optional<TarEntry> TarReader::next() {
    for (;;) {
        skip(left_ + padding_);
        left_ = padding_ = 0;
        Block block{};
        const std::size_t got = file_.read(block.data(), block.size());
        if (got == 0 && entries_ == 0) fail_at(file_.path(), "empty file, expected a tar archive");
        // An archive ends with two blocks of zeros, but some writers omit them.
        if (got == 0 || std::all_of(block.begin(), block.end(), [](std::uint8_t byte) { return byte == 0; }))
            return std::nullopt;
        const std::optional<std::uint64_t> sum = octal_at(block, 148, 8), size = octal_at(block, 124, 12);
        const bool whole = got == block.size() && sum && size && *sum == checksum_of(block);
        if (!whole && entries_ == 0) fail_at(file_.path(), "not a tar archive");
        if (got < block.size()) fail_at(file_.path(), "truncated tar archive: it ends in a header");
        if (!whole) fail_at(file_.path(), "damaged tar archive: the header after entry {} is not one", entries_);
        ++entries_;
        left_ = *size;
        padding_ = (block_bytes - *size % block_bytes) % block_bytes;
        const std::uint8_t type = block[156];
        if (type == '0' || type == 0) return TarEntry{name_of(block), *size};
    }
}

std::vector<std::uint8_t> TarReader::read() {
    std::vector<std::uint8_t> content;
    while (left_ > 0) {
        const std::size_t held = content.size();
        const std::size_t step = std::min<std::uint64_t>(left_, std::max<std::size_t>(held, 1U << 20U));
        content.resize(held + step);
        const std::size_t got = file_.read(content.data() + held, step);
        if (got < step) fail_at(file_.path(), "truncated tar archive: {} bytes of a file are missing", left_ - got);
        left_ -= step;
    }
    return content;
}

void TarReader::skip(std::uint64_t count) {
    std::vector<std::uint8_t> scrap(std::min<std::uint64_t>(count, 1U << 16U));
    while (count > 0) {
        const std::size_t step = std::min<std::uint64_t>(count, scrap.size());
        const std::size_t got = file_.read(scrap.data(), step);
        // The padding of the last file may be missing along with the final zeros.
        if (got < step && count - got > padding_)
            fail_at(file_.path(), "truncated tar archive: {} bytes of a file are missing", count - got - padding_);
        if (got < step) return;
        count -= step;
    }
}

}  // namespace radial::data
