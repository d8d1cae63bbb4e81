// Tests of the safetensors reader and writer.
#include "../../catch.h"
#include "../../data/scratch.h"
#include "../../expect.h"
#include "../../folders.h"

#include "radial/core/io/safetensors.h"

#include <sys/resource.h>

#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstring>

using namespace radial;
using radial::test::content_of;
using radial::test::differences;
using radial::test::error_of;
using radial::test::Scratch;

namespace {

TensorFile small_content() {
    return {{{"weight", Tensor::from(std::vector<float>{0, 0.25, 0.5, 0.75, 1, 1.25}, {2, 3})},
             {"pixels", Tensor::from(std::vector<std::uint8_t>{0, 128, 255}, {3})},
             {"count", Tensor::from(std::vector<std::int64_t>{7}, {})}},
            {{"epoch", "3"}}};
}

/// A file with this header and `data_bytes` zeros after it.
std::string file_with(const std::string& header, std::size_t data_bytes = 0) {
    const std::uint64_t length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    return bytes + header + std::string(data_bytes, '\0');
}

/// The error of reading `bytes`, without the file's name.
std::string problem_with(const std::string& bytes) {
    const Scratch scratch;
    const auto path = scratch.write("x.safetensors", bytes);
    const std::string message = error_of<FileError>([&] { read_safetensors(path); });
    const std::string prefix = path.string() + ": ";
    return message.starts_with(prefix) ? message.substr(prefix.size()) : "(no file name) " + message;
}

std::string problem_with_entry(const std::string& dtype, const std::string& shape, const std::string& offsets,
                               std::size_t data_bytes = 8) {
    return problem_with(file_with(
        "{\"t\":{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}", data_bytes));
}

std::size_t files_in(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

/// During its lifetime, no file of this process can grow beyond `bytes`, as on a full disk.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;

private:
    rlimit before_{};
    void (*handler_)(int);
};

}  // namespace

TEST_CASE("What is written is read back: order, names, shapes, dtypes, values and metadata") {
    const Scratch scratch;
    const auto path = scratch.path() / "a.safetensors";
    TensorFile content = small_content();
    content.tensors.push_back({"none", Tensor::zeros({0, 4})});
    content.tensors.push_back({"wide \"☃\"", Tensor::from(std::vector<double>{1e300, -0.5}, {2, 1, 1})});
    content.tensors.push_back({"labels", Tensor::from(std::vector<std::int32_t>{-1, 2}, {2})});
    content.metadata["text"] = "line\n☃";
    write_safetensors(path, content);
    const TensorFile back = read_safetensors(path);
    CHECK(back.metadata == content.metadata);
    REQUIRE(back.tensors.size() == content.tensors.size());
    for (std::size_t i = 0; i < back.tensors.size(); ++i) {
        CHECK(back.tensors[i].name == content.tensors[i].name);
        CHECK(back.tensors[i].tensor.str() == content.tensors[i].tensor.str());
        CHECK(differences(back.tensors[i].tensor.to_vector<double>(), content.tensors[i].tensor.to_vector<double>()) ==
              "");
    }
}

TEST_CASE("An empty file content is written and read back", "[host]") {
    const Scratch scratch;
    write_safetensors(scratch.path() / "a", {});
    CHECK(content_of(scratch.path() / "a") == file_with("{}      "));
    CHECK(read_safetensors(scratch.path() / "a").tensors.empty());
}

TEST_CASE("The file is laid out byte for byte as the format says") {
    const Scratch scratch;
    write_safetensors(scratch.path() / "a",
                      {{{"t", Tensor::from(std::vector<std::uint8_t>{1, 2}, {2})}}, {{"k", "v"}}});
    const std::string header =
        "{\"__metadata__\":{\"k\":\"v\"},\"t\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}";
    const std::string padding((8 - header.size() % 8) % 8, ' ');
    CHECK(content_of(scratch.path() / "a") == file_with(header + padding) + "\x01\x02");
}

