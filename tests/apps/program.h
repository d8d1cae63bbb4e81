// Runs the built programs as a user does, on small synthetic data.
#pragma once

#include <nlohmann/json.hpp>

#include <array>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

namespace radial::test {

/// A new folder in the system's folder for temporary files; the destructor deletes it.
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

/// During its lifetime, SIGHUP, SIGINT and SIGPIPE have their default effect in this process and in the programs that
/// it starts. Without this object, they would be ignored if the process that started the tests ignores them, as nohup
/// does.
class DefaultSignals {
public:
    DefaultSignals();
    ~DefaultSignals();
    DefaultSignals(const DefaultSignals&) = delete;
    DefaultSignals& operator=(const DefaultSignals&) = delete;

private:
    std::array<struct sigaction, 3> before_{};
};

/// The exit status and the output of a program.
struct ProgramResult {
    int status = 0;
    std::string out, error;  ///< what the program wrote to standard output and standard error
    /// The first line of `error`.
    std::string first_error() const { return error.substr(0, error.find('\n')); }
};

/// Runs program_folder()/`program` with `arguments` (without special shell characters). RADIAL_DATA and RADIAL_DEVICE
/// are not set.
ProgramResult run_program(const std::string& program, const std::string& arguments);

/// Runs a program as run_program() does, with `folder` as the working directory.
ProgramResult run_program_in(const std::filesystem::path& folder, const std::string& program,
                             const std::string& arguments);

/// Writes MNIST's four files to `folder`: noisy patterns of ten classes, which are easy to distinguish. The labels are
/// 0 to 9 in turn.
void write_patterns(const std::filesystem::path& folder, int train, int test);

/// Writes a whole file. Fails the test if that is not possible.
void write_text(const std::filesystem::path& path, const std::string& text);
/// Returns the content of a file. Fails the test if it cannot be read.
std::string read_text(const std::filesystem::path& path);
/// Returns the lines of a CSV table without quoted fields, each as the list of its fields.
std::vector<std::vector<std::string>> csv_rows(const std::string& table);
/// The parsed lines of a run's metrics.jsonl.
std::vector<nlohmann::json> read_metrics(const std::filesystem::path& run);

}  // namespace radial::test
