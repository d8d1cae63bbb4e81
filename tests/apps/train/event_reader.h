// Reads TensorBoard's event files according to their format: framing, masked CRC-32C, protocol buffers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace radial::test {

/// CRC-32C, computed bit by bit.
std::uint32_t crc32c(std::string_view data);

/// A field of a message: a number (the raw bits of a varint or of a 64-bit or 32-bit value) or bytes.
struct ProtobufField {
    int number = 0, wire_type = 0;
    std::uint64_t bits = 0;
    std::string bytes;

    double as_double() const;
    float as_float() const;
};
/// The fields of a message in their order. Fails the test if the message is malformed.
std::vector<ProtobufField> protobuf_fields(std::string_view message);
/// The only field with that number. Fails the test if there is none or more than one.
const ProtobufField& field(const std::vector<ProtobufField>& fields, int number);

/// The data of each record of an event file. Fails the test if a length or a checksum is wrong, or if bytes remain at
/// the end.
std::vector<std::string> read_records(const std::filesystem::path& file);

/// A value of a summary, with its tag and step.
struct LoggedValue {
    std::int64_t step = 0;
    std::string tag;
    std::vector<ProtobufField> fields;  ///< the fields of Summary.Value

    float scalar() const { return field(fields, 2).as_float(); }
};

/// The event files of a folder, sorted by name.
std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder);
/// The values that TensorBoard shows for a folder: those of all files in order, where the start of a session removes
/// earlier values at its step or later steps.
std::vector<LoggedValue> logged_values(const std::filesystem::path& folder);
/// The scalars of one tag, by step.
std::map<std::int64_t, float> scalars(const std::vector<LoggedValue>& values, const std::string& tag);

}  // namespace radial::test
