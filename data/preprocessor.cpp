// Normalisation by tables, and the transforms of each sample with its own random numbers.
#include "radial/data/preprocessor.h"

#include "radial/core/util/error.h"
#include "radial/data/seeds.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial::data {
namespace {

/// `values` with one value a channel.
std::vector<float> per_channel(const char* what, const std::vector<float>& values, std::int64_t channels) {
    RADIAL_CHECK(values.size() == 1 || std::ssize(values) == channels,
                 "Loader: {} {} for images of {} channels, expected 1 or {}", values.size(), what, channels, channels);
    return values.size() == 1 ? std::vector<float>(static_cast<std::size_t>(channels), values[0]) : values;
}

}  // namespace

Generator sample_stream(std::uint64_t seed, std::int64_t epoch, std::int64_t sample) {
    // One round more than epoch_order(), whose stream is another's then.
    return Generator(stream_seed(stream_seed(seed, epoch), sample));
}

Preprocessor::Preprocessor(const Dataset& dataset, const LoaderOptions& options)
    : dataset_(dataset),
      channels_(dataset.channels()),
      mean_(per_channel("means", options.mean, channels_)),
      deviation_(per_channel("deviations", options.deviation, channels_)),
      transforms_(options.transforms),
      region_(options.random_region),
      scaled_decoding_(options.scaled_decoding),
      corrupt_(options.corrupt_files),
      seed_(options.seed),
      unit_(mean_.size()),
      normalised_(mean_.size()) {
    if (dataset_.images.defined()) dataset_.images = dataset_.images.to(Layout::row_major);
    if (region_) check(*region_);
    for (std::size_t c = 0; c < mean_.size(); ++c) {
        const float m = mean_[c], d = deviation_[c];
        RADIAL_CHECK(std::isfinite(m), "Loader: mean of channel {} is {}, expected a finite number", c, m);
        RADIAL_CHECK(std::isfinite(d) && d > 0, "Loader: deviation of channel {} is {}, expected above 0", c, d);
        // Float arithmetic in the documented order, so that results match other frameworks bit for bit.
        for (std::size_t byte = 0; byte < 256; ++byte) {
            unit_[c][byte] = static_cast<float>(byte) / 255.0F;
            normalised_[c][byte] = (unit_[c][byte] - m) / d;
        }
    }
}

Tensor Preprocessor::batch(std::vector<std::int64_t>& samples, std::int64_t epoch) const {
    const bool plain = transforms_.pixels.empty() && transforms_.normalised.empty();
    Scratch scratch{ViewReader(scaled_decoding_), {}};
    const std::vector<std::int64_t> wanted = std::exchange(samples, {});
    Tensor result;
    const auto room_for = [&](std::int64_t sample, std::int64_t height, std::int64_t width) {
        if (!result.defined())
            result = Tensor::empty({std::ssize(wanted), channels_, height, width}, DType::float32, Device{});
        RADIAL_CHECK(height == result.size(2) && width == result.size(3),
                     "Loader: sample {} is {}x{} pixels after its transforms, others of the batch are {}x{}", sample,
                     height, width, result.size(2), result.size(3));
        return result.data<float>() + std::ssize(samples) * channels_ * height * width;
    };
    for (const std::int64_t first : wanted) {
        const auto used = readable(first, [&](std::int64_t sample) {
            Generator random = sample_stream(seed_, epoch, sample);
            const Bytes bytes = bytes_of(sample, random, scratch.reader);
            if (plain) return write(normalised_, bytes, room_for(sample, bytes.height, bytes.width));
            Image& image = scratch.image;
            transform(bytes, random, image);
            std::copy(image.pixels.begin(), image.pixels.end(), room_for(sample, image.height, image.width));
        });
        if (used) samples.push_back(*used);
    }
    if (result.defined()) return result.rows(0, std::ssize(samples));
    const std::int64_t crop = dataset_.view.crop;
    const Shape none = dataset_.files ? Shape{0, channels_, crop, crop}
                                      : Shape{0, channels_, dataset_.images.size(2), dataset_.images.size(3)};
    return Tensor::empty(none, DType::float32, Device{});
}

