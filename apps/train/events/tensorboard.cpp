// Writes TensorBoard's event files, PNG with libpng's simplified interface and base64 with libcrypto, and the scalars,
// histograms and pictures of a run.
#include "radial/apps/train/events/tensorboard.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/core/util/error.h"
#include "radial/data/images/view.h"

#include <fmt/core.h>

#include <openssl/evp.h>
#include <png.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace radial::train {

/// Builds a protocol buffer message: fields are appended in the order of the calls. Source: the encoding guide at
/// protobuf.dev, wire types varint (0), 64 bits (1), length-delimited (2) and 32 bits (5).
class ProtobufMessage {
public:
    ProtobufMessage& integer(int field, std::int64_t value) {
        tag(field, 0);
        varint(static_cast<std::uint64_t>(value));
        return *this;
    }
    ProtobufMessage& number(int field, double value) {
        tag(field, 1);
        fixed(std::bit_cast<std::uint64_t>(value));
        return *this;
    }
    ProtobufMessage& single(int field, float value) {
        tag(field, 5);
        fixed(std::bit_cast<std::uint32_t>(value));
        return *this;
    }
    ProtobufMessage& text(int field, std::string_view value) {
        tag(field, 2);
        varint(value.size());
        bytes_ += value;
        return *this;
    }
    ProtobufMessage& message(int field, const ProtobufMessage& value) { return text(field, value.bytes_); }
    /// A repeated double in packed form.
    ProtobufMessage& numbers(int field, std::span<const double> values) {
        tag(field, 2);
        varint(values.size() * sizeof(double));
        for (const double value : values) fixed(std::bit_cast<std::uint64_t>(value));
        return *this;
    }
    const std::string& bytes() const { return bytes_; }

private:
    void tag(int field, int wire_type) { varint(static_cast<std::uint64_t>(field) << 3U | unsigned(wire_type)); }
    void varint(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>(value | 0x80U);
        bytes_ += static_cast<char>(value);
    }
    /// Appends a number in little-endian order.
    template <class T>
    void fixed(T value) {
        for (std::size_t i = 0; i < sizeof value; ++i, value >>= 8U) bytes_ += static_cast<char>(value & 0xFFU);
    }

    std::string bytes_;
};

namespace {

namespace fs = std::filesystem;

constexpr std::string_view beginning = "events.out.tfevents.";

// Field numbers of Event, Summary.Value and the messages that they contain, named as in the .proto files.
namespace event {
constexpr int wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7;
constexpr int session_status = 1, session_start = 1;
}  // namespace event
namespace value {
constexpr int tag = 1, simple_value = 2, image = 4, histogram = 5, tensor = 8, metadata = 9;
}  // namespace value

constexpr std::array<std::uint32_t, 256> crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        table[i] = i;
        for (int bit = 0; bit < 8; ++bit) table[i] = table[i] >> 1U ^ ((table[i] & 1U) != 0 ? 0x82F63B78U : 0U);
    }
    return table;
}

/// CRC-32C (Castagnoli), rotated and offset by a constant as TensorFlow does, so that the checksum of data that contain
/// checksums stays useful.
std::uint32_t masked_crc(std::string_view data) {
    static constexpr auto table = crc_table();
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const char c : data) crc = table[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ crc >> 8U;
    crc = ~crc;
    return (crc >> 15U | crc << 17U) + 0xA282EAD8U;
}

template <class T>
std::string little_endian(T number) {
    std::string bytes;
    for (std::size_t i = 0; i < sizeof number; ++i, number >>= 8U) bytes += static_cast<char>(number & 0xFFU);
    return bytes;
}

double wall_time() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The time in seconds for the name of a new file: the current time, or one second after that of the newest file if
/// that is later, because TensorBoard reads the files in the order of their names.
std::int64_t file_time(const fs::path& folder) {
    auto time = static_cast<std::int64_t>(wall_time());
    for (const fs::path& file : event_files(folder)) {
        const std::string digits = file.filename().string().substr(beginning.size());
        std::int64_t other = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), other);
        time = std::max(time, other + 1);
    }
    return time;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
    return name.data();
}

ProtobufMessage summary_of(const ProtobufMessage& value) {
    ProtobufMessage summary;
    summary.message(1, value);
    return summary;
}

}  // namespace

