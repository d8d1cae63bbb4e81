// Runs a sweep: trains its runs, several at a time, and writes its tables.
#include "radial/apps/sweep/sweep.h"

#include "radial/apps/cli/recipes.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/cli/run/run_folder.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/prototypes/prototype_pages.h"
#include "radial/apps/sweep/sweep_pages.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/version.h"
#include "radial/core/util/error.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

namespace radial::train {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> tables_of(const std::string& program) {
    std::vector<std::string> names;
    for (const PaperTable& table : paper_tables())
        if (table.program == program) names.push_back(table.id);
    return names;
}

const PaperTable& table_named(const std::string& program, const std::string& name) {
    for (const PaperTable& table : paper_tables()) {
        if (table.id != name) continue;
        RADIAL_CHECK(table.program == program, "TABLE: {} is of {}: run {} sweep {}", name, table.program,
                     table.program, name);
        return table;
    }
    throw Error(fmt::format("TABLE: '{}' is none of {}", name, fmt::join(tables_of(program), ", ")));
}

/// The command line of this sweep, without the options that say where and how it runs.
std::string command_of(const PaperTable& table, const SweepOptions& options) {
    std::string text = fmt::format("{} sweep", table.program);
    if (!is_grid(table)) text += " " + table.id;
    for (const std::string& each : options.vary) text += " --vary " + shell_word(each);
    if (options.epochs > 0) text += fmt::format(" --epochs {}", options.epochs);
    if (!table.runs.empty()) text += fmt::format(" --seeds {}", options.seeds);
    if (options.limit > 0) text += fmt::format(" --limit {}", options.limit);
    if (!options.only.empty()) text += " --only " + options.only;
    for (const std::string& each : options.set) text += " --set " + each;
    return text;
}

/// The paragraph that describes how the results were measured.
std::string about(const PaperTable& table, const SweepOptions& options) {
    const std::string by = fmt::format("By Radial {}: {}.", version, command_of(table, options));
    if (table.runs.empty()) return "Computed from the formula; nothing is trained. " + by;
    std::string recipes = is_grid(table) ? "the program's defaults but for what the rows say" : "";
    for (const PaperRun& run : table.runs) {
        if (run.recipe.empty()) continue;
        const std::string each =
            fmt::format("{} ({} epochs)", run.recipe, value_of(*find_recipe(run.recipe), "epochs"));
        if (recipes.find(each) == std::string::npos) recipes += (recipes.empty() ? "" : ", ") + each;
    }
    std::string text = fmt::format("Settings: {}", recipes);
    if (options.epochs > 0) {
        text += fmt::format("; here {} epoch{} per run, with the schedule scaled accordingly", options.epochs,
                            options.epochs == 1 ? "" : "s");
    }
    return text + ". " + by;
}

std::vector<SweptRun> with_states(const std::vector<SweepRun>& runs) {
    std::vector<SweptRun> swept;
    swept.reserve(runs.size());
    for (const SweepRun& run : runs) swept.push_back({run, state_of(run.folder)});
    return swept;
}

std::vector<SweepSection> sections_of(const PaperTable& table, const std::vector<SweptRun>& runs) {
    if (table.result == SweepResult::curves) return curve_sections();
    std::vector<SweepSection> sections;
    if (table.result != SweepResult::distances) {
        sections.push_back({.title = "Test accuracy",
                            .note =
                                "Best: of the best epoch, as the paper reports. Last: after the last epoch. Mean and "
                                "standard deviation over the seeds that are done. Minus softmax: the mean difference "
                                "to softmax with the same seed, in points, and the half-width of its 95% interval by "
                                "Student's t.",
                            .table = accuracy_table(table, runs),
                            .html = ""});
    }
    sections.push_back({.title = "Runs", .note = "", .table = run_table(runs), .html = ""});
    return sections;
}

/// The completed runs.
std::vector<SweepRun> done_of(const std::vector<SweptRun>& runs) {
    std::vector<SweepRun> done;
    for (const SweptRun& run : runs)
        if (run.state.done()) done.push_back(run.run);
    return done;
}

std::vector<std::string> folders_of(const std::vector<SweepRun>& runs) {
    std::vector<std::string> folders;
    folders.reserve(runs.size());
    for (const SweepRun& run : runs) folders.push_back(run.folder.string());
    return folders;
}

/// Writes the page of similarities, and returns the section with the figures of the prototypes.
SweepSection compare_prototypes(const ImageTask& task, const PaperTable& table, const SweepOptions& options,
                                const std::vector<SweepRun>& done) {
    const std::vector<std::string> folders = folders_of(done);
    const std::vector<WordNetCorrelation> correlations =
        write_similarity_page({.runs = folders, .out = options.out / "similarity.html"});
    const std::vector<ClusterIndices> clusters = measure_clusters(task, {.runs = folders});
    std::vector<PrototypeFigures> figures;
    for (std::size_t i = 0; i < done.size(); ++i) {
        figures.push_back({.cell = done[i].cell.name,
                           .pearson = correlations[i].pearson,
                           .spearman = correlations[i].spearman,
                           .clusters = clusters[i].prototypes});
    }
    return prototype_section(table, figures);
}

/// Adds the sections that are computed from trained runs.
void add_results(const ImageTask& task, const PaperTable& table, const SweepOptions& options,
                 const std::vector<SweptRun>& runs, std::vector<SweepSection>& sections) {
    const std::vector<SweepRun> done = done_of(runs);
    if (done.empty()) return;
    if (table.result == SweepResult::distances)
        sections.insert(sections.begin(), distance_section(task, options, runs));
    if (table.result == SweepResult::prototypes)
        sections.insert(sections.begin(), compare_prototypes(task, table, options, done));
    if (table.result == SweepResult::scatter) {
        const FeatureOptions features{.data = options.data, .threads = options.threads, .device = options.device};
        write_scatter_page(task, {.runs = folders_of(done), .features = features, .out = options.out / "scatter.html"});
    }
}

/// Trains the runs that are not completed, several at a time if requested. The tables are written again after each run.
class SweepWork {
public:
    SweepWork(const ImageTask& task, const PaperTable& table, const SweepOptions& options,
              const std::vector<SweepRun>& runs)
        : task_(task), table_(table), options_(options), runs_(runs) {}

