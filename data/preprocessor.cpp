// Normalises samples with lookup tables, and transforms each sample with its own random stream.
#include "radial/data/preprocessor.h"

#include "radial/core/util/error.h"
#include "radial/data/seeds.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial::data {
namespace {

/// Expands `values` to one value per channel.
std::vector<float> per_channel(const char* what, const std::vector<float>& values, std::int64_t channels) {
    RADIAL_CHECK(values.size() == 1 || std::ssize(values) == channels,
                 "Loader: {} has {} numbers for images of {} channels, expected 1 or {}", what, values.size(), channels,
                 channels);
    return values.size() == 1 ? std::vector<float>(static_cast<std::size_t>(channels), values[0]) : values;
}

/// A copy of the set with row-major images if it is an ImageSet; nothing otherwise.
std::optional<ImageSet> in_rows(const Dataset& set) {
    const auto* const given = dynamic_cast<const ImageSet*>(&set);
    if (given == nullptr) return std::nullopt;
    ImageSet images = *given;
    if (images.images.defined()) images.images = images.images.to(Layout::row_major);
    return images;
}

/// The number of channels of the set's images; 1 for other inputs, which are not normalised. Throws Error when options
/// for images are set for other inputs.
std::int64_t channels_of(const Dataset& set, const LoaderOptions& options) {
    if (const auto* const images = dynamic_cast<const ImageSet*>(&set)) return images->channels();
    const Shape shape = set.size() > 0 ? set.input_shape() : Shape{};
    if (shape.rank() == 3) return shape[0];
    const LoaderOptions none;
    RADIAL_CHECK(options.transforms.pixels.empty() && options.transforms.normalised.empty() && !options.random_region &&
                     !options.alternating_flip && options.mean == none.mean && options.std == none.std,
                 "Loader: inputs of shape {} are not images [C, H, W], which alone are transformed and normalised",
                 shape.str());
    return 1;
}

/// Copies `value` to one row of a batch of `rows` rows. The batch is allocated for the first row.
void put_row(const char* what, std::int64_t sample, const Tensor& value, std::int64_t row, std::int64_t rows,
             Tensor& batch) {
    if (!batch.defined()) {
        std::vector<std::int64_t> extents{rows};
        extents.insert(extents.end(), value.shape().begin(), value.shape().end());
        batch = Tensor::empty(Shape(std::span<const std::int64_t>(extents)), value.dtype(), Device{});
    }
    const Tensor place = batch.rows(row, row + 1);
    RADIAL_CHECK(value.dtype() == batch.dtype() && value.rank() + 1 == batch.rank() &&
                     std::equal(value.shape().begin(), value.shape().end(), batch.shape().begin() + 1),
                 "Loader: the {} of sample {} is {}, others of the batch are rows of {}", what, sample, value.str(),
                 batch.str());
    place.view(value.shape()).copy_(value);
}

}  // namespace

Generator sample_stream(std::uint64_t seed, std::int64_t epoch, std::int64_t sample) {
    // One more round of hashing than in epoch_order(), so that the streams differ.
    return Generator(stream_seed(stream_seed(seed, epoch), sample));
}

Preprocessor::Preprocessor(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options)
    : set_(std::move(dataset)),
      images_(in_rows(*set_)),
      channels_(channels_of(*set_, options)),
      mean_(per_channel("mean", options.mean, channels_)),
      std_(per_channel("std", options.std, channels_)),
      transforms_(options.transforms),
      region_(options.random_region),
      alternating_flip_(options.alternating_flip),
      scaled_decoding_(options.scaled_decoding),
      corrupt_(options.corrupt_files),
      seed_(options.seed),
      unit_(mean_.size()),
      normalised_(mean_.size()) {
    if (region_) check(*region_);
    for (std::size_t c = 0; c < mean_.size(); ++c) {
        const float m = mean_[c], d = std_[c];
        RADIAL_CHECK(std::isfinite(m), "Loader: mean of channel {} is {}, expected a finite number", c, m);
        RADIAL_CHECK(std::isfinite(d) && d > 0, "Loader: std of channel {} is {}, expected above 0", c, d);
        // Float arithmetic in the documented order, so that results match other frameworks bit for bit.
        for (std::size_t byte = 0; byte < 256; ++byte) {
            unit_[c][byte] = static_cast<float>(byte) / 255.0F;
            normalised_[c][byte] = (unit_[c][byte] - m) / d;
        }
    }
}

