// Batches of a data set, prepared ahead of time by worker threads.
#pragma once

#include "radial/core/util/error.h"
#include "radial/data/image_set.h"
#include "radial/data/images/transforms.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace radial::data {

/// One batch, ready for the network.
struct Batch {
    Tensor images;  ///< float32 [N, ...]: the inputs. Images are (byte / 255 - mean) / std, transformed
    Tensor labels;  ///< int64 [N], or the targets of the samples (Sample::target), one a row
    std::vector<std::int64_t> indices;  ///< which samples of the data set these are
    Tensor other_labels = {};           ///< int64 [N]: of what each image is mixed with; undefined without mixing
    Tensor share = {};                  ///< float32 scalar: the part that `labels` have, the rest is `other_labels`'
};

/// Whether the targets of a batch are classes, int64 [N].
inline bool are_classes(const Tensor& targets) { return targets.dtype() == DType::int64 && targets.rank() == 1; }

/// A sample whose file cannot be read, where that is an error.
class UnreadableSample : public FileError {
public:
    using FileError::FileError;
};

/// What becomes of a sample whose file cannot be read.
enum class CorruptFiles : std::uint8_t {
    fail,     ///< UnreadableSample, which names the file
    replace,  ///< the sample of the next number takes its place, or the one after that; after the last comes the first
    leave_out,  ///< its batch is smaller
};

/// How much of an epoch a loader has delivered.
struct EpochPosition {
    std::int64_t batches = 0, samples = 0;  ///< number of batches and samples delivered
    friend bool operator==(const EpochPosition&, const EpochPosition&) = default;
};

/// Options of Loader.
struct LoaderOptions {
    std::int64_t batch_size = 128;     ///< of all ranks together
    bool shuffle = false;              ///< visit the samples in random order, another one in every epoch
    bool drop_last = false;            ///< leave out a last batch that is not full
    std::uint64_t seed = 0;            ///< order = function of (seed, epoch) alone
    int workers = 1;                   ///< threads that prepare batches; 0 prepares in next()
    int prefetch = 4;                  ///< batches ready at most
    std::vector<float> mean = {0.0F};  ///< per channel, or one for all
    std::vector<float> std = {1.0F};   ///< per channel, or one for all
    Transforms transforms = {};        ///< what each sample goes through, anew in every epoch
    /// Before those: a random region of each image, resized to the image's size, or to ImageSet::view.crop for files.
    std::optional<RandomRegionOptions> random_region = std::nullopt;
    MixingOptions mixing = {};     ///< after those: what each batch goes through, by its number's own random numbers
    bool scaled_decoding = false;  ///< decode JPEGs at a reduced size where the view takes no more (ViewReader)
    CorruptFiles corrupt_files = CorruptFiles::fail;  ///< what happens to a sample whose file cannot be read
    /// The number of this process among `ranks`, from 0. Each batch is divided into `ranks` parts whose sizes differ by
    /// at most one, and this loader delivers part `rank`. Where the last batch has fewer samples than there are ranks,
    /// some of them get an empty part.
    int rank = 0;
    int ranks = 1;  ///< number of processes that share each batch
};

/// Walks a data set in batches. Batches come in order and hold the same numbers whatever the number of workers; an
/// error in a worker, such as a transform's, is thrown by next(). Not for use by several threads at once.
class Loader {
public:
    /// Throws Error when the batch size or prefetch is below 1, the length of mean or std does not fit the
    /// channels, a std is not above 0, rank is not below ranks, the tensors are not what ImageSet says, or there
    /// are transforms, a mean or a std for samples that are not images. `dataset` must not change meanwhile.
    Loader(std::shared_ptr<const Dataset> dataset, LoaderOptions options);
    /// The same for a set of images, which the loader copies; tensors and files are shared.
    Loader(ImageSet dataset, LoaderOptions options);
    ~Loader();
    Loader(const Loader&) = delete;
    Loader& operator=(const Loader&) = delete;

    /// Starts epoch `epoch` from batch `first`, dropping what was being prepared. Throws Error when the epoch has
    /// fewer.
    void start(std::int64_t epoch, std::int64_t first = 0);
    /// Starts it behind what was given, perhaps by a loader with another batch size: the next batch has the number
    /// `given.batches` and begins with the sample `given.samples` of the epoch's order. Throws Error when the epoch has
    /// fewer samples.
    void start(std::int64_t epoch, EpochPosition given);
    /// What has been given after `batches` batches, by this loader alone.
    EpochPosition position_after(std::int64_t batches) const;
    /// The next batch, or nothing at the epoch's end.
    /// Throws Error before the first start(), and what a worker threw (again, until the next start()).
    std::optional<Batch> next();
    /// Batches in an epoch.
    std::int64_t batches() const;
    /// Batches in an epoch that continues after `given`: those already given and those to come.
    std::int64_t batches(EpochPosition given) const;
    /// Samples in a batch, of all ranks together.
    std::int64_t batch_size() const;
    /// The data set.
    const Dataset& dataset() const;
    /// What was wrong with the files that were replaced or left out so far: a line each, in the order of the samples.
    std::vector<std::string> problems() const;

private:
    class State;
    std::unique_ptr<State> state_;
};

/// The order in which samples are visited in `epoch`: 0 .. size-1, permuted when `shuffle` by the Philox stream whose
/// seed is stream_seed(seed, epoch), so that epochs of neighbouring seeds share no order.
std::vector<std::int64_t> epoch_order(std::int64_t size, bool shuffle, std::uint64_t seed, std::int64_t epoch);

}  // namespace radial::data
