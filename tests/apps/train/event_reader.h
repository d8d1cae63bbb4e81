// Reads TensorBoard's event files by the rules of their format: framing, masked CRC-32C, protocol buffers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace radial::test {

/// CRC-32C, bit by bit.
std::uint32_t crc32c(std::string_view data);

/// A field of a message: a number (varint, 64 or 32 bits, as they stand there) or bytes.
struct ProtobufField {
    int number = 0, wire_type = 0;
    std::uint64_t bits = 0;
    std::string bytes;

    double as_double() const;
    float as_float() const;
};
/// The fields of a message in their order. Fails the test where they are malformed.
std::vector<ProtobufField> protobuf_fields(std::string_view message);
/// The only field of that number. Fails the test where there is none or several.
const ProtobufField& field(const std::vector<ProtobufField>& fields, int number);

/// The data of each record of an event file. Fails the test where a length or a checksum is wrong, or bytes are left.
std::vector<std::string> read_records(const std::filesystem::path& file);

/// A value of a summary, by tag and step.
struct LoggedValue {
    std::int64_t step = 0;
    std::string tag;
    std::vector<ProtobufField> fields;  ///< of Summary.Value

    float scalar() const { return field(fields, 2).as_float(); }
};

/// The event files of a folder in the order of their names.
std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder);
/// What TensorBoard keeps of a folder: all values of its files in order; each start of a session forgets what has its
/// step or a later one.
std::vector<LoggedValue> logged_values(const std::filesystem::path& folder);
/// The steps and scalars of one tag.
std::map<std::int64_t, float> scalars(const std::vector<LoggedValue>& values, const std::string& tag);

}  // namespace radial::test
