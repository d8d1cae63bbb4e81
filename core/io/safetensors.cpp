// The safetensors format: eight bytes of header length, a JSON header, and the bytes of the tensors.
#include "radial/core/io/safetensors.h"

#include "radial/core/io/files.h"
#include "radial/core/util/text.h"

#include <fmt/ranges.h>
#include <zlib.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <system_error>
#include <unordered_set>
#include <utility>

namespace radial {
namespace {

/// The value of a float16 with these bits. float32 represents every such value exactly, including the payload of a NaN.
float float_from_float16(std::uint16_t bits) {
    const std::uint32_t sign = (bits & 0x8000U) << 16, magnitude = (bits & 0x7FFFU) << 13;
    if ((bits & 0x7C00U) == 0x7C00U) return std::bit_cast<float>(sign | magnitude | 0x7F800000U);
    // The exponent bias is 15 for float16 and 127 for float32. Scaling by a multiplication also handles subnormal
    // numbers.
    const float value = std::bit_cast<float>(magnitude) * 0x1p112F;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(value));
}

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

constexpr std::uint64_t length_bytes = 8;
constexpr std::uint64_t max_header_bytes = 100'000'000;
constexpr const char* metadata_key = "__metadata__";
constexpr const char* checksum_key = "radial.crc32";

/// An element type in a file: a DType, or a 16-bit floating-point type that is read as float32.
struct Stored {
    std::string_view code{};  ///< name in the file
    DType dtype = DType::float32;
    std::size_t bytes = 0;                    ///< size of an element in the file
    std::string_view name{};                  ///< name in messages
    float (*widen)(std::uint16_t) = nullptr;  ///< converts an element of a 16-bit type
};

constexpr std::array<Stored, 7> stored_types{
    {{"F32", DType::float32, 4, "float32"},
     {"F64", DType::float64, 8, "float64"},
     {"F16", DType::float32, 2, "float16", float_from_float16},
     {"BF16", DType::float32, 2, "bfloat16",
      [](std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16U); }},
     {"I32", DType::int32, 4, "int32"},
     {"I64", DType::int64, 8, "int64"},
     {"U8", DType::uint8, 1, "uint8"}}};

std::optional<Stored> stored_from(std::string_view code) {
    for (const Stored& stored : stored_types)
        if (stored.code == code) return stored;
    return std::nullopt;
}

/// The element type in which a tensor is written.
Stored stored_as(DType dtype) {
    for (const Stored& stored : stored_types)
        if (stored.dtype == dtype && stored.widen == nullptr) return stored;
    throw Error(fmt::format("write_safetensors: no name for dtype {}", name_of(dtype)));
}

/// Continues the CRC-32 `sum` with `count` bytes.
std::uint32_t crc_on(std::uint32_t sum, const void* bytes, std::size_t count) {
    if (count == 0) return sum;  // `bytes` may then be null, which would make zlib restart the sum
    return static_cast<std::uint32_t>(crc32_z(sum, static_cast<const Bytef*>(bytes), count));
}

/// The header entry of one tensor. Checked as far as possible without the other entries.
struct Entry {
    std::string name;
    Stored stored;
    Shape shape;
    std::uint64_t begin = 0, end = 0;  ///< byte range, relative to the end of the header
};

using Metadata = std::map<std::string, std::string>;

/// `text` as a JSON string. Throws nlohmann::json::exception when it is not UTF-8.
std::string quoted(const std::string& text) { return Json(text).dump(); }

/// The entries sorted by name.
std::vector<const Entry*> by_name(const std::vector<Entry>& entries) {
    std::vector<const Entry*> sorted;
    sorted.reserve(entries.size());
    for (const Entry& entry : entries) sorted.push_back(&entry);
    std::ranges::sort(sorted, {}, [](const Entry* entry) -> std::string_view { return entry->name; });
    return sorted;
}

/// The CRC-32 of a header's content, without the checksum itself. It does not depend on the order or formatting of the
/// header, because it is computed from JSON with sorted names and no spaces.
std::uint32_t crc_of_header(const std::vector<Entry>& entries, Metadata metadata) {
    metadata.erase(checksum_key);
    std::uint32_t sum = 0;
    char before = '{';
    const auto add = [&](std::string_view text) {
        sum = crc_on(crc_on(sum, &before, 1), text.data(), text.size());
        before = ',';
    };
    bool metadata_waits = !metadata.empty();
    const auto add_metadata = [&] {
        if (metadata_waits) add(fmt::format("{}:{}", quoted(metadata_key), Json(metadata).dump()));
        metadata_waits = false;
    };
    for (const Entry* const entry : by_name(entries)) {
        if (entry->name > metadata_key) add_metadata();
        add(fmt::format(R"({}:{{"data_offsets":[{},{}],"dtype":"{}","shape":[{}]}})", quoted(entry->name), entry->begin,
                        entry->end, entry->stored.code, fmt::join(entry->shape, ",")));
    }
    add_metadata();
    if (before == '{') sum = crc_on(sum, &before, 1);
    return crc_on(sum, "}", 1);
}