EventFile::EventFile(const fs::path& folder, std::int64_t first_step) {
    open(folder);
    write_record(ProtobufMessage()
                     .number(event::wall_time, wall_time())
                     .integer(event::step, 0)
                     .text(event::file_version, "brain.Event:2")
                     .bytes());
    add_event(first_step, event::session_log, ProtobufMessage().integer(event::session_status, event::session_start));
    flush();
}

void EventFile::open(const fs::path& folder) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw FileError(fmt::format("{}: cannot make the folder: {}", folder.string(), error.message()));
    path_ = folder / fmt::format("{}{:010}.{}", beginning, file_time(folder), host_name());
    file_.reset(std::fopen(path_.c_str(), "wbx"));
    if (file_ == nullptr) fail();
}

void EventFile::add_scalars(std::int64_t step, std::span<const TaggedScalar> scalars) {
    ProtobufMessage summary;
    for (const auto& [tag, number] : scalars) {
        summary.message(
            1, ProtobufMessage().text(value::tag, tag).single(value::simple_value, static_cast<float>(number)));
    }
    add_event(step, event::summary, summary);
}

void EventFile::add_histogram(std::int64_t step, const std::string& tag, std::span<const float> values) {
    std::vector<double> finite;
    std::copy_if(values.begin(), values.end(), std::back_inserter(finite), [](float v) { return std::isfinite(v); });
    if (finite.empty()) return;
    const auto [low, high] = std::minmax_element(finite.begin(), finite.end());
    double sum = 0, squares = 0;
    for (const double v : finite) sum += v, squares += v * v;
    const Buckets buckets = bucketed(finite);
    const ProtobufMessage histogram = ProtobufMessage()
                                          .number(1, *low)
                                          .number(2, *high)
                                          .number(3, static_cast<double>(finite.size()))
                                          .number(4, sum)
                                          .number(5, squares)
                                          .numbers(6, buckets.limits)
                                          .numbers(7, buckets.counts);
    add_event(step, event::summary,
              summary_of(ProtobufMessage().text(value::tag, tag).message(value::histogram, histogram)));
}

void EventFile::add_image(std::int64_t step, const std::string& tag, std::string_view png, std::int64_t width,
                          std::int64_t height, std::int64_t channels) {
    // The colour space of an Image is its number of channels.
    const ProtobufMessage image =
        ProtobufMessage().integer(1, height).integer(2, width).integer(3, channels).text(4, png);
    add_event(step, event::summary, summary_of(ProtobufMessage().text(value::tag, tag).message(value::image, image)));
}

void EventFile::add_text(std::int64_t step, const std::string& tag, std::string_view text) {
    constexpr int string_type = 7, tensor_class = 2;
    const ProtobufMessage tensor =
        ProtobufMessage().integer(1, string_type).message(2, ProtobufMessage()).text(8, text);
    const ProtobufMessage metadata =
        ProtobufMessage().message(1, ProtobufMessage().text(1, "text")).integer(4, tensor_class);
    add_event(
        step, event::summary,
        summary_of(
            ProtobufMessage().text(value::tag, tag).message(value::tensor, tensor).message(value::metadata, metadata)));
}

void EventFile::add_event(std::int64_t step, int field, const ProtobufMessage& what) {
    write_record(ProtobufMessage()
                     .number(event::wall_time, wall_time())
                     .integer(event::step, step)
                     .message(field, what)
                     .bytes());
}

void EventFile::write_record(const std::string& data) {
    const std::string length = little_endian(static_cast<std::uint64_t>(data.size()));
    const std::string record = length + little_endian(masked_crc(length)) + data + little_endian(masked_crc(data));
    if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size()) fail();
}

void EventFile::flush() {
    if (std::fflush(file_.get()) != 0) fail();
}

void EventFile::fail() const {
    throw FileError(fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno)));
}

std::vector<fs::path> event_files(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none))
        if (entry.path().filename().string().starts_with(beginning)) files.push_back(entry.path());
    return files;
}

void remove_event_files(const fs::path& folder) {
    std::error_code ignored;
    for (const fs::path& file : event_files(folder)) fs::remove(file, ignored);
}

