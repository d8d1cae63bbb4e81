// The command `check`: decodes a data set only to find the files that cannot be read.
#include "radial/apps/cli/check_command.h"

#include "radial/apps/cli/run/train_options.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/console/progress.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/core/util/error.h"
#include "radial/data/image_folder.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace radial::train {
namespace {

namespace fs = std::filesystem;

struct CheckOptions {
    fs::path data;
    int workers = 0;
};

/// Counts pictures, names those that cannot be read, and prints the progress every 10 seconds.
class Report {
public:
    explicit Report(std::size_t files) : files_(files) {}

    void add(const data::CheckedPicture& picture) {
        ++checked_;
        if (!picture.problem.empty()) {
            ++bad_;
            progress_.line(picture.problem);
        }
        const auto now = Clock::now();
        if (now - said_ < interval) return;
        said_ = now;
        const double speed = static_cast<double>(checked_) / std::chrono::duration<double>(now - start_).count();
        progress_.line(fmt::format("checked {} of {} files, {} bad, {:.0f} files/s, {} left", checked_, files_, bad_,
                                   speed, format_duration(static_cast<double>(files_ - checked_) / speed)));
    }
    /// Throws Error if some pictures could not be read.
    void end() {
        RADIAL_CHECK(
            bad_ == 0,
            "{} of {} files cannot be read; take them away, or train with --skip-corrupt, which does without them",
            bad_, checked_);
        progress_.line(fmt::format("all {} files can be read", checked_));
    }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds interval{10};

    std::size_t files_, checked_ = 0, bad_ = 0;
    Clock::time_point start_ = Clock::now(), said_ = start_;
    Progress progress_;
};

void run_check(const ImageTask& task, const CheckOptions& options) {
    std::vector<fs::path> files;
    for (const bool train : {true, false}) {
        const char* const part = train ? "train" : "val";
        // Without both folders, the classes' folders are in this one, or reading reports that there are none.
        const bool flat = !fs::is_directory(options.data / "train") && !fs::is_directory(options.data / "val");
        if (!fs::is_directory(options.data / part) && (!flat || !train)) continue;
        const auto set = read_set(task, options.data, train);
        fmt::print("{}: {} pictures of {} classes\n", flat ? shown(options.data.string()) : part, set->size(),
                   set->classes());
        for (const std::string& note : set->notes) fmt::print("note: {}\n", shown_lines(note));
        std::fflush(stdout);
        const auto* const images = dynamic_cast<const data::ImageSet*>(set.get());
        if (images != nullptr && images->files) files.insert(files.end(), images->files->begin(), images->files->end());
    }
    const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    Report report(files.size());
    data::check_pictures(files, options.workers > 0 ? options.workers : cores,
                         [&](const data::CheckedPicture& picture) { report.add(picture); });
    report.end();
}

}  // namespace

Command check_command(const ImageTask& task) {
    return {"check", "Read every image of a data set and list those that cannot be read", [task](CLI::App& app) {
                auto options = std::make_shared<CheckOptions>();
                const char* const root = std::getenv("RADIAL_DATA");
                if (root != nullptr && *root != '\0') options->data = fs::path(root) / task.set;
                app.add_option("DIR", options->data, "Folder of the data set (default: $RADIAL_DATA/" + task.set + ")");
                app.add_option("--workers", options->workers, "Decoding threads; 0 uses every core")
                    ->capture_default_str()
                    ->check(within(0, 256));
                return [task, options] { run_check(task, *options); };
            }};
}

}  // namespace radial::train
