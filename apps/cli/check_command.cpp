// The command `check`: decodes a data set to find unreadable files, copies, and classes of one picture.
#include "radial/apps/cli/image_task.h"

#include "radial/apps/cli/run/train_options.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/console/progress.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/core/backend/backend.h"
#include "radial/core/util/error.h"
#include "radial/data/image_folder.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace radial::train {
namespace {

namespace fs = std::filesystem;

struct CheckOptions {
    fs::path data;
    int workers = 0;
};

/// The files of all parts of a data set; element i of each list belongs to file i.
struct Files {
    std::vector<fs::path> paths;
    std::vector<std::string> parts;    ///< "train" or "val", or the path of the data set if it has no such folders
    std::vector<std::string> classes;  ///< names of the classes
};

/// Returns a line such as "301 pictures of 10 classes, 24 to 33 in each", and a note for each class with only one
/// picture.
std::vector<std::string> describe_classes(const data::Dataset& set, const std::string& part) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(set.classes()));
    for (const std::int64_t label : data::labels_of(set).to_vector<std::int64_t>())
        ++counts.at(static_cast<std::size_t>(label));
    const auto [least, most] = std::ranges::minmax(counts);
    std::vector<std::string> lines = {fmt::format("{}: {} pictures of {} classes, {}{} in each", part, set.size(),
                                                  set.classes(), least,
                                                  least == most ? "" : fmt::format(" to {}", most))};
    for (std::size_t c = 0; c < counts.size(); ++c)
        if (counts[c] == 1) lines.push_back(fmt::format("note: the class {} has one picture only", set.class_names[c]));
    return lines;
}

/// Collects the results of decoding, prints the problem of each picture that cannot be read, and prints the progress
/// every 10 seconds.
class Report {
public:
    explicit Report(const Files& files) : files_(files) {}

    void add(const data::CheckedPicture& picture) {
        pictures_.push_back(picture);
        if (!picture.problem.empty()) {
            ++bad_;
            progress_.line(picture.problem);
        }
        const auto now = Clock::now();
        if (now - said_ < interval) return;
        said_ = now;
        const std::size_t all = files_.paths.size(), checked = pictures_.size();
        const double speed = static_cast<double>(checked) / std::chrono::duration<double>(now - start_).count();
        progress_.line(fmt::format("checked {} of {} files, {} bad, {:.0f} files/s, {} left", checked, all, bad_, speed,
                                   format_duration(static_cast<double>(all - checked) / speed)));
    }
    /// Prints the sizes of the pictures, the copies and a summary. Throws Error if some pictures could not be read.
    void end() {
        std::ranges::sort(pictures_, {}, &data::CheckedPicture::number);
        print_sizes();
        print_copies();
        RADIAL_CHECK(
            bad_ == 0,
            "{} of {} files cannot be read; take them away, or train with --skip-corrupt, which does without them",
            bad_, pictures_.size());
        progress_.line(fmt::format("all {} files can be read", pictures_.size()));
    }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds interval{10};
    static constexpr std::size_t most_copies = 20;  ///< number of copies that are listed by name

    void print_sizes() {
        std::vector<std::int64_t> sides;
        for (const data::CheckedPicture& picture : pictures_)
            if (picture.problem.empty()) sides.push_back(std::min(picture.width, picture.height));
        if (sides.empty()) return;
        std::ranges::sort(sides);
        progress_.line(fmt::format("shorter sides: {} to {} pixels, the median {}", sides.front(), sides.back(),
                                   sides[sides.size() / 2]));
    }

    /// Prints which pictures are copies of an earlier one.
    void print_copies() {
        std::unordered_map<std::size_t, std::size_t> first;  // number of the first picture with each digest
        std::size_t copies = 0;
        for (const data::CheckedPicture& picture : pictures_) {
            if (!picture.problem.empty()) continue;
            const auto [at, is_new] = first.emplace(picture.digest, picture.number);
            if (is_new || !data::same_content(files_.paths[at->second], files_.paths[picture.number])) continue;
            if (++copies <= most_copies) progress_.line(copy_line(at->second, picture.number));
        }
        if (copies > most_copies) progress_.line(fmt::format("note: {} further copies", copies - most_copies));
    }

    std::string copy_line(std::size_t original, std::size_t copy) const {
        std::string line =
            fmt::format("note: {} is a copy of {}", files_.paths[copy].string(), files_.paths[original].string());
        if (files_.parts[original] != files_.parts[copy])
            line += fmt::format(", which is in {}, so that training sees what is evaluated", files_.parts[original]);
        if (files_.classes[original] != files_.classes[copy]) line += ", which has another class";
        return line;
    }

    const Files& files_;
    std::vector<data::CheckedPicture> pictures_;
    std::size_t bad_ = 0;
    Clock::time_point start_ = Clock::now(), said_ = start_;
    Progress progress_;
};

void run_check(const ImageTask& task, const CheckOptions& options) {
    Files files;
    for (const bool train : {true, false}) {
        const char* const name = train ? "train" : "val";
        // If neither folder exists, the folders of the classes are directly in this one, or read_set() reports that
        // there are none.
        const bool flat = !fs::is_directory(options.data / "train") && !fs::is_directory(options.data / "val");
        if (!fs::is_directory(options.data / name) && (!flat || !train)) continue;
        const auto set = read_set(task, options.data, train);
        const std::string part = flat ? options.data.string() : name;
        for (const std::string& line : describe_classes(*set, part)) fmt::print("{}\n", shown_lines(line));
        for (const std::string& note : set->notes) fmt::print("note: {}\n", shown_lines(note));
        std::fflush(stdout);
        const auto* const images = dynamic_cast<const data::ImageSet*>(set.get());
        if (images == nullptr || !images->files) continue;
        files.paths.insert(files.paths.end(), images->files->begin(), images->files->end());
        files.parts.resize(files.paths.size(), part);
        for (const std::int64_t label : images->labels.to_vector<std::int64_t>())
            files.classes.push_back(images->class_names.at(static_cast<std::size_t>(label)));
    }
    Report report(files);
    data::check_pictures(files.paths, options.workers > 0 ? options.workers : available_cores(),
                         [&](const data::CheckedPicture& picture) { report.add(picture); });
    report.end();
}

}  // namespace

Command check_command(const ImageTask& task) {
    return {"check", "Read every image of a data set: list those that cannot be read, copies, and classes of one image",
            [task](CLI::App& app) {
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
