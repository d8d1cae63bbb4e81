// Protocol buffers' wire format, as far as writing a few small messages takes it.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace radial::train {

/// A message under construction: fields are appended in the order of the calls. Source: the encoding guide at
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
    /// Little-endian.
    template <class T>
    void fixed(T value) {
        for (std::size_t i = 0; i < sizeof value; ++i, value >>= 8U) bytes_ += static_cast<char>(value & 0xFFU);
    }

    std::string bytes_;
};

}  // namespace radial::train