std::pair<Tensor, Tensor> Preprocessor::batch(const std::vector<Draw>& draws, std::int64_t epoch,
                                              std::vector<std::int64_t>& used) const {
    used.clear();
    if (!images_) return samples_of(draws, epoch, used);
    Tensor images = images_of(draws, epoch, used);
    return {std::move(images), labels_of(used)};
}

Generator Preprocessor::stream_of(std::int64_t sample, std::int64_t copy, std::int64_t epoch) const {
    return sample_stream(seed_, epoch, copy * set_->size() + sample);
}

// Checks the labels at every use, because the caller may change them between epochs.
Tensor Preprocessor::labels_of(const std::vector<std::int64_t>& samples) const {
    const std::span<const std::int64_t> all = images_->labels.values<std::int64_t>();
    Tensor labels = Tensor::empty({std::ssize(samples)}, DType::int64, Device{});
    const std::span<std::int64_t> values = labels.values<std::int64_t>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = all[static_cast<std::size_t>(samples[i])];
        check_label(samples[i], values[i]);
    }
    return labels;
}

void Preprocessor::check_label(std::int64_t sample, std::int64_t label) const {
    RADIAL_CHECK(set_->class_names.empty() || (label >= 0 && label < set_->classes()),
                 "Loader: label of sample {} is {}, expected 0 to {}", sample, label, set_->classes() - 1);
}

/// Prepares a batch of a data set that is not an ImageSet.
std::pair<Tensor, Tensor> Preprocessor::samples_of(const std::vector<Draw>& draws, std::int64_t epoch,
                                                   std::vector<std::int64_t>& samples) const {
    Tensor inputs, targets;
    for (const Draw& draw : draws) {
        const auto used = readable(draw.sample, [&](std::int64_t sample) {
            const Sample given = set_->get(sample);
            RADIAL_CHECK(given.input.defined() && given.target.defined() && given.input.device() == Device{} &&
                             given.target.device() == Device{},
                         "Loader: sample {} has no input or no target on the CPU", sample);
            if (given.target.dtype() == DType::int64 && given.target.rank() == 0)
                check_label(sample, given.target.values<std::int64_t>()[0]);
            const auto row = std::ssize(samples), rows = std::ssize(draws);
            put_row("input", sample, prepared({sample, draw.copy}, given.input, epoch), row, rows, inputs);
            put_row("target", sample, given.target, row, rows, targets);
        });
        if (used) samples.push_back(*used);
    }
    if (inputs.defined()) return {inputs.rows(0, std::ssize(samples)), targets.rows(0, std::ssize(samples))};
    // A batch without samples still needs the right types and shapes.
    const Sample any = set_->get(0);
    put_row("input", 0, prepared({}, any.input, epoch), 0, 1, inputs);
    put_row("target", 0, any.target, 0, 1, targets);
    return {inputs.rows(0, 0), targets.rows(0, 0)};
}

/// The input of a sample as passed to the network.
Tensor Preprocessor::prepared(const Draw& draw, const Tensor& given, std::int64_t epoch) const {
    const std::int64_t sample = draw.sample;
    const Tensor input = given.to(Layout::row_major);
    const bool bytes = input.dtype() == DType::uint8, floats = input.dtype() == DType::float32;
    RADIAL_CHECK((bytes && input.rank() == 3) || floats,
                 "Loader: the input of sample {} is {}, expected uint8 [C, H, W] or float32", sample, input.str());
    if (input.rank() != 3) return input;
    const std::int64_t height = input.size(1), width = input.size(2);
    RADIAL_CHECK(input.size(0) == channels_, "Loader: the input of sample {} is {}, others have {} channels", sample,
                 input.str(), channels_);
    Generator random = stream_of(sample, draw.copy, epoch);
    ViewReader reader;
    Image image{channels_, height, width, {}};
    if (bytes) {
        Bytes pixels{input.data<std::uint8_t>(), height, width, true};
        if (region_) {
            const auto choose = [&](std::int64_t h, std::int64_t w) {
                return resized(random_region(h, w, *region_, random), height, width);
            };
            pixels = {reader.resize(pixels.first, channels_, height, width, choose).data(), height, width, false};
        }
        transform(pixels, random, image);
    } else {
        RADIAL_CHECK(!region_, "Loader: random regions are cut out of uint8 images, sample {} is {}", sample,
                     input.str());
        image.pixels = input.to_vector<float>();
        transform(random, image, true);
    }
    alternate(sample, epoch, image);
    return Tensor::from(image.pixels, {image.channels, image.height, image.width}, Device{});
}