/// Splits a header into entries while it is parsed: each entry is built separately and passed to `take`, so that time
/// and memory are linear in the length of the header. Problems are passed to `fail`, which throws.
class HeaderParser : public nlohmann::json_sax<Json> {
public:
    using Take = std::function<void(const std::string& name, const Json& entry)>;
    using Fail = std::function<void(const std::string& problem)>;
    HeaderParser(Take take, Fail fail) : take_(std::move(take)), fail_(std::move(fail)) {}

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(number_integer_t value) override { return put(value); }
    bool number_unsigned(number_unsigned_t value) override { return put(value); }
    bool number_float(number_float_t value, const string_t&) override { return put(value); }
    bool string(string_t& value) override { return put(std::move(value)); }
    bool binary(binary_t&) override { return false; }  // does not occur in JSON
    bool start_object(std::size_t) override { return start(Json::object()); }
    bool start_array(std::size_t) override { return start(Json::array()); }
    bool end_object() override { return end(); }
    bool end_array() override { return end(); }
    bool key(string_t& name) override {
        if (open_.empty()) {
            name_ = name;
        } else {
            if (open_.back()->contains(name)) fail_(fmt::format("its header has \"{}\" twice", shortened(name)));
            key_ = name;
        }
        return true;
    }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
        fail_(fmt::format("its header is not JSON: {}", shortened(error.what(), 300)));
        return false;
    }

private:
    /// The largest number of values in the entry of a tensor (a type, two offsets and a shape), and the largest number
    /// of texts in the metadata.
    static constexpr std::size_t most_values = 64, most_metadata = 10'000;
    static constexpr int deepest = 3;  ///< levels of nesting: the header, an entry, and its shape or offsets

    bool put(Json value) {
        if (open_.empty())
            take_(name_, value);
        else
            add(std::move(value));
        return true;
    }
    bool start(Json value) {
        if (depth_ == deepest) fail_("its header is nested too deeply");
        if (++depth_ == 1) return true;  // the header itself
        if (open_.empty()) {
            entry_ = std::move(value);
            values_ = 0;
            open_.push_back(&entry_);
        } else {
            open_.push_back(add(std::move(value)));
        }
        return true;
    }
    bool end() {
        --depth_;
        if (open_.empty()) return true;
        open_.pop_back();
        if (open_.empty()) take_(name_, entry_);
        return true;
    }
    /// Appends a value to the innermost list or object and returns its address there.
    Json* add(Json value) {
        if (++values_ > most_values && name_ != metadata_key)
            fail_(fmt::format("the entry of tensor \"{}\" holds more than {} values", shortened(name_), most_values));
        if (values_ > most_metadata) fail_(fmt::format("its {} holds more than {} texts", metadata_key, most_metadata));
        Json& parent = *open_.back();
        if (parent.is_object()) return &(parent[key_] = std::move(value));
        parent.push_back(std::move(value));
        return &parent.back();
    }

    Take take_;
    Fail fail_;
    std::string name_, key_;   ///< of the current entry, and of the next value in its innermost object
    Json entry_;               ///< the part read so far
    std::vector<Json*> open_;  ///< unfinished lists and objects, outermost (entry_) first
    std::size_t values_ = 0;   ///< number of values in entry_
    int depth_ = 0;            ///< nesting depth of unfinished lists and objects, including the header
};

/// Reads one file. Every failed check throws a message that begins with the file's name.
class Reader {
public:
    explicit Reader(const std::filesystem::path& path) : path_(path) {}

