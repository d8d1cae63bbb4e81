// Tests of IDX files: reading, and the exact errors for malformed files.
#include "radial/data/idx.h"

#include "../catch.h"
#include "../expect.h"
#include "archives.h"

#include <cstdlib>
#include <iostream>

using namespace radial;
using namespace radial::data;
using namespace radial::test;
namespace fs = std::filesystem;
using namespace std::string_literals;

namespace {

/// An IDX file with elements of type unsigned byte.
std::string idx(const std::vector<std::uint32_t>& extents, const std::string& data) {
    std::string bytes = {0, 0, 8, static_cast<char>(extents.size())};
    for (const std::uint32_t extent : extents) {
        for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(extent >> shift & 255U);
    }
    return bytes + data;
}

/// The error message of read_idx for a file with these bytes, without the path and ": ".
std::string complaint(const std::string& bytes) {
    const Scratch scratch;
    const fs::path path = scratch.write("file", bytes);
    const std::string message = error_of<FileError>([&] { read_idx(path); });
    return message.starts_with(path.string() + ": ") ? message.substr(path.string().size() + 2) : message;
}

/// A folder in MNIST's format: two training images of 2 x 3 and their labels.
struct MnistFolder {
    Scratch scratch;
    fs::path folder = scratch.path() / "digits";
    const std::string pixels = "\x00\x01\x02\x03\x04\x05\xff\xfe\xfd\xfc\xfb\xfa"s;

    void write(const std::string& images_name, const std::string& images, const std::string& labels_name,
               const std::string& labels) const {
        scratch.write("digits/" + images_name, images);
        scratch.write("digits/" + labels_name, labels);
    }
    std::string error() const {
        return error_of<FileError>([&] { read_mnist(folder, true); });
    }
};

/// The folder RADIAL_DATA. If it is not set, returns null and prints that tests are skipped.
const char* real_data() {
    const char* const folder = std::getenv("RADIAL_DATA");
    if (folder == nullptr) std::cout << "RADIAL_DATA is not set: tests on real MNIST skipped\n";
    return folder;
}

}  // namespace

TEST_CASE("an IDX file becomes a tensor of its bytes", "[host][data][idx]") {
    const Scratch scratch;
    const Tensor x = read_idx(scratch.write("x", idx({2, 3}, "\x00\x01\x02\x7f\x80\xff"s)));
    CHECK(x.str() == "uint8[2, 3]");
    CHECK(x.to_vector<int>() == std::vector<int>{0, 1, 2, 127, 128, 255});
}

TEST_CASE("a gzipped IDX file is known by its content, not its name", "[host][data][idx]") {
    const Scratch scratch;
    const Tensor x = read_idx(scratch.write("x", gzipped(idx({3}, "abc"))));
    CHECK(x.str() == "uint8[3]");
    CHECK(x.to_vector<int>() == std::vector<int>{'a', 'b', 'c'});
}

TEST_CASE("a gzipped IDX file larger than the first buffer is read whole", "[host][data][idx]") {
    std::string data(3'000'001, '\0');
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 2654435761U >> 13U);
    const Scratch scratch;
    const Tensor x = read_idx(scratch.write("x", gzipped(idx({3'000'001}, data))));
    const auto values = x.values<std::uint8_t>();
    REQUIRE(values.size() == data.size());
    CHECK(std::equal(values.begin(), values.end(), reinterpret_cast<const std::uint8_t*>(data.data())));
}

TEST_CASE("an IDX file of no elements is an empty tensor", "[host][data][idx]") {
    const Scratch scratch;
    CHECK(read_idx(scratch.write("x", idx({0, 28, 28}, ""))).str() == "uint8[0, 28, 28]");
}

TEST_CASE("a missing IDX file is named", "[host][data][idx]") {
    CHECK(error_of<FileError>([] { read_idx("/nowhere/x"); }) == "/nowhere/x: no such file");
}

TEST_CASE("a folder is no IDX file", "[host][data][idx]") {
    const Scratch scratch;
    CHECK(error_of<FileError>([&] { read_idx(scratch.path()); }) == scratch.path().string() + ": not a regular file");
}