Buckets bucketed(std::span<const double> values) {
    // Bucket 0 counts values below 1e-12 in magnitude, bucket k + 1 values from 1e-12 * 1.1^k to 1e-12 * 1.1^(k + 1),
    // and bucket -(k + 1) their negatives.
    constexpr double smallest = 1e-12, ratio = 1.1;
    const auto limit = [](int number) {
        if (number == 0) return 0.0;
        return (number > 0 ? smallest : -smallest) * std::pow(ratio, std::abs(number) - (number > 0 ? 0 : 1));
    };
    const auto number_of = [&](double v) {
        if (std::abs(v) < smallest) return 0;
        const double size = std::log(std::abs(v) / smallest) / std::log(ratio);
        return v > 0 ? std::max(1, static_cast<int>(std::ceil(size))) : -1 - static_cast<int>(size);
    };
    std::map<int, double> counts;
    for (const double v : values) ++counts[number_of(v)];
    Buckets buckets;
    if (counts.empty()) return buckets;
    for (int number = counts.begin()->first; number <= counts.rbegin()->first; ++number) {
        buckets.limits.push_back(limit(number));
        const auto found = counts.find(number);
        buckets.counts.push_back(found == counts.end() ? 0 : found->second);
    }
    return buckets;
}

namespace {

/// Converts [C, H, W] to [H, W, C].
Tensor interleaved(const Tensor& planes) {
    const std::int64_t channels = planes.size(0), pixels = planes.size(1) * planes.size(2);
    const Tensor result = Tensor::empty({planes.size(1), planes.size(2), channels}, DType::uint8, Device{});
    const std::uint8_t* const from = planes.data<std::uint8_t>();
    std::uint8_t* const to = result.data<std::uint8_t>();
    for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t i = 0; i < pixels; ++i) to[i * channels + c] = from[c * pixels + i];
    return result;
}

}  // namespace

PngPicture png_of(const Tensor& planes, std::int64_t shorter_side) {
    RADIAL_CHECK(planes.rank() == 3 && (planes.size(0) == 1 || planes.size(0) == 3) && planes.numel() > 0 &&
                     planes.dtype() == DType::uint8,
                 "png_of: {} {}, expected uint8 [1 or 3, H, W]", name_of(planes.dtype()), planes.shape().str());
    Tensor pixels = interleaved(planes);
    if (std::min(pixels.size(0), pixels.size(1)) > shorter_side)
        pixels = data::resize_shorter_side(pixels, shorter_side);
    PngPicture picture{.file = {}, .width = pixels.size(1), .height = pixels.size(0), .channels = pixels.size(2)};
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = static_cast<png_uint_32>(picture.width);
    image.height = static_cast<png_uint_32>(picture.height);
    image.format = picture.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
    picture.file.resize(size);
    const int written =
        png_image_write_to_memory(&image, picture.file.data(), &size, 0, pixels.data<std::uint8_t>(), 0, nullptr);
    RADIAL_CHECK(written != 0, "png_of: {}", static_cast<const char*>(image.message));
    picture.file.resize(size);
    return picture;
}

std::string data_uri(std::string_view png) {
    constexpr std::string_view head = "data:image/png;base64,";
    std::string uri(head.size() + (png.size() + 2) / 3 * 4 + 1, '\0');  // libcrypto appends a 0 byte
    head.copy(uri.data(), head.size());
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(uri.data() + head.size()),
                    reinterpret_cast<const unsigned char*>(png.data()), static_cast<int>(png.size()));
    uri.pop_back();
    return uri;
}

namespace {

constexpr std::size_t most_pictures = 8;

/// Escapes text for a cell of a Markdown table.
std::string cell(const std::string& text) {
    std::string escaped;
    for (const char c : shown(text)) {
        if (c == '|' || c == '\\' || c == '<' || c == '`' || c == '*' || c == '_') escaped += '\\';
        escaped += c;
    }
    return escaped;
}

std::string table_of(const std::vector<PicturedMistake>& mistakes, const std::vector<std::string>& class_names) {
    std::string text = "| picture | test sample | true class | predicted class | confidence |\n|---|---|---|---|---|\n";
    for (std::size_t i = 0; i < mistakes.size(); ++i) {
        const Mistake& mistake = mistakes[i].mistake;
        text +=
            fmt::format("| {} | {} | {} | {} | {:.3f} |\n", i < most_pictures ? fmt::format("mistakes/{}", i + 1) : "–",
                        mistake.sample, cell(class_names[static_cast<std::size_t>(mistake.truth)]),
                        cell(class_names[static_cast<std::size_t>(mistake.predicted)]), mistake.confidence);
    }
    return text;
}

}  // namespace