TEST_CASE("A channels_last tensor is written in row-major order") {
    const Scratch scratch;
    const Tensor plain = Tensor::from(std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {1, 3, 2, 2});
    write_safetensors(scratch.path() / "a", {{{"t", plain.to(Layout::channels_last)}}, {}});
    const Tensor back = read_safetensors(scratch.path() / "a").at("t");
    CHECK(back.layout() == Layout::row_major);
    CHECK(differences(back.to_vector<float>(), plain.to_vector<float>()) == "");
}

TEST_CASE("A view is written alone, without the rest of its storage") {
    const Scratch scratch;
    const Tensor whole = Tensor::from(std::vector<float>{0, 1, 2, 3, 4, 5}, {3, 2});
    write_safetensors(scratch.path() / "a", {{{"t", whole.rows(1, 2)}}, {}});
    CHECK(read_safetensors(scratch.path() / "a").at("t").to_vector<float>() == std::vector<float>{2, 3});
}

// The file was written by Python's safetensors 0.8.0:
//   save_file({"weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 4, "double": np.array([1e300, -0.5]),
//              "count": np.array(7, dtype=np.int64), "labels": np.array([-1, 2], dtype=np.int32),
//              "pixels": np.array([0, 128, 255], dtype=np.uint8), "none": np.zeros((0, 4), dtype=np.float32)},
//             "safetensors_python.safetensors", metadata={"made_by": "safetensors 0.8.0", "snowman": "☃"})
TEST_CASE("A file written by Python's safetensors is read") {
    const TensorFile file = read_safetensors(radial::test::test_folder() + "/golden/safetensors_python.safetensors");
    CHECK(file.metadata == std::map<std::string, std::string>{{"made_by", "safetensors 0.8.0"}, {"snowman", "☃"}});
    CHECK(file.tensors.size() == 6);
    CHECK(file.at("weight").str() == "float32[2, 3]");
    CHECK(file.at("weight").to_vector<float>() == std::vector<float>{0, 0.25, 0.5, 0.75, 1, 1.25});
    CHECK(file.at("double").to_vector<double>() == std::vector<double>{1e300, -0.5});
    CHECK(file.at("count").str() == "int64[]");
    CHECK(file.at("count").item() == 7);
    CHECK(file.at("labels").to_vector<std::int32_t>() == std::vector<std::int32_t>{-1, 2});
    CHECK(file.at("pixels").to_vector<std::uint8_t>() == std::vector<std::uint8_t>{0, 128, 255});
    CHECK(file.at("none").str() == "float32[0, 4]");
}

TEST_CASE("A tensor is looked up by its name") {
    const TensorFile content = small_content();
    CHECK(content.contains("weight"));
    CHECK_FALSE(content.contains("bias"));
    CHECK(content.at("count").item() == 7);
    CHECK(error_of([&] { content.at("bias"); }) == "there is no tensor \"bias\" among the file's 3");
}

TEST_CASE("A file cut at any byte is refused", "[host]") {
    const Scratch scratch;
    write_safetensors(scratch.path() / "whole", small_content());
    const std::string whole = content_of(scratch.path() / "whole");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        const std::string problem = problem_with(whole.substr(0, length));
        CHECK(problem.find("cut short") != std::string::npos);
    }
    CHECK(problem_with(whole) == "(no file name) (no error was thrown)");
}

TEST_CASE("A file that is cut short says where", "[host]") {
    CHECK(problem_with("") == "is cut short: 0 bytes, and the header's length alone takes 8");
    CHECK(problem_with(file_with("{}").substr(0, 9)) == "is cut short: a header of 2 bytes is announced, 1 follow");
    CHECK(problem_with_entry("\"F32\"", "[2]", "[0,8]", 7) ==
          "tensor \"t\" lies at bytes [0, 8) of 7: the file is cut short or its header wrong");
}