/// Calls `read` with `sample` or, where its file cannot be read and is to be replaced, with the next that can. Returns
/// which it was, or nothing when the sample is left out.
template <class F>
std::optional<std::int64_t> Preprocessor::readable(std::int64_t sample, const F& read) const {
    for (std::int64_t tries = 0;; ++tries) {
        try {
            read(sample);
            return sample;
        } catch (const FileError& error) {
            if (corrupt_ == CorruptFiles::fail) throw UnreadableSample(error.what());
            {
                const std::lock_guard lock(mutex_);
                problems_.emplace(sample, error.what());
            }
            if (corrupt_ == CorruptFiles::leave_out) return std::nullopt;
            if (tries == dataset_.size())
                throw FileError(fmt::format("none of the files can be read: {}", error.what()));
            sample = (sample + 1) % dataset_.size();
        }
    }
}

std::map<std::int64_t, std::string> Preprocessor::problems() const {
    const std::lock_guard lock(mutex_);
    return problems_;
}

/// What is seen of a sample, until the reader's next use.
Preprocessor::Bytes Preprocessor::bytes_of(std::int64_t sample, Generator& random, ViewReader& reader) const {
    if (dataset_.files) {
        const std::int64_t side = dataset_.view.crop;
        const auto choose = [&](std::int64_t height, std::int64_t width) {
            return region_ ? resized(random_region(height, width, *region_, random), side, side)
                           : evaluation_view(height, width, dataset_.view);
        };
        return {reader.read((*dataset_.files)[static_cast<std::size_t>(sample)], choose).data(), side, side, false};
    }
    const std::int64_t height = dataset_.images.size(2), width = dataset_.images.size(3);
    const std::uint8_t* const planes = dataset_.images.data<std::uint8_t>() + sample * channels_ * height * width;
    if (!region_) return {planes, height, width, true};
    const auto choose = [&](std::int64_t h, std::int64_t w) {
        return resized(random_region(h, w, *region_, random), height, width);
    };
    return {reader.resize(planes, channels_, height, width, choose).data(), height, width, false};
}

/// Writes planes, each byte through its channel's table.
void Preprocessor::write(const std::vector<Table>& tables, const Bytes& bytes, float* to) const {
    const std::int64_t plane = bytes.height * bytes.width, channels = std::ssize(tables);
    const std::uint8_t* from = bytes.first;
    for (const Table& table : tables) {
        if (bytes.planar) {
            to = std::transform(from, from + plane, to, [&](std::uint8_t byte) { return table[byte]; });
            from += plane;
        } else {
            for (std::int64_t i = 0; i < plane; ++i) *to++ = table[from[i * channels]];
            ++from;
        }
    }
}

void Preprocessor::normalise(Image& image) const {
    for (std::int64_t c = 0; c < image.channels; ++c) {
        const float m = mean_[static_cast<std::size_t>(c)], d = deviation_[static_cast<std::size_t>(c)];
        for (std::int64_t y = 0; y < image.height; ++y)
            for (float& value : image.row(c, y)) value = (value - m) / d;
    }
}

void Preprocessor::transform(const Bytes& bytes, Generator& random, Image& image) const {
    image.channels = channels_;
    image.height = bytes.height;
    image.width = bytes.width;
    image.pixels.resize(static_cast<std::size_t>(channels_ * bytes.height * bytes.width));
    const bool from_pixels = !transforms_.pixels.empty();
    write(from_pixels ? unit_ : normalised_, bytes, image.pixels.data());
    for (const Transform& transform : transforms_.pixels) transform(image, random);
    if (from_pixels) normalise(image);
    for (const Transform& transform : transforms_.normalised) transform(image, random);
}

}  // namespace radial::data
