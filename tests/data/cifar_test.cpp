// Tests of CIFAR: reading from folders and archives, and the exact errors for malformed files.
#include "radial/data/cifar.h"

#include "../catch.h"
#include "../expect.h"
#include "archives.h"

#include <cstdlib>
#include <iostream>
#include <optional>

using namespace radial;
using namespace radial::data;
using namespace radial::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t pixels = 3072;

/// A record: the label bytes, followed by pixels whose values count up from the last label.
std::string record(const std::string& labels) {
    std::string bytes = labels;
    for (std::size_t i = 0; i < pixels; ++i) bytes += static_cast<char>(i + static_cast<unsigned char>(labels.back()));
    return bytes;
}

std::string names(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += fmt::format("class {}\n", i);
    return text;
}

using Files = std::vector<std::pair<std::string, std::string>>;

/// A small CIFAR-10: training images of classes 1 to 5 and 9, a test image of class 7.
Files cifar10_files() {
    Files files{{"batches.meta.txt", names(10) + "\n"}, {"test_batch.bin", record("\7")}};
    for (char batch = 1; batch <= 5; ++batch)
        files.emplace_back(fmt::format("data_batch_{}.bin", static_cast<int>(batch)), record({batch}));
    files.back().second += record("\11");
    return files;
}

Files cifar100_files() {
    return {{"fine_label_names.txt", names(100)},
            {"coarse_label_names.txt", names(20)},
            {"train.bin", record("\x13\x63") + record(std::string("\0\1", 2))},
            {"test.bin", record("\4\5")}};
}

/// Writes `files` to a folder.
void write(const Scratch& scratch, const Files& files, const std::string& folder = "set") {
    for (const auto& [name, bytes] : files) scratch.write(fmt::format("{}/{}", folder, name), bytes);
}

/// `files` in an archive with the publisher's layout.
std::string packed(const Files& files, const std::string& folder) {
    std::string tar = tar_member(folder + "/", "", '5');
    for (const auto& [name, bytes] : files) tar += tar_member(fmt::format("{}/{}", folder, name), bytes);
    return gzipped(tar + tar_end());
}

/// The error message for CIFAR-10 with one file replaced, without the folder and "/".
std::string complaint10(const std::string& name, const std::string& bytes) {
    const Scratch scratch;
    write(scratch, cifar10_files());
    scratch.write("set/" + name, bytes);
    const std::string message = error_of<FileError>([&] { read_cifar10(scratch.path() / "set", true); });
    return message.substr(std::min(message.size(), message.find("/set/") + 5));
}

/// Like complaint10(), for CIFAR-100.
std::string complaint100(const std::string& name, const std::string& bytes) {
    const Scratch scratch;
    write(scratch, cifar100_files());
    scratch.write("set/" + name, bytes);
    const std::string message = error_of<FileError>([&] { read_cifar100(scratch.path() / "set", true); });
    return message.substr(std::min(message.size(), message.find("/set/") + 5));
}

/// The folder of the data set under RADIAL_DATA. If it does not exist, returns nothing and prints that the test is
/// skipped.
std::optional<fs::path> real_data(const std::string& set) {
    const char* const folder = std::getenv("RADIAL_DATA");
    if (folder != nullptr && fs::exists(fs::path(folder) / set)) return fs::path(folder) / set;
    std::cout << (folder == nullptr ? "RADIAL_DATA is not set" : "RADIAL_DATA has no " + set)
              << ": tests on real CIFAR skipped\n";
    return std::nullopt;
}

/// The mean of channel c, divided by 255.
double channel_mean(const ImageSet& set, std::int64_t c) {
    const auto bytes = set.images.values<std::uint8_t>();
    double sum = 0;
    for (std::int64_t i = 0; i < set.size(); ++i)
        for (const std::uint8_t byte : bytes.subspan(static_cast<std::size_t>((i * 3 + c) * 1024), 1024)) sum += byte;
    return sum / 255 / static_cast<double>(set.size() * 1024);
}

}  // namespace

