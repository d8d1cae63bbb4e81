// Reads event files with code that was written from the descriptions of the formats, independently of the writer.
#include "event_reader.h"

#include "../../catch.h"
#include "../program.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace radial::test {
namespace {

template <class T>
T little_endian(std::string_view bytes) {
    REQUIRE(bytes.size() >= sizeof(T));
    T number = 0;
    for (std::size_t i = sizeof(T); i-- > 0;)
        number = static_cast<T>(number << 8U | static_cast<unsigned char>(bytes[i]));
    return number;
}

std::uint64_t take_varint(std::string_view& bytes) {
    std::uint64_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
        REQUIRE(!bytes.empty());
        REQUIRE(shift < 64);
        const auto byte = static_cast<unsigned char>(bytes.front());
        bytes.remove_prefix(1);
        number |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
        if (byte < 0x80) return number;
    }
}

std::string_view take(std::string_view& bytes, std::size_t count) {
    REQUIRE(bytes.size() >= count);
    const std::string_view taken = bytes.substr(0, count);
    bytes.remove_prefix(count);
    return taken;
}

std::uint32_t masked(std::uint32_t crc) { return std::rotr(crc, 15) + 0xA282EAD8U; }

}  // namespace

std::uint32_t crc32c(std::string_view data) {
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const char c : data) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1U ^ 0x82F63B78U : crc >> 1U;
    }
    return ~crc;
}

double ProtobufField::as_double() const {
    REQUIRE(wire_type == 1);
    return std::bit_cast<double>(bits);
}

float ProtobufField::as_float() const {
    REQUIRE(wire_type == 5);
    return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

std::vector<ProtobufField> protobuf_fields(std::string_view message) {
    std::vector<ProtobufField> fields;
    while (!message.empty()) {
        const std::uint64_t tag = take_varint(message);
        ProtobufField& one = fields.emplace_back();
        one.number = static_cast<int>(tag >> 3U);
        one.wire_type = static_cast<int>(tag & 7U);
        if (one.wire_type == 0)
            one.bits = take_varint(message);
        else if (one.wire_type == 1)
            one.bits = little_endian<std::uint64_t>(take(message, 8));
        else if (one.wire_type == 2)
            one.bytes = take(message, take_varint(message));
        else if (one.wire_type == 5)
            one.bits = little_endian<std::uint32_t>(take(message, 4));
        else
            FAIL("wire type " << one.wire_type);
    }
    return fields;
}

const ProtobufField& field(const std::vector<ProtobufField>& fields, int number) {
    const auto has_number = [&](const ProtobufField& one) { return one.number == number; };
    INFO("field " << number);
    REQUIRE(std::count_if(fields.begin(), fields.end(), has_number) == 1);
    return *std::find_if(fields.begin(), fields.end(), has_number);
}

std::vector<std::string> read_records(const std::filesystem::path& file) {
    const std::string text = read_text(file);
    std::string_view rest = text;
    std::vector<std::string> records;
    while (!rest.empty()) {
        const std::string_view length = take(rest, 8);
        REQUIRE(little_endian<std::uint32_t>(take(rest, 4)) == masked(crc32c(length)));
        records.emplace_back(take(rest, little_endian<std::uint64_t>(length)));
        REQUIRE(little_endian<std::uint32_t>(take(rest, 4)) == masked(crc32c(records.back())));
    }
    return records;
}

std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        if (entry.path().filename().string().find("tfevents") != std::string::npos) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<LoggedValue> logged_values(const std::filesystem::path& folder) {
    std::vector<LoggedValue> values;
    for (const auto& file : event_files(folder)) {
        for (const std::string& record : read_records(file)) {
            const auto event = protobuf_fields(record);
            const auto step = static_cast<std::int64_t>(field(event, 2).bits);
            for (const ProtobufField& part : event) {
                if (part.number == 7)
                    std::erase_if(values, [&](const LoggedValue& value) { return value.step >= step; });
                if (part.number != 5) continue;
                for (const ProtobufField& value : protobuf_fields(part.bytes)) {
                    const auto fields = protobuf_fields(value.bytes);
                    values.push_back({step, field(fields, 1).bytes, fields});
                }
            }
        }
    }
    return values;
}

std::map<std::int64_t, float> scalars(const std::vector<LoggedValue>& values, const std::string& tag) {
    std::map<std::int64_t, float> found;
    for (const LoggedValue& value : values) {
        if (value.tag != tag) continue;
        INFO(tag << " at step " << value.step << " a second time");
        REQUIRE(found.emplace(value.step, value.scalar()).second);
    }
    return found;
}

}  // namespace radial::test
