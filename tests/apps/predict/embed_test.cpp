// Tests of `radial-predict embed` and `nearest`: features of pictures in files, and the most similar pictures.
#include "../../expect.h"
#include "../weights_folder.h"
#include "radial/core/tensor/random.h"

#include <cmath>
#include <cstring>

namespace radial::test {
namespace {

ProgramResult predict(const std::string& arguments) { return run_program("radial-predict", arguments); }

/// Returns the arguments that select the network of a WeightsFolder.
std::string on(const WeightsFolder& folder) {
    return fmt::format(" --threads 2 --model resnet20 --weights {} ", folder.weights);
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("embed writes the same features as safetensors, CSV and NumPy's format, with the names of the files",
          "[host][predict]") {
    const WeightsFolder folder;
    const std::string first = folder.picture("rgb.jpg", "pics/a.jpg"), other = folder.picture("rgb.png", "pics/b.png");
    const auto write = [&](const std::string& name) {
        const ProgramResult result = predict(
            fmt::format("embed{}--out {} {}", on(folder), (folder / name).string(), (folder / "pics").string()));
        INFO(result.error);
        REQUIRE(result.status == 0);
        CHECK(contains(result.out, fmt::format("2 features of 64 numbers in {}\n", (folder / name).string())));
    };
    for (const char* const name : {"f.safetensors", "f.csv", "f.npy"}) write(name);

    const TensorFile file = read_safetensors(folder / "f.safetensors");
    const std::vector<float> features = file.at("feature").to_vector<float>();
    CHECK(file.at("feature").str() == "float32[2, 64]");
    CHECK(file.metadata.at("files") == fmt::format("[\"{}\",\"{}\"]", first, other));
    CHECK(file.metadata.at("model") == "resnet20");

    const auto rows = csv_rows(read_text(folder / "f.csv"));
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].size() == 65);
    CHECK(rows[2][0] == other);
    for (std::size_t d = 0; d < 64; ++d) CHECK(std::stof(rows[2][d + 1]) == features[64 + d]);

    const std::string npy = read_text(folder / "f.npy");
    CHECK(npy.starts_with(std::string("\x93NUMPY\x01\x00", 8)));
    CHECK(contains(npy, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 64), }"));
    REQUIRE(npy.size() == 128 + features.size() * sizeof(float));
    CHECK(npy[127] == '\n');
    CHECK(std::memcmp(npy.data() + 128, features.data(), features.size() * sizeof(float)) == 0);
    CHECK(read_text(folder / "f.txt") == first + "\n" + other + "\n");
}

TEST_CASE("nearest finds a picture itself first, in a folder as in a file of embed, and writes a page",
          "[host][predict]") {
    const WeightsFolder folder;
    const std::string first = folder.picture("rgb.jpg", "pics/a.jpg");
    folder.picture("grey.png", "pics/c.png");
    const std::string query = folder.picture("rgb.jpg", "query.jpg");
    const std::string index = (folder / "index.safetensors").string(), pics = (folder / "pics").string();
    REQUIRE(predict(fmt::format("embed{}--out {} {}", on(folder), index, pics)).status == 0);
    const ProgramResult of_folder = predict(fmt::format("nearest{}--index {} {}", on(folder), pics, query));
    INFO(of_folder.error);
    REQUIRE(of_folder.status == 0);
    CHECK(contains(of_folder.out, fmt::format("{}\n   1  0.0000  {}\n   2  ", query, first)));
    const std::string page = (folder / "page.html").string();
    const ProgramResult of_file = predict(
        fmt::format("nearest{}--index {} --top 1 --distance euclidean --page {} {}", on(folder), index, page, query));
    REQUIRE(of_file.status == 0);
    CHECK(contains(of_file.out, fmt::format("{}\n   1  0.0000  {}\n", query, first)));
    CHECK(!contains(of_file.out, "   2  "));
    const std::string html = read_text(page);
    CHECK(contains(html, "src=\"data:image/png;base64,"));
    CHECK(contains(html, "The 1 nearest of 2 pictures by euclidean distance of the features of resnet20"));
}

TEST_CASE("embed and nearest refuse what they cannot use by name", "[host][predict]") {
    const WeightsFolder folder;
    const std::string picture = folder.picture("rgb.jpg", "a.jpg");
    CHECK(predict("embed" + on(folder) + "--out x.txt " + picture).first_error() ==
          "radial-predict embed: x.txt: the name has to end in .safetensors, .csv or .npy");
    CHECK(predict("embed" + on(folder) + picture).first_error() == "radial-predict embed: no output: give --out FILE");
    CHECK(predict("nearest" + on(folder) + picture).first_error() ==
          "radial-predict nearest: no index: give --index, a folder of pictures or a file of 'embed'");
    CHECK(
        predict("nearest" + on(folder) + "--index " + folder.weights + " " + picture).first_error() ==
        fmt::format("radial-predict nearest: {}: not a file that 'radial-predict embed' has written", folder.weights));
    const std::string index = (folder / "index.safetensors").string();
    REQUIRE(predict(fmt::format("embed{}--out {} {}", on(folder), index, picture)).status == 0);
    manual_seed(99);  // so that the convolutions get other weights
    const WeightsFolder other;
    CHECK(predict("nearest" + on(other) + "--index " + index + " " + picture).first_error() ==
          fmt::format("radial-predict nearest: {}: features of resnet20 with other weights than --weights; write it "
                      "again with 'radial-predict embed'",
                      index));
}

}  // namespace radial::test