TEST_CASE("CIFAR-10's five training files are one set, in order", "[host][data][cifar]") {
    const Scratch scratch;
    write(scratch, cifar10_files());
    const ImageSet set = read_cifar10(scratch.path() / "set", true);
    CHECK(set.images.str() == "uint8[6, 3, 32, 32]");
    CHECK(set.labels.to_vector<int>() == std::vector<int>{1, 2, 3, 4, 5, 9});
    CHECK(set.images.values<std::uint8_t>()[pixels] == 2);
    CHECK(set.images.values<std::uint8_t>()[6 * pixels - 1] == (pixels - 1 + 9) % 256);
    CHECK(set.classes() == 10);
    CHECK(set.class_names[9] == "class 9");
}

TEST_CASE("CIFAR-10's test file is the test set", "[host][data][cifar]") {
    const Scratch scratch;
    write(scratch, cifar10_files());
    CHECK(read_cifar10(scratch.path() / "set", false).labels.to_vector<int>() == std::vector<int>{7});
}

TEST_CASE("CIFAR-100's labels are the fine ones", "[host][data][cifar]") {
    const Scratch scratch;
    write(scratch, cifar100_files());
    const ImageSet set = read_cifar100(scratch.path() / "set", true);
    CHECK(set.images.str() == "uint8[2, 3, 32, 32]");
    CHECK(set.labels.to_vector<int>() == std::vector<int>{99, 1});
    CHECK(set.images.values<std::uint8_t>()[pixels] == 1);
    CHECK(set.class_names[99] == "class 99");
    CHECK(read_cifar100(scratch.path() / "set", false).labels.to_vector<int>() == std::vector<int>{5});
}

TEST_CASE("the folder around the publisher's folder will do", "[host][data][cifar]") {
    const Scratch scratch;
    write(scratch, cifar10_files(), "cifar-10-batches-bin");
    write(scratch, cifar100_files(), "cifar-100-binary");
    CHECK(read_cifar10(scratch.path(), true).size() == 6);
    CHECK(read_cifar100(scratch.path(), true).size() == 2);
}

TEST_CASE("the published archive is read as it is, or found in a folder", "[host][data][cifar]") {
    const Scratch scratch;
    const fs::path ten = scratch.write("cifar-10-binary.tar.gz", packed(cifar10_files(), "cifar-10-batches-bin"));
    const fs::path hundred = scratch.write("cifar-100-binary.tar.gz", packed(cifar100_files(), "cifar-100-binary"));
    const ImageSet set = read_cifar10(ten, true);
    CHECK(set.labels.to_vector<int>() == std::vector<int>{1, 2, 3, 4, 5, 9});
    CHECK(set.images.values<std::uint8_t>()[pixels] == 2);
    CHECK(set.class_names[3] == "class 3");
    CHECK(read_cifar10(scratch.path(), false).labels.to_vector<int>() == std::vector<int>{7});
    CHECK(read_cifar100(hundred, true).labels.to_vector<int>() == std::vector<int>{99, 1});
    CHECK(read_cifar100(scratch.path(), false).size() == 1);
}

TEST_CASE("a place that does not exist, or holds no CIFAR, is named", "[host][data][cifar]") {
    const Scratch scratch;
    const std::string path = scratch.path().string();
    CHECK(error_of<FileError>([] { read_cifar10("/nowhere", true); }) == "/nowhere: no such folder or archive");
    CHECK(error_of<FileError>([&] { read_cifar10(path, true); }) ==
          path +
              ": no data_batch_1.bin in this folder (nor cifar-10-batches-bin/ with it, nor "
              "cifar-10-binary.tar.gz)");
    CHECK(error_of<FileError>([&] { read_cifar100(path, false); }) ==
          path + ": no test.bin in this folder (nor cifar-100-binary/ with it, nor cifar-100-binary.tar.gz)");
}

TEST_CASE("a missing file is named", "[host][data][cifar]") {
    const Scratch scratch;
    write(scratch, cifar10_files());
    fs::remove(scratch.path() / "set/data_batch_3.bin");
    CHECK(error_of<FileError>([&] { read_cifar10(scratch.path() / "set", true); }) ==
          (scratch.path() / "set/data_batch_3.bin").string() + ": no such file");
}

TEST_CASE("an archive without one of the files, or cut short, is named", "[host][data][cifar]") {
    const Scratch scratch;
    const std::string hundred = packed(cifar100_files(), "cifar-100-binary");
    const fs::path path = scratch.write("x.tar.gz", hundred);
    CHECK(error_of<FileError>([&] { read_cifar10(path, false); }) ==
          path.string() + ": no test_batch.bin in this archive");
    scratch.write("x.tar.gz", hundred.substr(0, hundred.size() / 2));
    CHECK(error_of<FileError>([&] { read_cifar100(path, false); }) == path.string() + ": truncated gzip stream");
}