TEST_CASE("an empty IDX file is an error", "[host][data][idx]") {
    CHECK(complaint("") == "empty file, expected an IDX header");
}

TEST_CASE("an IDX header cut at any byte is an error", "[host][data][idx]") {
    const std::string whole = idx({1, 1}, "x");
    for (std::size_t size = 1; size < 4; ++size) {
        CHECK(complaint(whole.substr(0, size)) ==
              "truncated IDX header: " + std::to_string(size) + " bytes, expected at least 8");
    }
    for (std::size_t size = 4; size < 12; ++size) {
        CHECK(complaint(whole.substr(0, size)) ==
              "truncated IDX header: " + std::to_string(size) + " bytes, expected 12");
    }
    CHECK(complaint(whole.substr(0, 12)) == "truncated: 0 bytes of data, expected 1 for shape [1, 1]");
}

TEST_CASE("a file with another magic is not IDX", "[host][data][idx]") {
    CHECK(complaint("\x89PNG\r\n\x1a\n") ==
          "not an IDX file: its first bytes are 89 50 4e 47, expected 00 00 08 and the rank");
    CHECK(complaint("\x00\x01\x08\x01____"s) ==
          "not an IDX file: its first bytes are 00 01 08 01, expected 00 00 08 and the rank");
}

TEST_CASE("IDX elements other than unsigned bytes are named", "[host][data][idx]") {
    CHECK(complaint("\x00\x00\x0d\x01\x00\x00\x00\x01____"s) ==
          "IDX element type is 0x0d (float32), expected 0x08 (unsigned byte)");
    CHECK(complaint("\x00\x00\x0c\x01\x00\x00\x00\x01____"s) ==
          "IDX element type is 0x0c (int32), expected 0x08 (unsigned byte)");
    CHECK(complaint("\x00\x00\x42\x01\x00\x00\x00\x01____"s) ==
          "IDX element type is 0x42 (unknown), expected 0x08 (unsigned byte)");
}

TEST_CASE("an IDX rank that no tensor has is an error", "[host][data][idx]") {
    CHECK(complaint("\x00\x00\x08\x00____"s) == "IDX rank is 0, expected 1 to 6");
    CHECK(complaint(idx({1, 1, 1, 1, 1, 1, 1}, "x")) == "IDX rank is 7, expected 1 to 6");
}

TEST_CASE("an IDX file shorter than its header says is an error", "[host][data][idx]") {
    CHECK(complaint(idx({2, 3}, "12345")) == "truncated: 5 bytes of data, expected 6 for shape [2, 3]");
    CHECK(complaint(gzipped(idx({2, 3}, "12345"))) == "truncated: 5 bytes of data, expected 6 for shape [2, 3]");
}

TEST_CASE("an IDX file longer than its header says is an error", "[host][data][idx]") {
    CHECK(complaint(idx({2, 3}, "1234567")) == "too long: more than the 6 bytes of data of shape [2, 3]");
    CHECK(complaint(gzipped(idx({2, 3}, "1234567"))) == "too long: more than the 6 bytes of data of shape [2, 3]");
}

TEST_CASE("an IDX header that claims terabytes is refused before any memory is taken", "[host][data][idx]") {
    const std::string huge = idx({1U << 31U, 1U << 15U}, "123");
    const std::string expected = "truncated: 3 bytes of data, expected 70368744177664 for shape [2147483648, 32768]";
    CHECK(complaint(huge) == expected);
    CHECK(complaint(gzipped(huge)) == expected);
}

TEST_CASE("IDX extents whose product overflows are an error, a zero among them or not", "[host][data][idx]") {
    const std::uint32_t most = 0xffffffff;
    CHECK(complaint(idx({most, most, most}, "123")) == "IDX shape [4294967295, 4294967295, 4294967295] is too large");
    CHECK(complaint(idx({most, most, most, 0}, "")) ==
          "IDX shape [4294967295, 4294967295, 4294967295, 0] is too large");
}