Tensor Preprocessor::images_of(const std::vector<Draw>& draws, std::int64_t epoch,
                               std::vector<std::int64_t>& samples) const {
    const bool plain = transforms_.pixels.empty() && transforms_.normalised.empty() && !alternating_flip_;
    Scratch scratch{ViewReader(scaled_decoding_), {}};
    Tensor result;
    const auto room_for = [&](std::int64_t sample, std::int64_t height, std::int64_t width) {
        if (!result.defined())
            result = Tensor::empty({std::ssize(draws), channels_, height, width}, DType::float32, Device{});
        RADIAL_CHECK(height == result.size(2) && width == result.size(3),
                     "Loader: sample {} is {}x{} pixels after its transforms, others of the batch are {}x{}", sample,
                     height, width, result.size(2), result.size(3));
        return result.data<float>() + std::ssize(samples) * channels_ * height * width;
    };
    for (const Draw& draw : draws) {
        const auto used = readable(draw.sample, [&](std::int64_t sample) {
            Generator random = stream_of(sample, draw.copy, epoch);
            const Bytes bytes = bytes_of(sample, random, scratch.reader);
            if (plain) return write(normalised_, bytes, room_for(sample, bytes.height, bytes.width));
            Image& image = scratch.image;
            transform(bytes, random, image);
            alternate(sample, epoch, image);
            std::copy(image.pixels.begin(), image.pixels.end(), room_for(sample, image.height, image.width));
        });
        if (used) samples.push_back(*used);
    }
    if (result.defined()) return result.rows(0, std::ssize(samples));
    const std::int64_t crop = images_->view.crop;
    const Shape none = images_->files ? Shape{0, channels_, crop, crop}
                                      : Shape{0, channels_, images_->images.size(2), images_->images.size(3)};
    return Tensor::empty(none, DType::float32, Device{});
}

/// Calls `read` with `sample`. If its file cannot be read and is to be replaced, continues with the next samples until
/// one can be read. Returns the sample used, or nothing if the sample is left out.
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
            if (tries == set_->size()) throw FileError(fmt::format("none of the files can be read: {}", error.what()));
            sample = (sample + 1) % set_->size();
        }
    }
}

std::map<std::int64_t, std::string> Preprocessor::problems() const {
    const std::lock_guard lock(mutex_);
    return problems_;
}

/// The bytes of a sample's view. They are valid until the reader is used again.
Preprocessor::Bytes Preprocessor::bytes_of(std::int64_t sample, Generator& random, ViewReader& reader) const {
    if (images_->files) {
        const std::int64_t side = images_->view.crop;
        const auto choose = [&](std::int64_t height, std::int64_t width) {
            return region_ ? resized(random_region(height, width, *region_, random), side, side)
                           : evaluation_view(height, width, images_->view);
        };
        return {reader.read((*images_->files)[static_cast<std::size_t>(sample)], choose).data(), side, side, false};
    }
    const std::int64_t height = images_->images.size(2), width = images_->images.size(3);
    const std::uint8_t* const planes = images_->images.data<std::uint8_t>() + sample * channels_ * height * width;
    if (!region_) return {planes, height, width, true};
    const auto choose = [&](std::int64_t h, std::int64_t w) {
        return resized(random_region(h, w, *region_, random), height, width);
    };
    return {reader.resize(planes, channels_, height, width, choose).data(), height, width, false};
}

/// Maps each byte with the table of its channel and writes the results to `to`, plane by plane.
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
        const float m = mean_[static_cast<std::size_t>(c)], d = std_[static_cast<std::size_t>(c)];
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
    transform(random, image, from_pixels);
}

/// Applies the transforms to an image. Its pixels are already normalised unless `from_pixels` is set.
void Preprocessor::transform(Generator& random, Image& image, bool from_pixels) const {
    for (const Transform& transform : transforms_.pixels) transform(image, random);
    if (from_pixels) normalise(image);
    for (const Transform& transform : transforms_.normalised) transform(image, random);
}

/// Mirrors the image in the epochs that LoaderOptions::alternating_flip determines.
void Preprocessor::alternate(std::int64_t sample, std::int64_t epoch, Image& image) const {
    if (!alternating_flip_) return;
    // No epoch has the number -1, so the transforms never use this stream.
    const auto first = static_cast<std::int64_t>(sample_stream(seed_, -1, sample).below(2));
    if ((first + epoch) % 2 == 1) mirror(image);
}

}  // namespace radial::data
