// TensorBoard's event files: scalars, histograms, images and texts by step.
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

/// A name under which TensorBoard collects values, and one of them.
using TaggedScalar = std::pair<std::string, double>;

/// Writes one event file, which TensorBoard can follow while it grows.
///
/// A file is a row of records: the length of the data (uint64), its masked CRC-32C, the data and their masked CRC-32C,
/// all little-endian. The data are messages `Event` of tensorflow/core/util/event.proto.
class EventFile {
public:
    /// Makes `folder` where it is missing, and in it the file events.out.tfevents.SECONDS.HOST, whose name sorts after
    /// those that are there. What earlier files hold of `first_step` and later counts no more: TensorBoard forgets it
    /// at the restart that this file begins with. Throws FileError, as all below.
    EventFile(const std::filesystem::path& folder, std::int64_t first_step);

    void add_scalars(std::int64_t step, std::span<const TaggedScalar> scalars);
    /// How the finite ones of `values` are distributed, in buckets a tenth apart; nothing when there are none.
    void add_histogram(std::int64_t step, const std::string& tag, std::span<const float> values);
    /// `png` is a whole PNG file of that size with that many channels.
    void add_image(std::int64_t step, const std::string& tag, std::string_view png, std::int64_t width,
                   std::int64_t height, std::int64_t channels);
    /// Markdown.
    void add_text(std::int64_t step, const std::string& tag, std::string_view text);
    /// Hands what was added to the system.
    void flush();

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

/// The event files in `folder`.
std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder);
/// Deletes the event files in `folder`; other files stay.
void remove_event_files(const std::filesystem::path& folder);

/// Buckets of a histogram: counts[i] values lie in (limits[i - 1], limits[i]]. Between the smallest and the largest
/// value no bucket is left out.
struct Buckets {
    std::vector<double> limits, counts;
};
/// Sorts finite values into buckets whose limits are 1.1^k, -1.1^k and 0, so that each is known to a tenth. Below 1e-12
/// in size, values count as 0.
Buckets bucketed(std::span<const double> values);

}  // namespace radial::train