TEST_CASE("a gzip stream cut short is an error", "[host][data][idx]") {
    const std::string whole = gzipped(idx({2, 3}, "123456"));
    for (const std::size_t size : {whole.size() / 2, whole.size() - 9, whole.size() - 1}) {
        CHECK(complaint(whole.substr(0, size)) == "truncated gzip stream");
    }
}

TEST_CASE("a damaged gzip stream is an error with zlib's words", "[host][data][idx]") {
    std::string bytes = gzipped(idx({2, 3}, "123456"));
    bytes[bytes.size() - 6] ^= 1;  // one byte of the checksum
    CHECK(complaint(bytes) == "corrupt gzip stream: incorrect data check");
}

TEST_CASE_METHOD(MnistFolder, "read_mnist gives images of one channel, labels and ten names", "[host][data][idx]") {
    write("train-images-idx3-ubyte", idx({2, 2, 3}, pixels), "train-labels-idx1-ubyte", idx({2}, "\x09\x00"s));
    const ImageSet set = read_mnist(folder, true);
    CHECK(set.images.str() == "uint8[2, 1, 2, 3]");
    CHECK(set.images.to_vector<int>() == std::vector<int>{0, 1, 2, 3, 4, 5, 255, 254, 253, 252, 251, 250});
    CHECK(set.labels.str() == "int64[2]");
    CHECK(set.labels.to_vector<int>() == std::vector<int>{9, 0});
    CHECK(set.class_names == std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

TEST_CASE_METHOD(MnistFolder, "read_mnist takes dots or dashes, gzipped or not, train or t10k", "[host][data][idx]") {
    const std::string images = idx({2, 2, 3}, pixels), labels = idx({2}, "\x01\x02"s);
    write("t10k-images.idx3-ubyte", images, "t10k-labels-idx1-ubyte.gz", gzipped(labels));
    CHECK(read_mnist(folder, false).size() == 2);
    write("train-images-idx3-ubyte.gz", gzipped(images), "train-labels.idx1-ubyte.gz", gzipped(labels));
    CHECK(read_mnist(folder, true).size() == 2);
}

TEST_CASE("a folder called after Fashion-MNIST has its class names, one below it has not", "[host][data][idx]") {
    const Scratch scratch;
    const auto names_in = [&](const std::string& folder) {
        scratch.write(folder + "/t10k-images-idx3-ubyte", idx({1, 1, 1}, "x"));
        scratch.write(folder + "/t10k-labels-idx1-ubyte", idx({1}, "\x09"));
        return read_mnist(scratch.path() / folder, false).class_names;
    };
    for (const std::string folder : {"Fashion-MNIST", "old/my_fashion/"}) {
        const std::vector<std::string> names = names_in(folder);
        REQUIRE(names.size() == 10);
        CHECK(names.front() == "T-shirt/top");
        CHECK(names.back() == "Ankle boot");
    }
    CHECK(names_in("fashion/mnist").back() == "9");
    CHECK(names_in("fashion/mnist/.").back() == "9");
}

TEST_CASE("the labels of MNIST and of Fashion-MNIST tell which it is, whatever the folder is called",
          "[host][data][idx][real]") {
    const Scratch scratch;
    if (const char* const data = real_data(); data != nullptr) {
        fs::create_symlink(fs::path(data) / "mnist", scratch.path() / "fashion");
        CHECK(read_mnist(scratch.path() / "fashion", false).class_names.back() == "9");
    }
    const fs::path clothes = "/usr/share/datasets/fashion-mnist";  // Debian's dataset-fashion-mnist
    if (!fs::exists(clothes)) return;
    fs::create_symlink(clothes, scratch.path() / "mnist");
    for (const bool train : {false, true})
        CHECK(read_mnist(scratch.path() / "mnist", train).class_names.back() == "Ankle boot");
}

TEST_CASE_METHOD(MnistFolder, "a folder that is not there is named", "[host][data][idx]") {
    CHECK(error() == folder.string() + ": no such folder");
}

TEST_CASE_METHOD(MnistFolder, "a missing file is named with its folder", "[host][data][idx]") {
    scratch.write("digits/train-images-idx3-ubyte", idx({2, 2, 3}, pixels));
    CHECK(error() == folder.string() +
                         ": no train-labels-idx1-ubyte in this folder (nor train-labels-idx1-ubyte.gz, "
                         "train-labels.idx1-ubyte, train-labels.idx1-ubyte.gz)");
}

TEST_CASE_METHOD(MnistFolder, "numbers of images and labels that differ are an error", "[host][data][idx]") {
    write("train-images-idx3-ubyte", idx({2, 2, 3}, pixels), "train-labels-idx1-ubyte.gz", idx({3}, "\x01\x02\x03"));
    CHECK(error() ==
          folder.string() + ": 2 images in train-images-idx3-ubyte but 3 labels in train-labels-idx1-ubyte.gz");
}

TEST_CASE_METHOD(MnistFolder, "a label out of range is named with its place", "[host][data][idx]") {
    write("train-images-idx3-ubyte", idx({2, 2, 3}, pixels), "train-labels-idx1-ubyte", idx({2}, "\x01\x0a"));
    CHECK(error() == (folder / "train-labels-idx1-ubyte").string() + ": label 1 is 10, expected 0 to 9");
}

TEST_CASE_METHOD(MnistFolder, "images and labels of the wrong rank, or none, are errors", "[host][data][idx]") {
    const std::string labels = idx({2}, "\x01\x02");
    write("train-images-idx3-ubyte", idx({12}, pixels), "train-labels-idx1-ubyte", labels);
    CHECK(error() ==
          (folder / "train-images-idx3-ubyte").string() + ": images have shape [12], expected [N, rows, columns]");
    write("train-images-idx3-ubyte", idx({0, 2, 3}, ""), "train-labels-idx1-ubyte", idx({0}, ""));
    CHECK(error() ==
          (folder / "train-images-idx3-ubyte").string() + ": images have shape [0, 2, 3], expected at least one pixel");
    write("train-images-idx3-ubyte", idx({2, 2, 3}, pixels), "train-labels-idx1-ubyte", idx({2, 1}, "\x01\x02"));
    CHECK(error() == (folder / "train-labels-idx1-ubyte").string() + ": labels have shape [2, 1], expected [N]");
}

TEST_CASE_METHOD(MnistFolder, "the first samples of a data set share its storage", "[host][data][idx]") {
    write("train-images-idx3-ubyte", idx({2, 2, 3}, pixels), "train-labels-idx1-ubyte", idx({2}, "\x09\x00"s));
    const ImageSet set = read_mnist(folder, true), first = set.first(1);
    CHECK(first.images.str() == "uint8[1, 1, 2, 3]");
    CHECK(first.images.raw() == set.images.raw());
    CHECK(first.labels.to_vector<int>() == std::vector<int>{9});
    CHECK(first.class_names == set.class_names);
    CHECK(set.first(2).size() == 2);
    CHECK(error_of([&] { set.first(3); }) == "Dataset: first 3 samples asked for, expected 0 to 2");
    CHECK(error_of([&] { set.first(-1); }) == "Dataset: first -1 samples asked for, expected 0 to 2");
}

TEST_CASE("real MNIST has 60,000 and 10,000 digits and begins with 5, 0, 4, 1, 9", "[host][data][idx][real]") {
    const char* const data = real_data();
    if (data == nullptr) return;
    const ImageSet train = read_mnist(fs::path(data) / "mnist", true),
                   test = read_mnist(fs::path(data) / "mnist", false);
    CHECK(train.images.str() == "uint8[60000, 1, 28, 28]");
    CHECK(test.images.str() == "uint8[10000, 1, 28, 28]");
    CHECK(train.first(5).labels.to_vector<int>() == std::vector<int>{5, 0, 4, 1, 9});
    CHECK(test.first(5).labels.to_vector<int>() == std::vector<int>{7, 2, 1, 0, 4});
    // The mean that is commonly used to normalise MNIST's training images.
    double sum = 0;
    for (const std::uint8_t byte : train.images.values<std::uint8_t>()) sum += byte;
    CHECK(sum / 255 / static_cast<double>(train.images.numel()) == Approx(0.1307).margin(5e-5));
}
