// Tests of `radial-predict verify`: pairs of a table, and all pairs of a folder.
#include "../../expect.h"
#include "../weights_folder.h"

namespace radial::test {
namespace {

/// Runs `verify` on the network of a WeightsFolder.
ProgramResult verify(const WeightsFolder& folder, const std::string& arguments) {
    return run_program("radial-predict",
                       fmt::format("verify --threads 2 --model resnet20 --weights {} {}", folder.weights, arguments));
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Adds two copies of one picture in the class a, and another picture in the class b.
void add_pictures(const WeightsFolder& folder) {
    folder.picture("rgb.jpg", "pics/a/1.jpg");
    folder.picture("rgb.jpg", "pics/a/2.jpg");
    folder.picture("grey.png", "pics/b/3.png");
}

std::string write_pairs(const WeightsFolder& folder, const std::string& text) {
    std::ofstream(folder / "pics/pairs.csv") << text;
    return (folder / "pics/pairs.csv").string();
}

}  // namespace

TEST_CASE("verify measures the pairs of a table, and writes their distances", "[host][predict]") {
    const WeightsFolder folder;
    add_pictures(folder);
    const std::string pairs = write_pairs(folder, "first,other,same\na/1.jpg,a/2.jpg,1\na/1.jpg,b/3.png,different\n");
    const std::string table = (folder / "out.csv").string(), json = (folder / "out.json").string();
    const ProgramResult result = verify(folder, fmt::format("--pairs {} --out {} --json {}", pairs, table, json));
    INFO(result.error);
    REQUIRE(result.status == 0);
    CHECK(contains(result.out,
                   "1 pairs of the same class, 1 of different classes, cosine distance\n"
                   "AUROC 1.0000, equal error rate 0.0000\n"));
    const auto rows = csv_rows(read_text(table));
    REQUIRE(rows.size() == 3);
    CHECK(rows[0] == std::vector<std::string>{"first", "other", "same", "distance"});
    CHECK(rows[1][1] == (folder / "pics/a/2.jpg").string());
    CHECK(std::abs(std::stod(rows[1][3])) < 1e-6);
    CHECK(std::stod(rows[2][3]) > 1e-6);
    const auto figures = nlohmann::json::parse(read_text(json));
    CHECK(figures.at("points").size() == 4);
    CHECK(figures.at("points")[0].at("true_accept") == 1);
    CHECK(figures.at("skipped_pairs") == 0);
}

TEST_CASE("verify counts the pairs of pictures that cannot be read", "[host][predict]") {
    const WeightsFolder folder;
    add_pictures(folder);
    folder.text("pics/b/4.jpg", "not a picture");
    const std::string json = (folder / "out.json").string();
    const auto skipped = [&](const std::string& pictures, const std::string& line) {
        const ProgramResult result = verify(folder, fmt::format("--skip-bad --json {} {}", json, pictures));
        INFO(result.error);
        REQUIRE(result.status == 0);
        CHECK(contains(result.out, line + "1 pairs of the same class, "));
        return nlohmann::json::parse(read_text(json)).at("skipped_pairs").get<int>();
    };
    const std::string pairs =
        write_pairs(folder, "a/1.jpg,a/2.jpg,1\na/1.jpg,b/3.png,0\nb/3.png,b/4.jpg,1\na/1.jpg,b/4.jpg,0\n");
    CHECK(skipped("--pairs " + pairs, "skipped 2 of 4 pairs, which have a picture that cannot be read\n") == 2);
    std::filesystem::remove(pairs);
    CHECK(skipped((folder / "pics").string(), "skipped 3 of 6 pairs, which have a picture that cannot be read\n") == 3);
}

TEST_CASE("verify measures all pairs of a folder with a folder for each class", "[host][predict]") {
    const WeightsFolder folder;
    add_pictures(folder);
    const ProgramResult result = verify(folder, "--distance euclidean " + (folder / "pics").string());
    INFO(result.error);
    REQUIRE(result.status == 0);
    CHECK(contains(result.out,
                   "1 pairs of the same class, 2 of different classes, euclidean distance\n"
                   "AUROC 1.0000, equal error rate 0.0000\n"));
}

TEST_CASE("verify refuses a table that it cannot use by line", "[host][predict]") {
    const WeightsFolder folder;
    add_pictures(folder);
    const auto refused = [&folder](const std::string& text) {
        const std::string pairs = write_pairs(folder, text);
        const std::string message = verify(folder, "--pairs " + pairs).first_error();
        const std::string start = "radial-predict verify: " + pairs + ": ";
        return message.starts_with(start) ? message.substr(start.size()) : message;
    };
    CHECK(refused("a/1.jpg,a/2.jpg\n") == "line 1: 2 fields, expected 3: two files, and 1 or 0");
    CHECK(refused("a/1.jpg,a/2.jpg,1\na/1.jpg,b/3.png,no\n") ==
          "line 2: \"no\", expected 1 or same, or 0 or different");
    CHECK(refused("first,other,same\n") == "it has no pairs");
    CHECK(refused("a/1.jpg,a/2.jpg,1\n") ==
          "radial-predict verify: verification: there are no pairs of different classes");
    CHECK(contains(refused("a/1.jpg,a/none.jpg,1\n"), "a/none.jpg"));
    CHECK(verify(folder, (folder / "pics/a/1.jpg").string()).first_error() ==
          "radial-predict verify: no pairs: give --pairs FILE, or one folder with a folder for each class");
}

}  // namespace radial::test
