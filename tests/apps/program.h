// Running the built programs as a user does, on small synthetic data.
#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

namespace radial::test {

/// A folder of its own under the system's temporary one, removed at the end.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }
    std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// While it lives, SIGHUP, SIGINT and SIGPIPE have their default effect, in this process and in programs it starts.
/// Without it they would stay ignored where the tests' caller ignores them, as nohup does.
class DefaultSignals {
public:
    DefaultSignals();
    ~DefaultSignals();
    DefaultSignals(const DefaultSignals&) = delete;
    DefaultSignals& operator=(const DefaultSignals&) = delete;

private:
    std::array<struct sigaction, 3> before_{};
};

/// How a program ended.
struct ProgramResult {
    int status = 0;
    std::string out, error;  ///< what it printed
    /// The first line of `error`.
    std::string first_error() const { return error.substr(0, error.find('\n')); }
};

/// Runs program_folder()/`program` with `arguments` (no shell characters) and without RADIAL_DATA and RADIAL_DEVICE.
ProgramResult run_program(const std::string& program, const std::string& arguments);

/// The same in the working folder `folder`.
ProgramResult run_program_in(const std::filesystem::path& folder, const std::string& program,
                             const std::string& arguments);

/// Writes MNIST's four files to `folder`: ten patterns with noise, easily told apart, the classes in turn.
void write_patterns(const std::filesystem::path& folder, int train, int test);

/// Writes a whole file. Fails the test when it cannot.
void write_text(const std::filesystem::path& path, const std::string& text);
/// A whole file. Fails the test when it cannot be read.
std::string read_text(const std::filesystem::path& path);
/// The lines of a run's metrics.jsonl.
std::vector<nlohmann::json> read_metrics(const std::filesystem::path& run);

}  // namespace radial::test
