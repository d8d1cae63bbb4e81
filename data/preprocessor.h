// Converts bytes to the normalised, transformed floats of a batch.
#pragma once

#include "radial/data/images/transforms.h"
#include "radial/data/images/view.h"
#include "radial/data/loader.h"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace radial::data {

/// The random stream for the transforms of a sample in `epoch`, determined by the three arguments. In an epoch that
/// uses a sample several times, `sample` is draw.copy * (number of samples) + draw.sample.
Generator sample_stream(std::uint64_t seed, std::int64_t epoch, std::int64_t sample);

/// Prepares samples for a Loader. Thread-safe.
class Preprocessor {
public:
    /// `options` are those of the Loader. Throws Error when the length of mean or std does not fit the channels, or
    /// when an option is invalid.
    Preprocessor(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options);

    /// Returns the inputs of the samples, float32 [samples, ...], and their targets, one per row. Sets `used` to the
    /// samples in the batch. They differ from those drawn if files that cannot be read are replaced, and are fewer if
    /// such files are left out. Throws Error when transforms produce images of different sizes or when a sample is not
    /// as Dataset::get() specifies. Throws FileError for a file that cannot be read, and rethrows exceptions of
    /// transforms.
    std::pair<Tensor, Tensor> batch(const std::vector<Draw>& draws, std::int64_t epoch,
                                    std::vector<std::int64_t>& used) const;
    /// The reasons why samples were replaced or left out so far, by sample number.
    std::map<std::int64_t, std::string> problems() const;

private:
    /// The value that each of the 256 bytes is mapped to.
    using Table = std::array<float, 256>;
    /// An image as bytes, either planar or with interleaved channels.
    struct Bytes {
        const std::uint8_t* first;
        std::int64_t height, width;
        bool planar;
    };
    /// The buffers that one thread uses.
    struct Scratch {
        ViewReader reader;
        Image image;
    };

    Generator stream_of(std::int64_t sample, std::int64_t copy, std::int64_t epoch) const;
    Tensor images_of(const std::vector<Draw>& draws, std::int64_t epoch, std::vector<std::int64_t>& samples) const;
    void check_label(std::int64_t sample, std::int64_t label) const;
    Tensor labels_of(const std::vector<std::int64_t>& samples) const;
    std::pair<Tensor, Tensor> samples_of(const std::vector<Draw>& draws, std::int64_t epoch,
                                         std::vector<std::int64_t>& samples) const;
    Tensor prepared(const Draw& draw, const Tensor& input, std::int64_t epoch) const;
    Bytes bytes_of(std::int64_t sample, Generator& random, ViewReader& reader) const;
    void write(const std::vector<Table>& tables, const Bytes& bytes, float* to) const;
    void normalise(Image& image) const;
    void transform(const Bytes& bytes, Generator& random, Image& image) const;
    void transform(Generator& random, Image& image, bool from_pixels) const;
    void alternate(std::int64_t sample, std::int64_t epoch, Image& image) const;
    template <class F>
    std::optional<std::int64_t> readable(std::int64_t sample, const F& read) const;

    std::shared_ptr<const Dataset> set_;
    std::optional<ImageSet> images_;  ///< the set if it is an ImageSet, in row-major memory
    std::int64_t channels_;
    std::vector<float> mean_, std_;  ///< one per channel
    Transforms transforms_;
    std::optional<RandomRegionOptions> region_;
    bool alternating_flip_;
    bool scaled_decoding_;
    CorruptFiles corrupt_;
    std::uint64_t seed_;
    std::vector<Table> unit_, normalised_;  ///< one per channel: byte / 255, and that value normalised

    mutable std::mutex mutex_;
    mutable std::map<std::int64_t, std::string> problems_;  ///< guarded by mutex_
};

}  // namespace radial::data
