// Normalisation by tables, and the transforms of each sample with its own random numbers.
#include "radial/data/preprocessor.h"

#include "radial/core/error.h"
#include "radial/data/seeds.h"

#include <algorithm>
#include <cmath>

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

Preprocessor::Preprocessor(const Tensor& images, const std::vector<float>& mean, const std::vector<float>& deviation,
                           Transforms transforms, std::uint64_t seed)
    : images_(images.to(Layout::row_major)),
      mean_(per_channel("means", mean, images.size(1))),
      deviation_(per_channel("deviations", deviation, images.size(1))),
      transforms_(std::move(transforms)),
      seed_(seed),
      unit_(mean_.size()),
      normalised_(mean_.size()) {
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

Tensor Preprocessor::batch(std::span<const std::int64_t> samples, std::int64_t epoch) const {
    Shape shape = images_.shape();
    shape[0] = std::ssize(samples);
    const bool plain = transforms_.pixels.empty() && transforms_.normalised.empty();
    Tensor result = plain ? Tensor::empty(shape, DType::float32, Device{}) : Tensor();
    float* to = plain ? result.data<float>() : nullptr;
    for (const std::int64_t sample : samples) {
        if (plain) {
            write(normalised_, sample, to);
            to += shape[1] * shape[2] * shape[3];
            continue;
        }
        const Image image = transformed(sample, epoch);
        if (!result.defined()) {
            shape = {shape[0], image.channels, image.height, image.width};
            result = Tensor::empty(shape, DType::float32, Device{});
            to = result.data<float>();
        }
        RADIAL_CHECK(image.channels == shape[1] && image.height == shape[2] && image.width == shape[3],
                     "Loader: sample {} is {}x{} pixels after its transforms, others of the batch are {}x{}", sample,
                     image.height, image.width, shape[2], shape[3]);
        to = std::copy(image.pixels.begin(), image.pixels.end(), to);
    }
    return result;
}

/// Writes `sample`, each byte through its channel's table.
void Preprocessor::write(const std::vector<Table>& tables, std::int64_t sample, float* to) const {
    const std::int64_t plane = images_.size(2) * images_.size(3);
    const std::uint8_t* from = images_.data<std::uint8_t>() + sample * std::ssize(tables) * plane;
    for (const Table& table : tables) {
        to = std::transform(from, from + plane, to, [&](std::uint8_t byte) { return table[byte]; });
        from += plane;
    }
}

void Preprocessor::normalise(Image& image) const {
    for (std::int64_t c = 0; c < image.channels; ++c) {
        const float m = mean_[static_cast<std::size_t>(c)], d = deviation_[static_cast<std::size_t>(c)];
        for (std::int64_t y = 0; y < image.height; ++y)
            for (float& value : image.row(c, y)) value = (value - m) / d;
    }
}

Image Preprocessor::transformed(std::int64_t sample, std::int64_t epoch) const {
    Image image{images_.size(1), images_.size(2), images_.size(3), {}};
    image.pixels.resize(static_cast<std::size_t>(image.channels * image.height * image.width));
    Generator random = sample_stream(seed_, epoch, sample);
    const bool from_pixels = !transforms_.pixels.empty();
    write(from_pixels ? unit_ : normalised_, sample, image.pixels.data());
    for (const Transform& transform : transforms_.pixels) transform(image, random);
    if (from_pixels) normalise(image);
    for (const Transform& transform : transforms_.normalised) transform(image, random);
    return image;
}

}  // namespace radial::data
