// Data sets made of tensors, of parts of a set, and of several sets. Fingerprints of data sets, from the bytes of a set
// or from the names, sizes and first bytes of its files.
#include "radial/data/dataset.h"

#include "radial/core/util/error.h"
#include "radial/data/image_folder.h"
#include "radial/data/image_set.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace radial::data {
namespace {

namespace fs = std::filesystem;

/// Row `index` of a tensor, without dimension 0.
Tensor row(const Tensor& tensor, std::int64_t index) {
    const Shape& shape = tensor.shape();
    return tensor.rows(index, index + 1).view(Shape(std::span(shape.begin() + 1, shape.end())));
}

void check_index(const char* who, std::int64_t index, std::int64_t size) {
    RADIAL_CHECK(index >= 0 && index < size, "{}: sample {} of {} asked for", who, index, size);
}

}  // namespace

Shape Dataset::input_shape() const {
    RADIAL_CHECK(size() > 0, "the data set holds no samples");
    return get(0).input.shape();
}

Tensor Dataset::picture(std::int64_t index) const {
    const Tensor input = get(index).input;
    const bool shown = input.dtype() == DType::uint8 && input.rank() == 3 && (input.size(0) == 1 || input.size(0) == 3);
    return shown ? input : Tensor{};
}

TensorSet::TensorSet(Tensor inputs, Tensor targets, std::vector<std::string> names)
    : inputs_(std::move(inputs)), targets_(std::move(targets)) {
    RADIAL_CHECK(inputs_.defined() && targets_.defined() && inputs_.rank() >= 1 && targets_.rank() >= 1 &&
                     inputs_.size(0) == targets_.size(0),
                 "TensorSet: inputs are {}, targets {}, expected as many rows", inputs_.str(), targets_.str());
    RADIAL_CHECK(inputs_.device() == Device{} && targets_.device() == Device{},
                 "TensorSet: inputs are on {}, targets on {}, expected cpu", inputs_.device().str(),
                 targets_.device().str());
    inputs_ = inputs_.to(Layout::row_major);
    targets_ = targets_.to(Layout::row_major);
    class_names = std::move(names);
}

Sample TensorSet::get(std::int64_t index) const {
    check_index("TensorSet", index, size());
    return {row(inputs_, index), row(targets_, index)};
}

Subset::Subset(std::shared_ptr<const Dataset> set, std::vector<std::int64_t> indices)
    : set_(std::move(set)), indices_(std::move(indices)) {
    RADIAL_CHECK(set_ != nullptr, "Subset: there is no set");
    for (const std::int64_t index : indices_) check_index("Subset", index, set_->size());
    Dataset::operator=(*set_);
}

std::int64_t Subset::at(std::int64_t index) const {
    check_index("Subset", index, size());
    return indices_[static_cast<std::size_t>(index)];
}

Sample Subset::get(std::int64_t index) const { return set_->get(at(index)); }
Tensor Subset::picture(std::int64_t index) const { return set_->picture(at(index)); }

ConcatSet::ConcatSet(std::vector<std::shared_ptr<const Dataset>> sets) : sets_(std::move(sets)) {
    RADIAL_CHECK(!sets_.empty(), "ConcatSet: there is no set");
    std::int64_t end = 0;
    for (const auto& set : sets_) {
        RADIAL_CHECK(set != nullptr, "ConcatSet: a set is null");
        RADIAL_CHECK(set->class_names == sets_.front()->class_names, "ConcatSet: the sets' class names differ");
        ends_.push_back(end += set->size());
        notes.insert(notes.end(), set->notes.begin(), set->notes.end());
    }
    class_names = sets_.front()->class_names;
    class_folders = sets_.front()->class_folders;
    names_are_guessed = sets_.front()->names_are_guessed;
}

std::pair<const Dataset*, std::int64_t> ConcatSet::at(std::int64_t index) const {
    check_index("ConcatSet", index, size());
    const auto set = std::upper_bound(ends_.begin(), ends_.end(), index) - ends_.begin();
    const std::int64_t begin = set == 0 ? 0 : ends_[static_cast<std::size_t>(set - 1)];
    return {sets_[static_cast<std::size_t>(set)].get(), index - begin};
}

Sample ConcatSet::get(std::int64_t index) const {
    const auto [set, own] = at(index);
    return set->get(own);
}

Tensor ConcatSet::picture(std::int64_t index) const {
    const auto [set, own] = at(index);
    return set->picture(own);
}

std::shared_ptr<Dataset> first(const std::shared_ptr<const Dataset>& set, std::int64_t count) {
    if (const auto* const images = dynamic_cast<const ImageSet*>(set.get()))
        return std::make_shared<ImageSet>(images->first(count));
    RADIAL_CHECK(count >= 0 && count <= set->size(), "Dataset: first {} samples asked for, expected 0 to {}", count,
                 set->size());
    std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), 0);
    return std::make_shared<Subset>(set, std::move(indices));
}

Tensor labels_of(const Dataset& set) {
    if (const auto* const images = dynamic_cast<const ImageSet*>(&set)) return images->labels;
    Tensor labels = Tensor::empty({set.size()}, DType::int64, Device{});
    const std::span<std::int64_t> values = labels.values<std::int64_t>();
    for (std::int64_t i = 0; i < set.size(); ++i) {
        const Tensor target = set.get(i).target;
        RADIAL_CHECK(target.dtype() == DType::int64 && target.numel() == 1 && target.rank() == 0,
                     "the target of sample {} is {}, expected a class, int64[]", i, target.str());
        values[static_cast<std::size_t>(i)] = target.values<std::int64_t>()[0];
    }
    return labels;
}

namespace {

/// A 64-bit digest of bytes. Each word is mixed in by the finaliser of SplitMix64 (Steele et al. 2014), so that each
/// bit of the word affects every bit of the digest. It detects accidental changes only; collisions are easy to
/// construct.
class Digest {
public:
    void add(std::uint64_t word) {
        std::uint64_t x = state_ ^ word;
        x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27U)) * 0x94D049BB133111EB;
        state_ = (x ^ (x >> 31U)) + 0x9E3779B97F4A7C15;
    }
    /// Adds the bytes and their number.
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

/// The deepest folder that contains all of `files`, with a trailing slash.
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

/// Whether sample `i` is one of `wanted` samples that are spread evenly over `all` samples.
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

/// Adds the type, shape and elements of a tensor.
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

/// The fingerprint of a data set from up to 4096 samples, spread evenly.
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
