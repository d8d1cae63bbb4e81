// The safetensors format: eight bytes of header length, a JSON header, the tensors' bytes.
#include "radial/core/checkpoint.h"

#include "radial/core/atomic_file.h"

#include <zlib.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

namespace radial {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::uint64_t length_bytes = 8;
constexpr std::uint64_t max_header_bytes = 100'000'000;
constexpr const char* metadata_key = "__metadata__";
constexpr const char* checksum_key = "radial.crc32";

constexpr std::array<std::pair<std::string_view, DType>, 5> dtype_names{{{"F32", DType::float32},
                                                                         {"F64", DType::float64},
                                                                         {"I32", DType::int32},
                                                                         {"I64", DType::int64},
                                                                         {"U8", DType::uint8}}};

std::optional<DType> dtype_from(std::string_view name) {
    for (const auto& [known, dtype] : dtype_names)
        if (known == name) return dtype;
    return std::nullopt;
}

std::string_view safetensors_name(DType dtype) {
    for (const auto& [name, known] : dtype_names)
        if (known == dtype) return name;
    throw Error(fmt::format("write_safetensors: no name for dtype {}", name_of(dtype)));
}

/// CRC-32 of `bytes` behind those that gave `sum`.
std::uint32_t crc_on(std::uint32_t sum, const void* bytes, std::size_t count) {
    if (count == 0) return sum;  // whose address may be null, which starts zlib's sum anew
    return static_cast<std::uint32_t>(crc32_z(sum, static_cast<const Bytef*>(bytes), count));
}

/// CRC-32 of what a header says, in whatever order and spelling, but for the checksum itself.
std::uint32_t crc_of_header(Json header) {
    if (header.contains(metadata_key)) {
        header[metadata_key].erase(checksum_key);
        if (header[metadata_key].empty()) header.erase(metadata_key);
    }
    const std::string text = header.dump();
    return crc_on(0, text.data(), text.size());
}

/// What the header says of one tensor, checked as far as one entry alone can be.
struct Entry {
    std::string name;
    DType dtype = DType::float32;
    Shape shape;
    std::uint64_t begin = 0, end = 0;  ///< bytes, from the end of the header
};

/// Reads one file; every check fails with the file's name before the problem.
class Reader {
public:
    explicit Reader(const std::filesystem::path& path) : path_(path) {}

    TensorFile read() {
        open();
        const std::string header = read_header();
        TensorFile content;
        const Json parsed = parse_json(header);
        std::vector<Entry> entries = parse_entries(parsed, content.metadata);
        sort_by_offset(entries);
        for (const Entry& entry : entries) content.tensors.push_back({entry.name, read_tensor(entry)});
        if (content.metadata.contains(checksum_key)) check_sum(parsed, content);
        return content;
    }

private:
    template <class... Args>
    [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
        throw FileError(path_.string() + ": " + fmt::format(format, std::forward<Args>(args)...));
    }
    template <class... Args>
    void check(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
        if (!condition) fail(format, std::forward<Args>(args)...);
    }

    void open() {
        std::error_code error;
        const std::filesystem::file_status status = std::filesystem::status(path_, error);
        check(!error, "cannot be read: {}", error.message());
        check(std::filesystem::is_regular_file(status), "cannot be read: it is not a regular file");
        file_bytes_ = std::filesystem::file_size(path_, error);
        check(!error, "cannot be read: {}", error.message());
        file_.open(path_, std::ios::binary);
        check(file_.is_open(), "cannot be read: {}", std::generic_category().message(errno));
    }

    void read_bytes(void* target, std::uint64_t bytes) {
        file_.read(static_cast<char*>(target), static_cast<std::streamsize>(bytes));
        check(static_cast<std::uint64_t>(file_.gcount()) == bytes, "ended while it was being read");
    }

    std::string read_header() {
        check(file_bytes_ >= length_bytes, "is cut short: {} bytes, and the header's length alone takes {}",
              file_bytes_, length_bytes);
        std::uint64_t length = 0;
        read_bytes(&length, length_bytes);
        check(length <= max_header_bytes, "is not a safetensors file: a header of {} bytes, at most {} are allowed",
              length, max_header_bytes);
        const std::uint64_t rest = file_bytes_ - length_bytes;
        check(length <= rest, "is cut short: a header of {} bytes is announced, {} follow", length, rest);
        data_bytes_ = rest - length;
        std::string header(length, '\0');
        read_bytes(header.data(), length);
        check(header.starts_with('{'), "is not a safetensors file: its header does not begin with '{{'");
        return header;
    }

