// Event files for TensorBoard (scalars, histograms, images and texts by step), pictures as PNG for them and for
// reports, and the events that a run writes.
#pragma once

#include "radial/apps/train/trainer.h"
#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace radial::train {

class ProtobufMessage;

/// A scalar and its tag, the name under which TensorBoard collects values.
using TaggedScalar = std::pair<std::string, double>;

/// Writes an event file, which TensorBoard can read while it grows.
///
/// The file is a sequence of records, each of which consists of the length of the data (uint64), the masked CRC-32C of
/// the length, the data, and the masked CRC-32C of the data, all little-endian. The data are `Event` messages of
/// tensorflow/core/util/event.proto.
class EventFile {
public:
    /// Creates `folder` if it is missing, and in it the file events.out.tfevents.SECONDS.HOST, whose name sorts after
    /// those of existing event files. The file begins with the start of a session at `first_step`, which makes
    /// TensorBoard discard the events of earlier files from this step on. This and the other functions throw FileError
    /// when the file cannot be written.
    EventFile(const std::filesystem::path& folder, std::int64_t first_step);

    /// Adds scalars, which are stored as float.
    void add_scalars(std::int64_t step, std::span<const TaggedScalar> scalars);
    /// Adds a histogram of the finite values (see bucketed()). Adds nothing when there are none.
    void add_histogram(std::int64_t step, const std::string& tag, std::span<const float> values);
    /// Adds an image. `png` is the content of a PNG file with this size in pixels and this number of channels.
    void add_image(std::int64_t step, const std::string& tag, std::string_view png, std::int64_t width,
                   std::int64_t height, std::int64_t channels);
    /// Adds a text in Markdown.
    void add_text(std::int64_t step, const std::string& tag, std::string_view text);
    /// Writes buffered records to the file.
    void flush();

    /// The path of the file.
    const std::filesystem::path& path() const { return path_; }

private:
    struct Close {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };
    void open(const std::filesystem::path& folder);
    void add_event(std::int64_t step, int field, const ProtobufMessage& what);
    void write_record(const std::string& data);
    [[noreturn]] void fail() const;

    std::filesystem::path path_;
    std::unique_ptr<std::FILE, Close> file_;
};

/// The event files in `folder`, in no particular order; none if there is no such folder.
std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder);
/// Deletes the event files in `folder`, and no other files. Files that cannot be deleted are skipped.
void remove_event_files(const std::filesystem::path& folder);

/// The buckets of a histogram: counts[i] values are in (limits[i - 1], limits[i]]. Empty buckets between the smallest
/// and the largest value are included.
struct Buckets {
    std::vector<double> limits, counts;  ///< upper limits in ascending order, and numbers of values
};
/// Sorts finite values into buckets whose limits are 0, 1e-12 * 1.1^k and -1e-12 * 1.1^k, so that a bucket determines a
/// value to within 10%. Values below 1e-12 in magnitude count as 0.
Buckets bucketed(std::span<const double> values);

/// A picture in PNG format.
struct PngPicture {
    std::string file;                                  ///< content of the PNG file
    std::int64_t width = 0, height = 0, channels = 0;  ///< size in pixels, and 1 (grey) or 3 (RGB) channels
};

/// Converts a picture, uint8 [1 or 3, H, W] on the CPU, to PNG. If its shorter side is longer than `shorter_side`
/// pixels, the picture is scaled down so that this side has that length. Throws Error for any other tensor.
PngPicture png_of(const Tensor& planes, std::int64_t shorter_side);

/// A data URI, "data:image/png;base64,...", which embeds the content of a PNG file in an HTML page.
std::string data_uri(std::string_view png);

/// A misclassified sample and its picture.
struct PicturedMistake {
    Mistake mistake;     ///< the sample, its classes and the confidence
    PngPicture picture;  ///< the picture of the sample
};

/// Writes the learning curves, distances to prototypes and mistakes of a run as events. Each object writes a new file,
/// so a run has a file for each time it was started or resumed.
class RunEvents {
public:
    /// Creates a file in `folder`. TensorBoard discards the events of earlier files from `first_step` on (EventFile).
    /// Scalars are written every `log_steps` steps, or only after epochs if `log_steps` is 0. Throws FileError when the
    /// file cannot be written, as do the other functions.
    RunEvents(const std::filesystem::path& folder, std::int64_t first_step, std::int64_t log_steps);

    /// Adds a step. Every `log_steps` steps, writes step/loss, step/accuracy, step/gradient_norm and step/NAME for
    /// each metric of the loss (means over the steps since the last write), step/learning_rate and
    /// step/images_per_second.
    void step(const StepReport& report);
    /// Writes the results of an epoch whose last step is `step`: its scalars as epoch/NAME, histograms of the squared
    /// distances of test features to prototypes, the first 8 mistakes as pictures, and all mistakes as a table.
    /// `class_names` must have a name for each class that occurs in `mistakes`.
    void epoch(const EpochResult& result, std::int64_t step, const Evaluation& evaluation,
               const std::vector<PicturedMistake>& mistakes, const std::vector<std::string>& class_names);

private:
    /// Sums over the steps since scalars were last written.
    struct Window {
        std::int64_t steps = 0, images = 0;
        double loss = 0, correct = 0, gradient_norm = 0;
        MetricMeans metrics;
    };
    /// The time and the number of images from the start of the epoch to one of its steps. Steps that the host read
    /// together have the same time (StepReport::seconds).
    struct Mark {
        double seconds = 0;
        std::int64_t images = 0;
    };
    void add_finite(std::int64_t step, std::vector<TaggedScalar> scalars);
    void note_speed(const StepReport& report);
    std::optional<double> images_per_second();

    EventFile file_;
    std::int64_t log_steps_;
    Window window_;
    std::optional<Mark> last_;  ///< up to where the speed has been written
    Mark whole_, now_;          ///< after all steps of the host's previous read; at the current step
};

}  // namespace radial::train
