// Tests that event files follow TensorBoard's format and contain the values that were added.
#include "radial/apps/train/events/tensorboard.h"
#include "../../expect.h"
#include "../program.h"
#include "event_reader.h"
#include "radial/data/images/image.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace radial::test {
namespace {

using Scalars = std::vector<train::TaggedScalar>;

/// The packed doubles in a field.
std::vector<double> doubles(const std::vector<ProtobufField>& fields, int number) {
    const std::string& bytes = field(fields, number).bytes;
    REQUIRE(bytes.size() % 8 == 0);
    std::vector<double> values(bytes.size() / 8);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

/// Returns the fields that are written for a histogram of `values`.
std::vector<ProtobufField> histogram_of(const std::vector<float>& values) {
    const TemporaryFolder folder;
    train::EventFile file(folder.path(), 0);
    file.add_histogram(3, "distances", values);
    file.flush();
    const auto logged = logged_values(folder.path());
    REQUIRE(logged.size() == 1);
    return protobuf_fields(field(logged.front().fields, 5).bytes);
}

}  // namespace

TEST_CASE("the checksum that event files are read with is CRC-32C", "[host]") {
    CHECK(crc32c("123456789") == 0xE3069283U);
    CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAU);  // RFC 3720, B.4
}

TEST_CASE("an event file begins with its version and the restart at its first step", "[host]") {
    const TemporaryFolder folder;
    const train::EventFile file(folder.path(), 41);
    CHECK(file.path().filename().string().starts_with("events.out.tfevents."));
    const auto records = read_records(file.path());
    REQUIRE(records.size() == 2);
    const auto version = protobuf_fields(records[0]), restart = protobuf_fields(records[1]);
    CHECK(field(version, 3).bytes == "brain.Event:2");
    CHECK(field(version, 1).as_double() > 1.5e9);  // seconds since 1970
    CHECK(field(restart, 2).bits == 41);
    CHECK(field(protobuf_fields(field(restart, 7).bytes), 1).bits == 1);  // SessionLog.START
}

TEST_CASE("scalars are read back by tag and step", "[host]") {
    const TemporaryFolder folder;
    train::EventFile file(folder.path(), 0);
    file.add_scalars(7, Scalars{{"loss", 0.5}, {"accuracy", 0.25}});
    file.add_scalars(1'000'000'000'000, Scalars{{"loss", -1e-9}});
    file.flush();
    const auto logged = logged_values(folder.path());
    CHECK(scalars(logged, "loss") == std::map<std::int64_t, float>{{7, 0.5F}, {1'000'000'000'000, -1e-9F}});
    CHECK(scalars(logged, "accuracy") == std::map<std::int64_t, float>{{7, 0.25F}});
}

TEST_CASE("a later file takes back what earlier ones hold from its first step on", "[host]") {
    const TemporaryFolder folder;
    train::EventFile first(folder.path(), 0);
    for (const int step : {10, 20, 30}) first.add_scalars(step, Scalars{{"loss", 1.0 * step}});
    first.flush();
    train::EventFile second(folder.path(), 20);
    second.add_scalars(20, Scalars{{"loss", 2.0}});
    second.flush();
    CHECK(first.path().filename() < second.path().filename());
    CHECK(scalars(logged_values(folder.path()), "loss") == std::map<std::int64_t, float>{{10, 10.0F}, {20, 2.0F}});
}

TEST_CASE("a histogram has every finite value in a bucket a tenth wide", "[host]") {
    const float nothing = std::numeric_limits<float>::quiet_NaN(), endless = std::numeric_limits<float>::infinity();
    const auto histogram = histogram_of({0, 0.5F, 2, 2.05F, 300, nothing, endless});
    CHECK(field(histogram, 1).as_double() == 0);
    CHECK(field(histogram, 2).as_double() == 300);
    CHECK(field(histogram, 3).as_double() == 5);
    CHECK(field(histogram, 4).as_double() == Approx(304.55));
    CHECK(field(histogram, 5).as_double() == Approx(0.25 + 4 + 2.05 * 2.05 + 90000));
    const std::vector<double> limits = doubles(histogram, 6), counts = doubles(histogram, 7);
    REQUIRE(limits.size() == counts.size());
    CHECK(std::accumulate(counts.begin(), counts.end(), 0.0) == 5);
    CHECK(std::is_sorted(limits.begin(), limits.end()));
    CHECK(limits.back() >= 300);
    CHECK(limits.back() < 1.1 * 300);
}