    Json parse_json(const std::string& header) const {
        // The keys seen in the object open at each depth: a name given twice would otherwise win silently.
        std::array<std::set<std::string>, 3> keys;
        const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
            const auto level = static_cast<std::size_t>(depth);
            if (event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start) {
                check(level < keys.size(), "its header is nested too deeply");
                if (level + 1 < keys.size()) keys[level + 1].clear();
            }
            if (event == Json::parse_event_t::key && level < keys.size()) {
                const auto& key = value.get_ref<const std::string&>();
                check(keys[level].insert(key).second, "its header has \"{}\" twice", key);
            }
            return true;
        };
        try {
            return Json::parse(header, watch);
        } catch (const nlohmann::json::exception& error) {
            fail("its header is not JSON: {}", error.what());
        }
    }

    std::vector<Entry> parse_entries(const Json& header, std::map<std::string, std::string>& metadata) const {
        std::vector<Entry> entries;
        for (const auto& [name, value] : header.items()) {
            if (name != metadata_key) {
                entries.push_back(parse_entry(name, value));
                continue;
            }
            check(value.is_object(), "its {} is not an object", metadata_key);
            for (const auto& [key, text] : value.items()) {
                check(text.is_string(), "\"{}\" in its {} is not a string", key, metadata_key);
                metadata[key] = text.template get<std::string>();
            }
        }
        return entries;
    }

    Entry parse_entry(const std::string& name, const Json& value) const {
        Entry entry;
        entry.name = name;
        check(value.is_object(), "the entry of tensor \"{}\" is not an object", name);
        for (const char* const key : {"dtype", "shape", "data_offsets"})
            check(value.contains(key), "tensor \"{}\" has no {}", name, key);
        check(value.size() == 3, "tensor \"{}\" has more than dtype, shape and data_offsets", name);

        const Json& dtype = value["dtype"];
        const std::optional<DType> known =
            dtype.is_string() ? dtype_from(dtype.get_ref<const std::string&>()) : std::nullopt;
        check(known.has_value(), "tensor \"{}\" has dtype {}, expected \"F32\", \"F64\", \"I32\", \"I64\" or \"U8\"",
              name, dtype.dump());
        entry.dtype = *known;

        const std::uint64_t bytes = parse_shape(name, value["shape"], entry);
        const Json& offsets = value["data_offsets"];
        check(offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
                  offsets[1].is_number_unsigned(),
              "tensor \"{}\" has data_offsets {}, expected [begin, end]", name, offsets.dump());
        entry.begin = offsets[0].get<std::uint64_t>();
        entry.end = offsets[1].get<std::uint64_t>();
        check(entry.begin <= entry.end && entry.end <= data_bytes_,
              "tensor \"{}\" lies at bytes [{}, {}) of {}: the file is cut short or its header wrong", name,
              entry.begin, entry.end, data_bytes_);
        check(entry.end - entry.begin == bytes, "tensor \"{}\" is {}{}, which takes {} bytes, not {}", name,
              name_of(entry.dtype), entry.shape.str(), bytes, entry.end - entry.begin);
        return entry;
    }

    /// Fills in entry.shape and returns the bytes it takes.
    std::uint64_t parse_shape(const std::string& name, const Json& shape, Entry& entry) const {
        check(shape.is_array(), "tensor \"{}\" has shape {}, expected a list", name, shape.dump());
        check(shape.size() <= Shape::max_rank, "tensor \"{}\" has {} dimensions, at most {} are supported", name,
              shape.size(), static_cast<int>(Shape::max_rank));
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        std::vector<std::int64_t> extents;
        std::uint64_t product =
            size_of(entry.dtype);  // of the extents that are not 0: strides must not overflow either
        bool none = false;
        for (const Json& extent : shape) {
            check(extent.is_number_unsigned(), "tensor \"{}\" has shape {}, expected integers >= 0", name,
                  shape.dump());
            const auto count = extent.get<std::uint64_t>();
            check(count == 0 || product <= most / count, "tensor \"{}\" has shape {}, which is too large", name,
                  shape.dump());
            if (count == 0)
                none = true;
            else
                product *= count;
            extents.push_back(static_cast<std::int64_t>(count));
        }
        entry.shape = Shape(extents);
        return none ? 0 : product;
    }

    /// Puts the entries in file order, in which they must fill the data without overlap or gap.
    void sort_by_offset(std::vector<Entry>& entries) const {
        std::ranges::stable_sort(entries, {}, [](const Entry& e) { return std::pair(e.begin, e.end); });
        std::uint64_t end = 0;
        for (const Entry& entry : entries) {
            check(entry.begin >= end, "tensor \"{}\" begins at byte {}, inside the one before, which ends at {}",
                  entry.name, entry.begin, end);
            check(entry.begin == end, "bytes [{}, {}) before tensor \"{}\" belong to no tensor", end, entry.begin,
                  entry.name);
            end = entry.end;
        }
        check(end == data_bytes_, "is {} bytes longer than its header says", data_bytes_ - end);
    }