RunEvents::RunEvents(const std::filesystem::path& folder, std::int64_t first_step, std::int64_t log_steps)
    : file_(folder, first_step), log_steps_(log_steps) {}

void RunEvents::step(const StepReport& report) {
    if (log_steps_ == 0) return;
    note_speed(report);
    ++window_.steps;
    window_.images += report.images;
    window_.loss += report.numbers.loss * static_cast<double>(report.images);
    window_.correct += report.numbers.correct;
    window_.gradient_norm += report.numbers.gradient_norm;
    window_.metrics.add(report.numbers.metrics);
    if (report.step % log_steps_ != 0) return;

    const auto steps = static_cast<double>(window_.steps), images = static_cast<double>(window_.images);
    std::vector<TaggedScalar> scalars{{"step/loss", window_.loss / images},
                                      {"step/accuracy", window_.correct / images},
                                      {"step/gradient_norm", window_.gradient_norm / steps},
                                      {"step/learning_rate", report.lr}};
    for (const MetricResult& metric : window_.metrics.results())
        scalars.emplace_back("step/" + metric.name, metric.mean);
    if (const auto speed = images_per_second()) scalars.emplace_back("step/images_per_second", *speed);
    add_finite(report.step, std::move(scalars));
    file_.flush();
    window_ = {};
}

// Leaves out an accuracy that is NaN, as it is for targets that are not classes. A loss that is not finite is written,
// because it shows what went wrong.
void RunEvents::add_finite(std::int64_t step, std::vector<TaggedScalar> scalars) {
    std::erase_if(scalars, [](const TaggedScalar& scalar) {
        return std::isnan(scalar.second) && scalar.first.find("accuracy") != std::string::npos;
    });
    file_.add_scalars(step, scalars);
}

// The host may read the results of many steps at once, so only the steps of previous reads are known to be complete.
void RunEvents::note_speed(const StepReport& report) {
    if (report.seconds != now_.seconds) whole_ = now_;
    now_.seconds = report.seconds;
    now_.images += report.images;
    if (!last_ && whole_.seconds > 0) last_ = whole_;
}

std::optional<double> RunEvents::images_per_second() {
    if (!last_ || whole_.seconds <= last_->seconds) return std::nullopt;
    const double speed = static_cast<double>(whole_.images - last_->images) / (whole_.seconds - last_->seconds);
    last_ = whole_;
    return speed;
}

void RunEvents::epoch(const EpochResult& result, std::int64_t step, const Evaluation& evaluation,
                      const std::vector<PicturedMistake>& mistakes, const std::vector<std::string>& class_names) {
    std::vector<TaggedScalar> scalars{{"epoch/train_loss", result.train_loss},
                                      {"epoch/train_accuracy", result.train_accuracy},
                                      {"epoch/test_loss", result.test_loss},
                                      {"epoch/test_accuracy", result.test_accuracy},
                                      {"epoch/gradient_norm", result.gradient_norm},
                                      {"epoch/learning_rate", result.lr},
                                      {"epoch/images_per_second", result.images_per_second}};
    for (const MetricResult& metric : result.metrics) scalars.emplace_back("epoch/" + metric.name, metric.mean);
    add_finite(step, std::move(scalars));
    file_.add_histogram(step, "squared distance/to the own prototype", evaluation.own_distances);
    file_.add_histogram(step, "squared distance/to the nearest other prototype", evaluation.nearest_distances);
    for (std::size_t i = 0; i < std::min(mistakes.size(), most_pictures); ++i) {
        const PngPicture& picture = mistakes[i].picture;
        file_.add_image(step, fmt::format("mistakes/{}", i + 1), picture.file, picture.width, picture.height,
                        picture.channels);
    }
    if (!mistakes.empty()) file_.add_text(step, "mistakes", table_of(mistakes, class_names));
    file_.flush();
    // The time of the evaluation does not count towards the speed of the next epoch.
    last_.reset();
    whole_ = now_ = {};
}

}  // namespace radial::train
