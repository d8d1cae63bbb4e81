// From bytes to the normalised, transformed floats of a batch.
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

/// The stream that a sample's transforms draw from in `epoch`: a function of these three numbers.
Generator sample_stream(std::uint64_t seed, std::int64_t epoch, std::int64_t sample);

/// Prepares samples for a Loader. Its functions may be called by several threads at once.
class Preprocessor {
public:
    /// Throws Error (as the Loader, whose options these are) when the length of mean or std does not fit the
    /// channels, or a number makes no sense.
    Preprocessor(std::shared_ptr<const Dataset> dataset, const LoaderOptions& options);

    /// The samples' inputs, float32 [samples, ...], and their targets, a row each; `samples` becomes those that are in
    /// it, should files that cannot be read be replaced or left out. Throws Error when transforms leave images of
    /// different sizes, or a sample is not what Dataset::get() says, FileError for a file that cannot be read, and what
    /// a transform throws.
    std::pair<Tensor, Tensor> batch(std::vector<std::int64_t>& samples, std::int64_t epoch) const;
    /// Why samples were replaced or left out so far, by their numbers.
    std::map<std::int64_t, std::string> problems() const;

private:
    /// What each of the 256 bytes becomes.
    using Table = std::array<float, 256>;
    /// An image as bytes: planes, or with its channels side by side.
    struct Bytes {
        const std::uint8_t* first;
        std::int64_t height, width;
        bool planar;
    };
    /// What one thread works in.
    struct Scratch {
        ViewReader reader;
        Image image;
    };

    Tensor images_of(std::vector<std::int64_t>& samples, std::int64_t epoch) const;
    void check_label(std::int64_t sample, std::int64_t label) const;
    Tensor labels_of(const std::vector<std::int64_t>& samples) const;
    std::pair<Tensor, Tensor> samples_of(std::vector<std::int64_t>& samples, std::int64_t epoch) const;
    Tensor prepared(std::int64_t sample, const Tensor& input, std::int64_t epoch) const;
    Bytes bytes_of(std::int64_t sample, Generator& random, ViewReader& reader) const;
    void write(const std::vector<Table>& tables, const Bytes& bytes, float* to) const;
    void normalise(Image& image) const;
    void transform(const Bytes& bytes, Generator& random, Image& image) const;
    void transform(Generator& random, Image& image, bool from_pixels) const;
    template <class F>
    std::optional<std::int64_t> readable(std::int64_t sample, const F& read) const;

    std::shared_ptr<const Dataset> set_;
    std::optional<ImageSet> images_;  ///< the set, where it is one of images, in row-major memory
    std::int64_t channels_;
    std::vector<float> mean_, std_;  ///< one a channel
    Transforms transforms_;
    std::optional<RandomRegionOptions> region_;
    bool scaled_decoding_;
    CorruptFiles corrupt_;
    std::uint64_t seed_;
    std::vector<Table> unit_, normalised_;  ///< one a channel: byte / 255, and that normalised

    mutable std::mutex mutex_;
    mutable std::map<std::int64_t, std::string> problems_;  ///< guarded
};

}  // namespace radial::data