    void check_sum(const Json& header, TensorFile& content) const {
        std::uint32_t sum = crc_of_header(header);
        for (const NamedTensor& entry : content.tensors) sum = crc_on(sum, entry.tensor.raw(), entry.tensor.bytes());
        const std::string found = fmt::format("{:08x}", sum), expected = content.metadata.at(checksum_key);
        check(found == expected, "is damaged: its content has the checksum {}, it was written with {}", found,
              expected);
        content.metadata.erase(checksum_key);
    }

    Tensor read_tensor(const Entry& entry) {
        Tensor tensor = Tensor::empty(entry.shape, entry.dtype, Device{});
        file_.seekg(static_cast<std::streamoff>(file_bytes_ - data_bytes_ + entry.begin));
        read_bytes(tensor.raw(), entry.end - entry.begin);
        return tensor;
    }

    std::filesystem::path path_;
    std::ifstream file_;
    std::uint64_t file_bytes_ = 0, data_bytes_ = 0;
};

/// What a file of `content` says of it.
nlohmann::ordered_json describe(const std::filesystem::path& path, const TensorFile& content) {
    auto header = nlohmann::ordered_json::object();
    if (!content.metadata.empty()) header[metadata_key] = content.metadata;
    std::uint64_t offset = 0;
    for (const NamedTensor& entry : content.tensors) {
        const std::string& name = entry.name;
        const Tensor& tensor = entry.tensor;
        const auto refuse = [&](std::string_view why) {
            throw FileError(fmt::format("{}: cannot be written: tensor \"{}\" {}", path.string(), name, why));
        };
        if (!tensor.defined()) refuse("is undefined");
        if (name == metadata_key) refuse("has the name reserved for metadata");
        if (header.contains(name)) refuse("is given twice");
        const std::uint64_t end = offset + tensor.bytes();
        header[name] = {{"dtype", safetensors_name(tensor.dtype())},
                        {"shape", std::vector<std::int64_t>(tensor.shape().begin(), tensor.shape().end())},
                        {"data_offsets", {offset, end}}};
        offset = end;
    }
    return header;
}

std::string text_of(const std::filesystem::path& path, const nlohmann::ordered_json& header) {
    try {
        return header.dump();
    } catch (const nlohmann::json::exception& error) {  // a name or text that is not UTF-8
        throw FileError(fmt::format("{}: cannot be written: {}", path.string(), error.what()));
    }
}

/// The eight length bytes and the header, padded with spaces so that the tensors begin at a multiple of eight.
std::string with_length(std::string text) {
    text.append((length_bytes - text.size() % length_bytes) % length_bytes, ' ');
    const std::uint64_t length = text.size();
    std::string bytes(length_bytes, '\0');
    std::memcpy(bytes.data(), &length, length_bytes);
    return bytes + text;
}

}  // namespace

const Tensor& TensorFile::at(std::string_view name) const {
    const auto found = std::ranges::find(tensors, name, &NamedTensor::name);
    RADIAL_CHECK(found != tensors.end(), "there is no tensor \"{}\" among the file's {}", name, tensors.size());
    return found->tensor;
}

bool TensorFile::contains(std::string_view name) const {
    return std::ranges::find(tensors, name, &NamedTensor::name) != tensors.end();
}

TensorFile read_safetensors(const std::filesystem::path& path) { return Reader(path).read(); }

void write_safetensors(const std::filesystem::path& path, const TensorFile& content, Checksum checksum) {
    nlohmann::ordered_json header = describe(path, content);
    std::string text = text_of(path, header);
    std::vector<Tensor> kept;  // alive until written
    std::vector<std::span<const std::byte>> parts(1);
    for (const NamedTensor& entry : content.tensors) {
        const Tensor& plain = kept.emplace_back(entry.tensor.to(Device{}).to(Layout::row_major));
        parts.emplace_back(static_cast<const std::byte*>(plain.raw()), plain.bytes());
    }
    if (checksum == Checksum::added) {
        std::uint32_t sum = crc_of_header(Json::parse(text));
        for (const std::span<const std::byte> part : parts) sum = crc_on(sum, part.data(), part.size());
        header[metadata_key][checksum_key] = fmt::format("{:08x}", sum);
        text = text_of(path, header);
    }
    const std::string beginning = with_length(std::move(text));
    parts.front() = std::as_bytes(std::span(beginning));
    write_file(path, parts);
}

}  // namespace radial