    void train_all() {
        {
            std::vector<std::jthread> workers;
            for (std::int64_t i = 0; i < options_.jobs; ++i) workers.emplace_back([this] { work(); });
        }
        if (error_) std::rethrow_exception(error_);
        if (const int signal = signals_.received(); signal != 0) {
            throw Interrupted(signal,
                              fmt::format("{}: go on with: {} --data {} --out {}", signal_name(signal),
                                          command_of(table_, options_), options_.data.string(), options_.out.string()));
        }
    }

private:
    /// Trains one run after another until none is left, a signal arrives, or an error occurs here (not in a run).
    void work() {
        try {
            while (const SweepRun* const run = take()) {
                const std::string name = run->folder.filename().string();
                if (state_of(run->folder).done()) {
                    say(name + ": done before");
                    continue;
                }
                say(fmt::format("{}: run {} of {}", name, run - runs_.data() + 1, runs_.size()));
                train_run(task_, *run, signals_,
                          [&](const std::string& line) { say(fmt::format("{}: {}", name, line)); });
                if (const RunState state = state_of(run->folder); !state.failure.empty())
                    say(fmt::format("{}: failed: {}", name, state.failure));
                const std::lock_guard lock(mutex_);
                write_sweep_page(options_.out, table_, about(table_, options_),
                                 sections_of(table_, with_states(runs_)));
            }
        } catch (...) {
            const std::lock_guard lock(mutex_);
            error_ = std::current_exception();
        }
    }
    /// The next run, or null if there is none or the work has to stop.
    const SweepRun* take() {
        const std::lock_guard lock(mutex_);
        if (signals_.received() != 0 || error_ || next_ == runs_.size()) return nullptr;
        return &runs_[next_++];
    }
    void say(const std::string& line) {
        const std::lock_guard lock(mutex_);
        print_on(shown_lines(line) + "\n");
    }

