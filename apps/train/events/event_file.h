// Event files for TensorBoard: scalars, histograms, images and texts by step.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
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
    /// those of existing event files. The file begins with a restart at `first_step`, which makes TensorBoard discard
    /// the events of earlier files from this step on. Throws FileError when the file cannot be written, as do the other
    /// functions.
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

}  // namespace radial::train