    TensorFile read(Checksum checksum) {
        open();
        TensorFile content;
        std::vector<Entry> entries = parse_header(read_header(), content.metadata);
        check_names(entries);
        sort_by_offset(entries);
        summed_ = content.metadata.contains(checksum_key);
        if (summed_) sum_ = crc_of_header(entries, content.metadata);
        for (const Entry& entry : entries) content.tensors.push_back({entry.name, read_tensor(entry)});
        check(summed_ || checksum == Checksum::none, "has no checksum: its metadata lacks \"{}\"", checksum_key);
        if (summed_) check_sum(content);
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

    std::vector<Entry> parse_header(const std::string& header, Metadata& metadata) const {
        std::vector<Entry> entries;
        bool has_metadata = false;
        const auto take = [&](const std::string& name, const Json& value) {
            if (name != metadata_key) {
                entries.push_back(parse_entry(name, value));
                return;
            }
            check(!has_metadata, "its header has \"{}\" twice", metadata_key);
            has_metadata = true;
            parse_metadata(value, metadata);
        };
        HeaderParser parser(take, [this](const std::string& problem) { fail("{}", problem); });
        Json::sax_parse(header, &parser);
        return entries;
    }

    void parse_metadata(const Json& value, Metadata& metadata) const {
        check(value.is_object(), "its {} is not an object", metadata_key);
        for (const auto& [key, text] : value.items()) {
            check(text.is_string(), "\"{}\" in its {} is not a string", shortened(key), metadata_key);
            metadata[key] = text.template get<std::string>();
        }
    }

    /// Checks that no two tensors have the same name: TensorFile::at() would silently ignore the second one.
    void check_names(const std::vector<Entry>& entries) const {
        const std::vector<const Entry*> sorted = by_name(entries);
        const auto twice = std::ranges::adjacent_find(sorted, {}, [](const Entry* entry) { return entry->name; });
        if (twice != sorted.end()) fail("its header has \"{}\" twice", shortened((*twice)->name));
    }

    Entry parse_entry(const std::string& full_name, const Json& value) const {
        const std::string name = shortened(full_name);  // for messages
        Entry entry;
        entry.name = full_name;
        check(value.is_object(), "the entry of tensor \"{}\" is not an object", name);
        for (const char* const key : {"dtype", "shape", "data_offsets"})
            check(value.contains(key), "tensor \"{}\" has no {}", name, key);
        check(value.size() == 3, "tensor \"{}\" has more than dtype, shape and data_offsets", name);

        const Json& dtype = value["dtype"];
        const std::optional<Stored> known =
            dtype.is_string() ? stored_from(dtype.get_ref<const std::string&>()) : std::nullopt;
        check(known.has_value(),
              "tensor \"{}\" has dtype {}, expected \"F32\", \"F64\", \"F16\", \"BF16\", \"I32\", \"I64\" or \"U8\"",
              name, dtype.dump());
        entry.stored = *known;

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
              entry.stored.name, entry.shape.str(), bytes, entry.end - entry.begin);
        return entry;
    }

    /// Fills in entry.shape and returns the number of bytes that the tensor occupies in the file.
    std::uint64_t parse_shape(const std::string& name, const Json& shape, Entry& entry) const {
        check(shape.is_array(), "tensor \"{}\" has shape {}, expected a list", name, shape.dump());
        check(shape.size() <= Shape::max_rank, "tensor \"{}\" has {} dimensions, at most {} are supported", name,
              shape.size(), static_cast<int>(Shape::max_rank));
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
        std::vector<std::int64_t> extents;
        // The product skips extents of 0, so that strides cannot overflow either. It counts bytes of the type to which
        // the numbers are converted, which may be wider than the type in the file.
        const std::uint64_t widening = size_of(entry.stored.dtype) / entry.stored.bytes;
        std::uint64_t product = size_of(entry.stored.dtype);
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
        return none ? 0 : product / widening;
    }

    /// Sorts the entries by offset and checks that they fill the data without overlaps or gaps.
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

    void check_sum(TensorFile& content) const {
        const std::string found = fmt::format("{:08x}", sum_), expected = content.metadata.at(checksum_key);
        check(found == expected, "is damaged: its content has the checksum {}, it was written with {}", found,
              expected);
        content.metadata.erase(checksum_key);
    }

    Tensor read_tensor(const Entry& entry) {
        Tensor tensor = Tensor::empty(entry.shape, entry.stored.dtype, Device{});
        file_.seekg(static_cast<std::streamoff>(file_bytes_ - data_bytes_ + entry.begin));
        if (entry.stored.widen == nullptr) {
            read_data(tensor.raw(), entry.end - entry.begin);
            return tensor;
        }
        std::vector<std::uint16_t> narrow(static_cast<std::size_t>(tensor.numel()));
        read_data(narrow.data(), entry.end - entry.begin);
        std::transform(narrow.begin(), narrow.end(), tensor.data<float>(), entry.stored.widen);
        return tensor;
    }

    void read_data(void* target, std::uint64_t bytes) {
        read_bytes(target, bytes);
        if (summed_) sum_ = crc_on(sum_, target, bytes);
    }

    std::filesystem::path path_;
    std::ifstream file_;
    std::uint64_t file_bytes_ = 0, data_bytes_ = 0;
    bool summed_ = false;  ///< whether the file contains a checksum
    std::uint32_t sum_ = 0;
};