TEST_CASE("A file longer than its header says is refused", "[host]") {
    CHECK(problem_with_entry("\"F32\"", "[2]", "[0,8]", 11) == "is 3 bytes longer than its header says");
    CHECK(problem_with(file_with("{}", 1)) == "is 1 bytes longer than its header says");
}

TEST_CASE("A file that is missing or not a file is refused", "[host]") {
    const Scratch scratch;
    const std::string folder = scratch.path().string();
    CHECK(error_of<FileError>([&] { read_safetensors(folder + "/none"); }) ==
          folder + "/none: cannot be read: No such file or directory");
    CHECK(error_of<FileError>([&] { read_safetensors(folder); }) ==
          folder + ": cannot be read: it is not a regular file");
}

TEST_CASE("A header that is not a JSON object is refused", "[host]") {
    CHECK(problem_with(std::string(8, '\xff') + "{}") ==
          "is not a safetensors file: a header of 18446744073709551615 bytes, at most 100000000 are allowed");
    CHECK(problem_with(file_with("[]")) == "is not a safetensors file: its header does not begin with '{'");
    CHECK(problem_with(file_with("")) == "is not a safetensors file: its header does not begin with '{'");
    CHECK(problem_with(file_with("{\"a\"")).starts_with("its header is not JSON: "));
    CHECK(problem_with(file_with("{} {}")).starts_with("its header is not JSON: "));
    CHECK(problem_with(file_with("{\"a\":[[[1]]]}")) == "its header is nested too deeply");
    CHECK(problem_with(file_with("{\"a\":" + std::string(100'000, '['))) == "its header is nested too deeply");
}

TEST_CASE("A name given twice is refused", "[host]") {
    const std::string entry = "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
    CHECK(problem_with(file_with("{" + entry + "," + entry + "}")) == "its header has \"a\" twice");
    CHECK(problem_with(file_with("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"F32\"}}")) == "its header has \"dtype\" twice");
}

TEST_CASE("A file of very many tensors is written and read", "[host]") {
    const Scratch scratch;
    TensorFile content;
    constexpr int count = 100'000;
    for (int i = 0; i < count; ++i)
        content.tensors.push_back({"t" + std::to_string(i), Tensor::zeros({0}, DType::uint8, Device{})});
    write_safetensors(scratch.path() / "a", content, Checksum::added);
    const TensorFile back = read_safetensors(scratch.path() / "a", Checksum::added);
    REQUIRE(back.tensors.size() == count);
    CHECK(back.tensors.back().name == "t99999");
}

TEST_CASE("An entry of very many values is refused", "[host]") {
    std::string shape = "0";
    for (int i = 0; i < 100'000; ++i) shape += ",0";
    CHECK(problem_with_entry("\"U8\"", "[" + shape + "]", "[0,0]", 0) ==
          "the entry of tensor \"t\" holds more than 64 values");
    std::string texts = "\"a\":\"\"";
    for (int i = 0; i < 10'000; ++i) texts += ",\"a" + std::to_string(i) + "\":\"\"";
    CHECK(problem_with(file_with("{\"__metadata__\":{" + texts + "}}")) ==
          "its __metadata__ holds more than 10000 texts");
}

TEST_CASE("A name of very many bytes is cut short in messages", "[host]") {
    const std::string name(1'000'000, 'n');
    CHECK(problem_with(file_with("{\"" + name + "\":1}")) ==
          "the entry of tensor \"" + std::string(120, 'n') + "... (1000000 bytes)\" is not an object");
}

TEST_CASE("A checksum is of what the header says, however it is spelled", "[host]") {
    // The first header is from the first version that wrote checksums; the second has other spaces, escapes and order.
    const std::string plain =
        R"({"__metadata__":{"k":"v","radial.crc32":"SUM"},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
        R"("a":{"dtype":"I32","shape":[],"data_offsets":[2,6]}})";
    const std::string other =
        R"({"b": {"shape": [2], "dtype": "\u00558", "data_offsets": [0, 2]}, "\u0061": {"dtype": "I32", "shape": [],)"
        R"("data_offsets": [2, 6]}, "__metadata__": {"radial.crc32": "SUM", "k": "v"}})";
    const Scratch scratch;
    for (std::string header : {plain, other}) {
        header.replace(header.find("SUM"), 3, "6f46b779");
        const auto path = scratch.write("a", file_with(header) + std::string("\1\2\3\0\0\0", 6));
        const TensorFile file = read_safetensors(path, Checksum::added);
        CHECK(file.at("a").item() == 3);
        CHECK(file.metadata == std::map<std::string, std::string>{{"k", "v"}});
    }
}

TEST_CASE("A file without a checksum is refused where it must have one", "[host]") {
    const Scratch scratch;
    const auto path = scratch.path() / "a";
    write_safetensors(path, small_content());
    CHECK(error_of<FileError>([&] { read_safetensors(path, Checksum::added); }) ==
          path.string() + ": has no checksum: its metadata lacks \"radial.crc32\"");
    write_safetensors(path, small_content(), Checksum::added);
    CHECK(read_safetensors(path, Checksum::added).tensors.size() == 3);
}

TEST_CASE("Metadata that is not text is refused", "[host]") {
    CHECK(problem_with(file_with("{\"__metadata__\":[]}")) == "its __metadata__ is not an object");
    CHECK(problem_with(file_with("{\"__metadata__\":{\"a\":1}}")) == "\"a\" in its __metadata__ is not a string");
}

TEST_CASE("An entry that is incomplete or overfull is refused", "[host]") {
    CHECK(problem_with(file_with("{\"t\":1}")) == "the entry of tensor \"t\" is not an object");
    CHECK(problem_with(file_with("{\"t\":{}}")) == "tensor \"t\" has no dtype");
    CHECK(problem_with(file_with("{\"t\":{\"dtype\":\"U8\"}}")) == "tensor \"t\" has no shape");
    CHECK(problem_with(file_with("{\"t\":{\"dtype\":\"U8\",\"shape\":[]}}")) == "tensor \"t\" has no data_offsets");
    CHECK(problem_with_entry("\"U8\"", "[8]", "[0,8],\"more\":1") ==
          "tensor \"t\" has more than dtype, shape and data_offsets");
}

TEST_CASE("A dtype that Radial lacks is refused", "[host]") {
    const std::string expected = "expected \"F32\", \"F64\", \"F16\", \"BF16\", \"I32\", \"I64\" or \"U8\"";
    CHECK(problem_with_entry("\"BOOL\"", "[8]", "[0,8]") == "tensor \"t\" has dtype \"BOOL\", " + expected);
    CHECK(problem_with_entry("4", "[4]", "[0,8]") == "tensor \"t\" has dtype 4, " + expected);
}

namespace {

/// The values of a file with one tensor of 16-bit numbers.
std::vector<float> read_narrow(const std::string& dtype, const std::vector<std::uint16_t>& bits) {
    const Scratch scratch;
    std::string bytes = file_with(fmt::format(R"({{"t":{{"dtype":"{}","shape":[{}],"data_offsets":[0,{}]}}}})", dtype,
                                              bits.size(), 2 * bits.size()));
    bytes.append(reinterpret_cast<const char*>(bits.data()), 2 * bits.size());
    const TensorFile file = read_safetensors(scratch.write("x.safetensors", bytes));
    CHECK(file.at("t").dtype() == DType::float32);
    return file.at("t").to_vector<float>();
}

}  // namespace

TEST_CASE("Numbers of 16 bits are read as float32, every one exactly", "[host]") {
    // 1, -2, the largest number, the smallest above 0, the largest subnormal with a minus sign, the two zeros, the
    // number nearest to 1 / 3, the infinities and a NaN.
    const std::vector<float> half =
        read_narrow("F16", {0x3C00, 0xC000, 0x7BFF, 0x0001, 0x83FF, 0x0000, 0x8000, 0x3555, 0x7C00, 0xFC00, 0x7E00});
    CHECK(std::vector(half.begin(), half.begin() + 8) ==
          std::vector<float>{1, -2, 65504, 0x1p-24F, -0x1.FF8p-15F, 0, 0, 0x1.554p-2F});
    CHECK(std::signbit(half[6]));
    CHECK(half[8] == INFINITY);
    CHECK(half[9] == -INFINITY);
    CHECK(std::isnan(half[10]));
    const std::vector<float> brain = read_narrow("BF16", {0x3F80, 0xC040, 0x0001, 0x7F7F, 0xFF80, 0x7FC0});
    CHECK(std::vector(brain.begin(), brain.begin() + 5) ==
          std::vector<float>{1, -3, 0x1p-133F, 0x1.FEp127F, -INFINITY});
    CHECK(std::isnan(brain[5]));
}

TEST_CASE("A tensor of 16-bit numbers that takes other bytes than its shape says is refused", "[host]") {
    CHECK(problem_with_entry("\"F16\"", "[2]", "[0,8]") == "tensor \"t\" is float16[2], which takes 4 bytes, not 8");
    CHECK(problem_with_entry("\"BF16\"", "[5]", "[0,8]") == "tensor \"t\" is bfloat16[5], which takes 10 bytes, not 8");
}

TEST_CASE("A NaN or an infinity in a file is found by name and place", "[host]") {
    const auto problem = [](const Tensor& tensor) {
        return error_of<FileError>([&] {
            check_finite({{{"fine", Tensor::full({3}, 1)}, {"t", tensor}, {"later", Tensor::full({1}, NAN)}}, {}}, "x");
        });
    };
    CHECK(problem(Tensor::from<float>({1, 2, 3, 4, NAN, INFINITY}, {2, 3})) ==
          "x: \"t\" is nan at [1, 1], and 2 of its 6 numbers are not finite");
    CHECK(problem(Tensor::from<double>({-INFINITY}, {})) ==
          "x: \"t\" is -inf at [], and 1 of its 1 numbers are not finite");
    CHECK(problem(Tensor::from<std::int64_t>({1}, {1})) ==
          "x: \"later\" is nan at [0], and 1 of its 1 numbers are not finite");
    check_finite({{{"large", Tensor::full({2}, 3e38)}, {"none", Tensor::zeros({0})}}, {}}, "x");
}

TEST_CASE("A shape that cannot be is refused", "[host]") {
    CHECK(problem_with_entry("\"U8\"", "8", "[0,8]") == "tensor \"t\" has shape 8, expected a list");
    for (const std::string shape : {"[-8]", "[8.0]", "[\"8\"]", "[null]", "[99999999999999999999]"}) {
        CAPTURE(shape);
        CHECK(problem_with_entry("\"U8\"", shape, "[0,8]").find(", expected integers >= 0") != std::string::npos);
    }
    CHECK(problem_with_entry("\"U8\"", "[1,1,1,1,1,1,8]", "[0,8]") ==
          "tensor \"t\" has 7 dimensions, at most 6 are supported");
    CHECK(problem_with_entry("\"F32\"", "[4294967296,4294967296]", "[0,8]") ==
          "tensor \"t\" has shape [4294967296,4294967296], which is too large");
    CHECK(problem_with_entry("\"F32\"", "[0,4294967296,4294967296]", "[0,0]", 0) ==
          "tensor \"t\" has shape [0,4294967296,4294967296], which is too large");
    CHECK(problem_with_entry("\"U8\"", "[18446744073709551615]", "[0,8]") ==
          "tensor \"t\" has shape [18446744073709551615], which is too large");
}

TEST_CASE("Offsets that are no range, or no range of the right size, are refused", "[host]") {
    for (const std::string offsets : {"[0]", "[0,8,8]", "[-1,7]", "[0.5,8]", "{}", "8"}) {
        CAPTURE(offsets);
        CHECK(problem_with_entry("\"U8\"", "[8]", offsets).find(", expected [begin, end]") != std::string::npos);
    }
    CHECK(problem_with_entry("\"U8\"", "[8]", "[8,0]") ==
          "tensor \"t\" lies at bytes [8, 0) of 8: the file is cut short or its header wrong");
    CHECK(problem_with_entry("\"F32\"", "[3]", "[0,8]") == "tensor \"t\" is float32[3], which takes 12 bytes, not 8");
}

TEST_CASE("Tensors that overlap or leave gaps are refused", "[host]") {
    const auto two = [](const std::string& a, const std::string& b) {
        const auto entry = [](const std::string& offsets) {
            return "{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":" + offsets + "}";
        };
        return problem_with(file_with("{\"a\":" + entry(a) + ",\"b\":" + entry(b) + "}", 10));
    };
    CHECK(two("[0,4]", "[3,7]") == "tensor \"b\" begins at byte 3, inside the one before, which ends at 4");
    CHECK(two("[6,10]", "[0,4]") == "bytes [4, 6) before tensor \"a\" belong to no tensor");
    CHECK(two("[2,6]", "[6,10]") == "bytes [0, 2) before tensor \"a\" belong to no tensor");
    CHECK(two("[0,4]", "[4,8]") == "is 2 bytes longer than its header says");
}

TEST_CASE("What cannot be stored is refused before anything is written") {
    const Scratch scratch;
    const auto path = scratch.path() / "a";
    const Tensor x = Tensor::zeros({1});
    const auto refused = [&](const std::vector<NamedTensor>& tensors) {
        return error_of<FileError>([&] { write_safetensors(path, {tensors, {}}); });
    };
    const std::string prefix = path.string() + ": cannot be written: ";
    CHECK(refused({{"a", x}, {"a", x}}) == prefix + "tensor \"a\" is given twice");
    CHECK(refused({{"a", {}}}) == prefix + "tensor \"a\" is undefined");
    CHECK(refused({{"__metadata__", x}}) == prefix + "tensor \"__metadata__\" has the name reserved for metadata");
    CHECK(refused({{"\xff", x}}).starts_with(prefix));
    CHECK(files_in(scratch.path()) == 0);
}

TEST_CASE("Writing replaces an older file and leaves nothing beside it") {
    const Scratch scratch;
    const auto path = scratch.write("a", "old");
    write_safetensors(path, small_content());
    CHECK(read_safetensors(path).tensors.size() == 3);
    CHECK(files_in(scratch.path()) == 1);
}

TEST_CASE("A disk that fills up leaves the older file as it was") {
    const Scratch scratch;
    const auto path = scratch.write("a", "old");
    std::string message;
    {
        const FileSizeLimit limit(1000);
        message = error_of<FileError>([&] { write_safetensors(path, {{{"t", Tensor::zeros({1000})}}, {}}); });
    }
    CHECK(message == path.string() + ": cannot be written: File too large");
    CHECK(content_of(path) == "old");
    CHECK(files_in(scratch.path()) == 1);
}

TEST_CASE("A folder that is missing, or in the file's place, is an error that leaves nothing behind", "[host]") {
    const Scratch scratch;
    const auto missing = scratch.path() / "none" / "a", taken = scratch.path() / "taken";
    CHECK(error_of<FileError>([&] { write_safetensors(missing, small_content()); }) ==
          missing.string() + ": cannot be written: No such file or directory");
    std::filesystem::create_directory(taken);
    CHECK(error_of<FileError>([&] { write_safetensors(taken, small_content()); }) ==
          taken.string() + ": cannot be written: Is a directory");
    CHECK(files_in(scratch.path()) == 1);
}
