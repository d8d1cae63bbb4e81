// Runs programs and writes the data for them.
#include "program.h"

#include "../catch.h"
#include "../folders.h"
#include "radial/core/tensor/random.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace radial::test {
namespace {

namespace fs = std::filesystem;

constexpr int side = 28;

void write_idx(const fs::path& path, const std::vector<int>& extents, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary);
    const auto put = [&file](int value) {
        for (int shift = 24; shift >= 0; shift -= 8) file.put(static_cast<char>(value >> shift & 0xFF));
    };
    put(0x800 + static_cast<int>(extents.size()));
    for (const int extent : extents) put(extent);
    file << bytes;
    REQUIRE(file.good());
}

/// An image of class `label`: a bright square, whose position depends on the class, over weak noise.
std::string pattern(int label, Generator& generator) {
    std::string image;
    const int top = 2 + 5 * (label / 2), left = label % 2 == 0 ? 3 : 16;
    for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) {
            const bool bright = y >= top && y < top + 6 && x >= left && x < left + 9;
            image += static_cast<char>((bright ? 200 : 0) + generator.below(50));
        }
    }
    return image;
}

void write_set(const fs::path& folder, const std::string& prefix, int count, Generator& generator) {
    std::string images, labels;
    for (int i = 0; i < count; ++i) {
        images += pattern(i % 10, generator);
        labels += static_cast<char>(i % 10);
    }
    write_idx(folder / (prefix + "-images-idx3-ubyte"), {count, side, side}, images);
    write_idx(folder / (prefix + "-labels-idx1-ubyte"), {count}, labels);
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "radial-test-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

namespace {

constexpr std::array changed_signals = {SIGHUP, SIGINT, SIGPIPE};

}  // namespace

DefaultSignals::DefaultSignals() {
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    for (std::size_t i = 0; i < before_.size(); ++i) sigaction(changed_signals[i], &standard, &before_[i]);
}

DefaultSignals::~DefaultSignals() {
    for (std::size_t i = 0; i < before_.size(); ++i) sigaction(changed_signals[i], &before_[i], nullptr);
}

ProgramResult run_program(const std::string& program, const std::string& arguments) {
    return run_program_in(".", program, arguments);
}

ProgramResult run_program_in(const fs::path& working, const std::string& program, const std::string& arguments) {
    const TemporaryFolder folder;
    const std::string command = "cd " + working.string() + " && env -u RADIAL_DATA -u RADIAL_DEVICE " +
                                program_folder() + "/" + program + " " + arguments + " > " + (folder / "out").string() +
                                " 2> " + (folder / "error").string();
    const DefaultSignals signals;
    const int status = std::system(command.c_str());
    REQUIRE(WIFEXITED(status));
    return {WEXITSTATUS(status), read_text(folder / "out"), read_text(folder / "error")};
}

void write_patterns(const fs::path& folder, int train, int test) {
    fs::create_directories(folder);
    Generator generator(7);
    write_set(folder, "train", train, generator);
    write_set(folder, "t10k", test, generator);
}

void write_text(const fs::path& path, const std::string& text) {
    INFO("writing " << path.string());
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    REQUIRE(file.good());
}

std::string read_text(const fs::path& path) {
    INFO("reading " << path.string());
    std::ifstream file(path, std::ios::binary);
    REQUIRE(file.good());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::vector<std::string>> csv_rows(const std::string& table) {
    std::vector<std::vector<std::string>> rows;
    std::istringstream lines(table);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        rows.emplace_back();
        for (std::string field; std::getline(fields, field, ',');) rows.back().push_back(field);
    }
    return rows;
}

std::vector<nlohmann::json> read_metrics(const fs::path& run) {
    std::vector<nlohmann::json> lines;
    std::istringstream text(read_text(run / "metrics.jsonl"));
    for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
}

}  // namespace radial::test