    const ImageTask& task_;
    const PaperTable& table_;
    const SweepOptions& options_;
    const std::vector<SweepRun>& runs_;
    const SignalWatch signals_;
    std::mutex mutex_;
    std::size_t next_ = 0;
    std::exception_ptr error_;
};

/// Throws Error when an existing run was trained on other data than the current data.
void check_data(const ImageTask& task, const SweepOptions& options, const std::vector<SweepRun>& runs) {
    nlohmann::ordered_json now;
    for (const SweepRun& run : runs) {
        const nlohmann::ordered_json before = recorded_data(run.folder);
        if (before.is_null()) continue;
        if (now.is_null()) now = data_record(*read_set(task, options.data, true), *read_set(task, options.data, false));
        check_same_data(before, now, options.data, run.folder.string());
    }
}

void sweep(const ImageTask& task, const SweepOptions& options) {
    RADIAL_CHECK(options.table.empty() || options.vary.empty(),
                 "--vary: cannot be used with TABLE {}, which defines its own runs", options.table);
    const std::vector<std::string> tables = tables_of(task.program);
    RADIAL_CHECK(!options.table.empty() || !options.vary.empty() || tables.empty(),
                 "TABLE: give one of {}, or options to --vary", fmt::join(tables, ", "));
    const PaperTable table =
        options.table.empty() ? grid_of(task.program, options.vary) : table_named(task.program, options.table);
    const std::vector<SweepRun> runs = runs_of(table, options);
    std::error_code error;
    fs::create_directories(options.out, error);
    if (error) throw FileError(fmt::format("{}: cannot make the folder: {}", options.out.string(), error.message()));
    for (const SweepRun& run : runs) check_settings(task, run);
    if (!options.no_run) {
        const FolderLock lock(options.out, FolderLock::Children::hold);  // held until the runs have saved their state
        check_data(task, options, runs);
        SweepWork(task, table, options, runs).train_all();
    }
    const std::vector<SweptRun> swept = with_states(runs);
    std::vector<SweepSection> sections = sections_of(table, swept);
    write_sweep_page(options.out, table, about(table, options), sections);
    add_results(task, table, options, swept, sections);
    write_sweep_page(options.out, table, about(table, options), sections);
    for (const SweepSection& section : sections)
        if (!section.table.rows.empty()) fmt::print("\n{}\n{}", section.title, to_markdown(section.table));
    fmt::print("\ntable: {}\n", shown((options.out / "table.html").string()));
    std::fflush(stdout);
    const auto failed =
        std::count_if(swept.begin(), swept.end(), [](const auto& run) { return !run.state.failure.empty(); });
    RADIAL_CHECK(failed == 0, "{} of {} runs failed; the same command tries them again", failed, swept.size());
}

void add_sweep_options(CLI::App& app, const ImageTask& task, SweepOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str();
    };
    const std::vector<std::string> tables = tables_of(task.program);
    if (!tables.empty())
        app.add_option("TABLE", options.table,
                       fmt::format("Table or figure of the paper to reproduce: {}", fmt::join(tables, ", ")));
    app.add_option("--vary", options.vary,
                   "Option of 'train' with several values, such as --vary lr=0.1,0.05. If given several times, every "
                   "combination is trained")
        ->type_name("NAME=VALUES")
        ->allow_extra_args(false);
    add("--epochs", options.epochs,
        "Epochs per run; 0 uses the recipe's or the program's. The schedule scales with them")
        ->check(within(0, 1000000));
    add("--seeds", options.seeds, "Runs per row, with seeds 1, 2, ...")->check(within(1, 1000));
    app.add_option("--only", options.only, "Only the runs whose names contain this text")->type_name("TEXT");
    app.add_option("--set", options.set, "Option of 'train' for all runs, such as --set lr=0.1")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
    add("--limit", options.limit, "Train on the first N images; 0 uses all")->check(within(0, 1000000000));
    app.add_flag("--no-run", options.no_run, "Write the tables from existing runs without training");
    app.add_option("--out", options.out, "Folder for the runs, table.md and table.html")->type_name("DIR")->required();
    add_data_option(app, options.data, task.set);
    add("--jobs", options.jobs, "Number of runs at the same time")->check(within(1, 1024));
    add("--threads", options.threads, "Compute threads of each run; 0 divides the cores among the runs")
        ->check(within(0, 4096));
    add("--workers", options.workers, "Threads that prepare batches")->check(within(0, 256));
    add_device_option(app, options.device);
    add_precision_option(app, options.precision);
}

}  // namespace

Command sweep_command(const ImageTask& task) {
    return {.name = "sweep",
            .summary = tables_of(task.program).empty() ? "Train with every combination of several options"
                                                       : "Reproduce a table or figure of the paper, or vary options",
            .set_up =
                [task](CLI::App& app) {
                    auto options = std::make_shared<SweepOptions>();
                    add_sweep_options(app, task, *options);
                    return [task, options] { sweep(task, *options); };
                },
            .keeps_results = true};
}

}  // namespace radial::train
