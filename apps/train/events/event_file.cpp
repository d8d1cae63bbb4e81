// Framing, checksums and messages of TensorBoard's event files.
#include "radial/apps/train/events/event_file.h"

#include "radial/apps/train/events/protobuf_message.h"
#include "radial/core/util/error.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>
#include <map>

namespace radial::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view beginning = "events.out.tfevents.";

// Fields of Event, of Summary.Value and of what they hold, by their names in the .proto files.
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

/// CRC-32C (Castagnoli), rotated and shifted as TensorFlow does, so that a checksum of checksums stays useful.
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

/// The present second, or the one after the newest file's: TensorBoard reads the files in the order of their names.
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
    // A bucket's number: 0 for 0, k + 1 for limits of 1.1^k above the smallest, the negative ones mirrored.
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

}  // namespace radial::train