TEST_CASE("a file that is not whole records is an error with both counts", "[host][data][cifar]") {
    CHECK(complaint10("data_batch_2.bin", record("\1") + "more") ==
          "data_batch_2.bin: 3077 bytes, expected whole records of 3073: 1 images and 4 bytes");
    CHECK(complaint10("data_batch_5.bin", record("\1").substr(1)) ==
          "data_batch_5.bin: 3072 bytes, expected whole records of 3073: 0 images and 3072 bytes");
    CHECK(complaint100("train.bin", record("\1")) ==
          "train.bin: 3073 bytes, expected whole records of 3074: 0 images and 3073 bytes");
}

TEST_CASE("an empty file is an error", "[host][data][cifar]") {
    CHECK(complaint10("data_batch_1.bin", "") == "data_batch_1.bin: empty file, expected records of 3073 bytes");
}

TEST_CASE("a label out of range is named with its image", "[host][data][cifar]") {
    CHECK(complaint10("data_batch_4.bin", record("\3") + record("\12")) ==
          "data_batch_4.bin: label of image 1 is 10, expected 0 to 9");
    CHECK(complaint100("train.bin", record("\1\x64")) == "train.bin: fine label of image 0 is 100, expected 0 to 99");
    CHECK(complaint100("train.bin", record("\x14\1")) == "train.bin: coarse label of image 0 is 20, expected 0 to 19");
}

TEST_CASE("another number of class names is an error", "[host][data][cifar]") {
    CHECK(complaint10("batches.meta.txt", names(9)) == "batches.meta.txt: 9 class names, CIFAR-10 has 10");
    CHECK(complaint100("fine_label_names.txt", names(101)) ==
          "fine_label_names.txt: 101 class names, CIFAR-100 has 100");
}

TEST_CASE("class names may end in a carriage return", "[host][data][cifar]") {
    const Scratch scratch;
    write(scratch, cifar10_files());
    scratch.write("set/batches.meta.txt", "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj\r\n\r\n");
    CHECK(read_cifar10(scratch.path() / "set", true).class_names ==
          std::vector<std::string>{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"});
}

TEST_CASE("real CIFAR-10 has 10,000 test images and the mean that everybody takes away", "[host][data][cifar][real]") {
    const std::optional<fs::path> folder = real_data("cifar-10-batches-bin");
    if (!folder) return;
    const ImageSet train = read_cifar10(*folder, true), test = read_cifar10(*folder, false);
    CHECK(train.images.str() == "uint8[50000, 3, 32, 32]");
    CHECK(test.images.str() == "uint8[10000, 3, 32, 32]");
    CHECK(train.class_names.front() == "airplane");
    CHECK(train.class_names.back() == "truck");
    std::vector<int> count(10);
    for (const int label : test.labels.to_vector<int>()) ++count[static_cast<std::size_t>(label)];
    CHECK(count == std::vector<int>(10, 1000));
    CHECK(channel_mean(train, 0) == Approx(0.4914).margin(2e-3));
    CHECK(channel_mean(train, 1) == Approx(0.4822).margin(2e-3));
    CHECK(channel_mean(train, 2) == Approx(0.4465).margin(2e-3));
}

TEST_CASE("real CIFAR-100 has each class as often as the others", "[host][data][cifar][real]") {
    const std::optional<fs::path> folder = real_data("cifar-100-binary");
    if (!folder) return;
    const ImageSet test = read_cifar100(*folder, false);
    CHECK(test.images.str() == "uint8[10000, 3, 32, 32]");
    CHECK(test.class_names.front() == "apple");
    CHECK(test.class_names.back() == "worm");
    std::vector<int> count(100);
    for (const int label : test.labels.to_vector<int>()) ++count[static_cast<std::size_t>(label)];
    CHECK(count == std::vector<int>(100, 100));
    CHECK(read_cifar100(*folder, true).size() >= 10000);
    CHECK(channel_mean(test, 0) == Approx(0.5071).margin(5e-3));
}
