// Batches of a data set, prepared ahead of time by worker threads.
#pragma once

#include "radial/core/util/error.h"
#include "radial/data/image_set.h"
#include "radial/data/images/transforms.h"
#include "radial/data/sampling.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace radial::data {

/// One batch, ready for the network.
struct Batch {
    Tensor images;  ///< float32 [N, ...]: the inputs; images are normalised, (byte / 255 - mean) / std, and transformed
    Tensor labels;  ///< int64 [N], or the targets of the samples (Sample::target), one per row
    std::vector<std::int64_t> indices;  ///< indices of the samples in the data set
    Tensor other_labels = {};           ///< int64 [N]: labels of the images mixed in; undefined without mixing
    Tensor share = {};                  ///< float32 scalar: weight of `labels`; `other_labels` have the rest
};

/// Whether the targets of a batch are classes, int64 [N].
inline bool are_classes(const Tensor& targets) { return targets.dtype() == DType::int64 && targets.rank() == 1; }

/// Thrown when the file of a sample cannot be read and LoaderOptions::corrupt_files is `fail`.
class UnreadableSample : public FileError {
public:
    using FileError::FileError;
};

/// What to do with a sample whose file cannot be read.
enum class CorruptFiles : std::uint8_t {
    fail,       ///< throw UnreadableSample, which names the file
    replace,    ///< use the next sample that can be read instead; the last sample is followed by the first
    leave_out,  ///< leave the sample out, so that its batch is smaller
};

/// The part of an epoch that a loader has delivered.
struct EpochPosition {
    std::int64_t batches = 0, samples = 0;  ///< number of batches and samples delivered
    friend bool operator==(const EpochPosition&, const EpochPosition&) = default;
};

/// Options of Loader.
struct LoaderOptions {
    std::int64_t batch_size = 128;          ///< total over all ranks
    bool shuffle = false;                   ///< visit the samples in random order, a different one in every epoch
    bool drop_last = false;                 ///< skip the last batch if it is not full
    Sampling sampling = Sampling::uniform;  ///< which samples an epoch has; `balanced` needs `shuffle` and classes
    std::int64_t repeats = 1;  ///< consecutive uses of each sample, each with its own random numbers (repeated_draws())
    std::uint64_t seed = 0;    ///< seed of all random numbers; the order of samples depends only on it and the epoch
    int workers = 1;           ///< threads that prepare batches; 0: next() prepares each batch
    int prefetch = 4;          ///< maximum number of batches prepared ahead
    std::vector<float> mean = {0.0F};  ///< per channel, or one for all
    std::vector<float> std = {1.0F};   ///< per channel, or one for all
    Transforms transforms = {};        ///< applied to each sample, with new random numbers in every epoch
    /// Applied before `transforms`: a random region of each image, resized to the image's size, or to
    /// ImageSet::view.crop for files.
    std::optional<RandomRegionOptions> random_region = std::nullopt;
    /// Mirror each image in every other epoch, after `transforms`: about half of the images, drawn at random with
    /// `seed`, in even epochs, and the other images in odd epochs. An image is then never seen the same way in two
    /// epochs in a row (Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 3.6).
    bool alternating_flip = false;
    MixingOptions mixing = {};     ///< applied to each batch after `transforms`, with random numbers that depend on the
                                   ///< batch number
    bool scaled_decoding = false;  ///< decode JPEGs at a reduced size if that is enough for the view (ViewReader)
    CorruptFiles corrupt_files = CorruptFiles::fail;  ///< what to do with a sample whose file cannot be read
    /// The number of this process among `ranks`, from 0. Each batch is divided into `ranks` parts whose sizes differ by
    /// at most one, and this loader delivers part `rank`. If the last batch has fewer samples than there are ranks,
    /// some parts are empty.
    int rank = 0;
    int ranks = 1;  ///< number of processes that share each batch
};

/// Iterates over a data set in batches. The order and content of batches do not depend on the number of workers. An
/// error in a worker, such as one thrown by a transform, is thrown by next(). Not thread-safe.
class Loader {
public:
    /// Throws Error when batch_size, prefetch or repeats is below 1 or workers is negative, rank is not in [0, ranks),
    /// the length of mean or std does not fit the channels, a mean is not finite, a std is not above 0, random_region
    /// or mixing is invalid, sampling is balanced without shuffling or for targets that are not classes, the tensors
    /// are not as ImageSet specifies, or there are transforms, a mean or a std for samples that are not images.
    /// `dataset` must not change while the loader exists.
    Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options);
    /// Like the constructor above, for an ImageSet. The loader copies the set, but shares its tensors and files.
    Loader(ImageSet dataset, LoaderOptions options);
    ~Loader();
    Loader(const Loader&) = delete;
    Loader& operator=(const Loader&) = delete;

    /// Starts epoch `epoch` at batch `first` and discards the batches prepared so far. Throws Error when the epoch has
    /// fewer than `first` batches.
    void start(std::int64_t epoch, std::int64_t first = 0);
    /// Continues epoch `epoch` after `given`, which may come from a loader with another batch size: the next batch has
    /// number `given.batches` and begins with sample `given.samples` in the order of the epoch. Throws Error when the
    /// epoch has fewer than `given.samples` samples.
    void start(std::int64_t epoch, EpochPosition given);
    /// The position after the first `batches` batches of an epoch that this loader delivers from the beginning. Throws
    /// Error when the epoch has fewer batches.
    EpochPosition position_after(std::int64_t batches) const;
    /// The next batch, or nothing at the end of the epoch. Throws Error before the first start(). Rethrows an exception
    /// from a worker, also on later calls until the next start().
    std::optional<Batch> next();
    /// The number of batches in an epoch.
    std::int64_t batches() const;
    /// The number of batches in an epoch that continues after `given`: those already delivered and those that follow.
    std::int64_t batches(EpochPosition given) const;
    /// The number of samples in a batch, over all ranks.
    std::int64_t batch_size() const;
    /// The data set.
    const Dataset& dataset() const;
    /// Messages about the files that were replaced or left out so far, one line each, in the order of the samples.
    std::vector<std::string> problems() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace radial::data