TEST_CASE("a histogram of nothing finite is not written", "[host]") {
    const TemporaryFolder folder;
    train::EventFile file(folder.path(), 0);
    file.add_histogram(1, "distances", std::vector<float>{std::numeric_limits<float>::quiet_NaN()});
    file.flush();
    CHECK(logged_values(folder.path()).empty());
}

TEST_CASE("buckets hold their values, below zero as above", "[host]") {
    std::vector<double> values;
    for (double v = -50; v < 50; v += 0.37) values.push_back(v);
    const train::Buckets buckets = train::bucketed(values);
    for (std::size_t i = 0; i < buckets.limits.size(); ++i) {
        const double below = i == 0 ? -HUGE_VAL : buckets.limits[i - 1];
        const auto inside = [&](double v) { return v > below && v <= buckets.limits[i]; };
        CHECK(buckets.counts[i] == static_cast<double>(std::count_if(values.begin(), values.end(), inside)));
    }
}

TEST_CASE("an image is a PNG of the same pixels", "[host]") {
    const TemporaryFolder folder;
    std::vector<std::uint8_t> pixels(3 * 5 * 7);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37);
    const train::PngPicture picture = train::png_of(Tensor::from(pixels, {3, 5, 7}, Device{}), 128);
    train::EventFile file(folder.path(), 0);
    file.add_image(2, "mistakes/1", picture.file, picture.width, picture.height, picture.channels);
    file.flush();
    const auto logged = logged_values(folder.path());
    REQUIRE(logged.size() == 1);
    const auto image = protobuf_fields(field(logged.front().fields, 4).bytes);
    CHECK(field(image, 1).bits == 5);
    CHECK(field(image, 2).bits == 7);
    CHECK(field(image, 3).bits == 3);
    const std::string& png = field(image, 4).bytes;
    const std::vector<std::uint8_t> content(png.begin(), png.end());
    const auto decoded = data::decode_image(content, "picture").to_vector<std::uint8_t>();
    for (std::size_t y = 0; y < 5; ++y)
        for (std::size_t x = 0; x < 7; ++x)
            for (std::size_t c = 0; c < 3; ++c) REQUIRE(decoded[(y * 7 + x) * 3 + c] == pixels[(c * 5 + y) * 7 + x]);
}

TEST_CASE("a large picture is made smaller, its shape kept", "[host]") {
    const train::PngPicture picture = train::png_of(Tensor::zeros({1, 300, 400}, DType::uint8, Device{}), 128);
    CHECK(picture.height == 128);
    CHECK(picture.width == 170);
    CHECK(picture.channels == 1);
}

TEST_CASE("only grey and RGB pictures of bytes are encoded", "[host]") {
    CHECK(error_of([] {
              train::png_of(Tensor::zeros({2, 4, 4}, DType::uint8, Device{}), 9);
          }) == "png_of: uint8 [2, 4, 4], expected uint8 [1 or 3, H, W]");
}

TEST_CASE("a data URI is the base64 of the bytes", "[host]") {
    CHECK(train::data_uri("") == "data:image/png;base64,");
    CHECK(train::data_uri("f") == "data:image/png;base64,Zg==");  // RFC 4648, 10
    CHECK(train::data_uri("foob") == "data:image/png;base64,Zm9vYg==");
    CHECK(train::data_uri("fooba") == "data:image/png;base64,Zm9vYmE=");
    CHECK(train::data_uri("\xFF\xFE\xFD") == "data:image/png;base64,//79");
}

TEST_CASE("a text is a string tensor of the text plugin", "[host]") {
    const TemporaryFolder folder;
    train::EventFile file(folder.path(), 0);
    file.add_text(5, "mistakes", "| a |");
    file.flush();
    const auto logged = logged_values(folder.path());
    REQUIRE(logged.size() == 1);
    const auto tensor = protobuf_fields(field(logged.front().fields, 8).bytes);
    CHECK(field(tensor, 1).bits == 7);  // DT_STRING
    CHECK(field(tensor, 8).bytes == "| a |");
    const auto metadata = protobuf_fields(field(logged.front().fields, 9).bytes);
    CHECK(field(protobuf_fields(field(metadata, 1).bytes), 1).bytes == "text");
}

TEST_CASE("an event file in a place that cannot be written is an error that names it", "[host]") {
    const TemporaryFolder folder;
    { train::EventFile taken(folder / "file", 0); }
    const auto file = event_files(folder / "file").front();
    CHECK(error_of([&] { train::EventFile(file, 0); }) == file.string() + ": cannot make the folder: Not a directory");
}

}  // namespace radial::test