/// The header entries for the tensors of `content`.
std::vector<Entry> entries_of(const std::filesystem::path& path, const TensorFile& content) {
    std::vector<Entry> entries;
    std::unordered_set<std::string_view> names;
    std::uint64_t offset = 0;
    for (const auto& [name, tensor] : content.tensors) {
        const auto refuse = [&, &called = name](std::string_view why) {
            throw FileError(fmt::format("{}: cannot be written: tensor \"{}\" {}", path.string(), called, why));
        };
        if (!tensor.defined()) refuse("is undefined");
        if (name == metadata_key) refuse("has the name reserved for metadata");
        if (!names.insert(name).second) refuse("is given twice");
        const std::uint64_t end = offset + tensor.bytes();
        entries.push_back({name, stored_as(tensor.dtype()), tensor.shape(), offset, end});
        offset = end;
    }
    return entries;
}

std::string header_text(const std::vector<Entry>& entries, const Metadata& metadata) {
    std::string text;
    if (!metadata.empty()) text = fmt::format("{{{}:{}", quoted(metadata_key), Json(metadata).dump());
    for (const Entry& entry : entries) {
        text += text.empty() ? '{' : ',';
        text += fmt::format(R"({}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", quoted(entry.name),
                            entry.stored.code, fmt::join(entry.shape, ","), entry.begin, entry.end);
    }
    return text.empty() ? "{}" : text + '}';
}

/// The eight length bytes and the header, padded with spaces so that the tensors begin at a multiple of eight bytes.
std::string with_length(std::string text) {
    text.append((length_bytes - text.size() % length_bytes) % length_bytes, ' ');
    const std::uint64_t length = text.size();
    std::string bytes(length_bytes, '\0');
    std::memcpy(bytes.data(), &length, length_bytes);
    return bytes + text;
}

/// The number of NaNs and infinities, whose exponent bits (mask `exponent`) are all ones.
template <class T, class Bits>
std::int64_t not_finite(const Tensor& tensor, Bits exponent) {
    const T* const values = tensor.data<T>();
    const std::int64_t numbers = tensor.numel();
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < numbers; ++i) count += (std::bit_cast<Bits>(values[i]) & exponent) == exponent ? 1 : 0;
    return count;
}

std::int64_t not_finite(const Tensor& tensor) {
    if (tensor.dtype() == DType::float32) return not_finite<float>(tensor, std::uint32_t{0x7F800000});
    if (tensor.dtype() == DType::float64) return not_finite<double>(tensor, std::uint64_t{0x7FF0000000000000});
    return 0;
}

/// The position of the element with the row-major index `index`, as text such as "[1, 0, 2]".
std::string place_of(std::int64_t index, const Shape& shape) {
    std::vector<std::int64_t> place(static_cast<std::size_t>(shape.rank()));
    for (int d = shape.rank() - 1; d >= 0; index /= shape[d--]) place[static_cast<std::size_t>(d)] = index % shape[d];
    return fmt::format("[{}]", fmt::join(place, ", "));
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

TensorFile read_safetensors(const std::filesystem::path& path, Checksum checksum) {
    return Reader(path).read(checksum);
}

void check_finite(const TensorFile& file, const std::filesystem::path& path) {
    for (const auto& [name, tensor] : file.tensors) {
        const std::int64_t count = not_finite(tensor);
        if (count == 0) continue;
        const std::vector<double> values = tensor.to_vector<double>();
        const auto first = std::find_if_not(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
        throw FileError(fmt::format("{}: \"{}\" is {} at {}, and {} of its {} numbers are not finite", path.string(),
                                    name, *first, place_of(first - values.begin(), tensor.shape()), count,
                                    tensor.numel()));
    }
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& content, Checksum checksum) {
    const std::vector<Entry> entries = entries_of(path, content);
    std::vector<Tensor> kept;  // keeps the data alive until it has been written
    std::vector<std::span<const std::byte>> parts(1);
    for (const NamedTensor& entry : content.tensors) {
        const Tensor& plain = kept.emplace_back(entry.tensor.to(Device{}).to(Layout::row_major));
        parts.emplace_back(static_cast<const std::byte*>(plain.raw()), plain.bytes());
    }
    std::string beginning;
    try {
        Metadata metadata = content.metadata;
        if (checksum == Checksum::added) {
            std::uint32_t sum = crc_of_header(entries, metadata);
            for (const std::span<const std::byte> part : parts) sum = crc_on(sum, part.data(), part.size());
            metadata[checksum_key] = fmt::format("{:08x}", sum);
        }
        beginning = with_length(header_text(entries, metadata));
    } catch (const nlohmann::json::exception& error) {  // a name or text is not UTF-8
        throw FileError(fmt::format("{}: cannot be written: {}", path.string(), error.what()));
    }
    parts.front() = std::as_bytes(std::span(beginning));
    write_file(path, parts);
}

}  // namespace radial
