// Digesting a data set's bytes, or its files' names, sizes and beginnings.
#include "radial/data/fingerprint.h"

#include "radial/data/image_set.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string_view>
#include <vector>

namespace radial::data {
namespace {

namespace fs = std::filesystem;

/// A 64-bit digest of bytes: each word is mixed in by the finaliser of SplitMix64 (Steele et al. 2014), through which
/// every bit of it reaches every bit of the digest. It finds accidents; who wants to can make two sets with the same.
class Digest {
public:
    void add(std::uint64_t word) {
        std::uint64_t x = state_ ^ word;
        x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27U)) * 0x94D049BB133111EB;
        state_ = (x ^ (x >> 31U)) + 0x9E3779B97F4A7C15;
    }
    /// The bytes and how many they are.
    void add(std::span<const std::byte> bytes) {
        add(bytes.size());
        for (; !bytes.empty(); bytes = bytes.subspan(std::min(bytes.size(), sizeof(std::uint64_t)))) {
            std::uint64_t word = 0;
            std::memcpy(&word, bytes.data(), std::min(bytes.size(), sizeof word));
            add(word);
        }
    }
    void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
    std::string text() const { return fmt::format("{:016x}", state_); }

private:
    std::uint64_t state_ = 0;
};

/// The deepest folder that holds all of `files`, with the slash at its end.
std::string common_folder(const std::vector<fs::path>& files) {
    std::string folder = files.empty() ? "" : files.front().native();
    folder.erase(folder.rfind('/') + 1);
    for (const fs::path& file : files) {
        while (!file.native().starts_with(folder)) {
            folder.pop_back();
            folder.erase(folder.rfind('/') + 1);
        }
    }
    return folder;
}

/// Whether sample `i` of `all` is among `wanted` that are spread evenly.
bool chosen(std::size_t i, std::size_t all, std::size_t wanted) {
    return all <= wanted || (i * wanted) / all != ((i + 1) * wanted) / all;
}

void add_files(Digest& digest, const std::vector<fs::path>& files) {
    constexpr std::size_t sizes = 100'000, contents = 512;
    constexpr std::uint64_t unreadable = ~std::uint64_t{0};
    const std::size_t begin = common_folder(files).size();
    std::vector<char> bytes(std::size_t{64} << 10U);
    for (std::size_t i = 0; i < files.size(); ++i) {
        digest.add(std::string_view(files[i].native()).substr(begin));
        std::error_code error;
        if (chosen(i, files.size(), sizes)) {
            const std::uintmax_t size = fs::file_size(files[i], error);
            digest.add(error ? unreadable : size);
        }
        if (!chosen(i, files.size(), contents)) continue;
        std::ifstream file(files[i], std::ios::binary);
        file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        digest.add(std::string_view(bytes.data(), static_cast<std::size_t>(file.gcount())));
    }
}

/// A tensor's type, shape and elements.
void add_tensor(Digest& digest, const Tensor& tensor) {
    digest.add(tensor.str());
    const Tensor rows = tensor.to(Layout::row_major);
    const auto add = [&](auto zero) {
        const std::span<const decltype(zero)> values = rows.values<decltype(zero)>();
        digest.add(std::as_bytes(values));
    };
    switch (tensor.dtype()) {
        case DType::uint8:
            return add(std::uint8_t{});
        case DType::int64:
            return add(std::int64_t{});
        case DType::float32:
            return add(float{});
        default:
            return add(double{});
    }
}

/// Of up to 4096 samples, spread evenly.
Fingerprint of_samples(const Dataset& set) {
    constexpr std::size_t most = 4096;
    Digest digest;
    const auto size = static_cast<std::size_t>(set.size());
    for (std::size_t i = 0; i < size; ++i) {
        if (!chosen(i, size, most)) continue;
        const Sample sample = set.get(static_cast<std::int64_t>(i));
        add_tensor(digest, sample.input);
        add_tensor(digest, sample.target);
    }
    const Shape shape = size > 0 ? set.input_shape() : Shape{};
    return {.samples = set.size(),
            .image = fmt::format("{}", fmt::join(shape.begin(), shape.end(), "x")),
            .content = digest.text()};
}

}  // namespace

Fingerprint fingerprint(const Dataset& dataset) {
    const auto* const images = dynamic_cast<const ImageSet*>(&dataset);
    if (images == nullptr) return of_samples(dataset);
    const ImageSet& set = *images;
    Digest digest;
    const std::span<const std::int64_t> labels = set.labels.values<std::int64_t>();
    digest.add(std::as_bytes(labels));
    if (set.files) {
        add_files(digest, *set.files);
        return {.samples = set.size(), .image = "files", .content = digest.text()};
    }
    digest.add(std::as_bytes(set.images.values<std::uint8_t>()));
    return {.samples = set.size(),
            .image = fmt::format("{}x{}x{}", set.images.size(1), set.images.size(2), set.images.size(3)),
            .content = digest.text()};
}

}  // namespace radial::data
