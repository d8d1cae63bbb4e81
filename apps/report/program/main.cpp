// radial-report: compares runs on one page, from the files in their folders.
#include "radial/apps/cli/command_line.h"
#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/train/console/progress.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/json_text.h"
#include "radial/apps/train/trainer.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/losses/loss.h"
#include "radial/models/registry.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace radial::report {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using train::EpochResult;

struct RunSummary {
    std::string name;                             ///< name of the folder, or its path if another run has the same name
    std::map<std::string, std::string> settings;  ///< every option, and the program, version and device of the run
    std::int64_t epochs_planned = 0;
    std::vector<train::EpochResult> epochs;  ///< completed epochs, at least one; NaN for values that were not finite

    const train::EpochResult& last() const { return epochs.back(); }
    /// The duration of the completed epochs.
    double seconds() const;
    /// The median speed of the epochs (the lower of the two middle ones if their number is even).
    double images_per_second() const;
};

std::string read_text(const fs::path& folder, const char* name) {
    const fs::path path = folder / name;
    if (!fs::exists(path))
        throw FileError(fmt::format("{}: not the folder of a run: it has no {}", folder.string(), name));
    constexpr std::size_t most = std::size_t{256} << 20U;  // enough for half a million epochs
    return read_file(path, most);
}

std::vector<train::EpochResult> read_epochs(const fs::path& folder) {
    std::vector<train::EpochResult> epochs;
    const std::string text = read_text(folder, "metrics.jsonl");
    std::size_t begin = 0;
    // Text after the last newline belongs to a line that is still being written.
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
        try {
            epochs.push_back(train::epoch_result(train::parse_json(std::string_view(text).substr(begin, end - begin))));
        } catch (const std::exception&) {
            throw FileError(fmt::format("{}: line {} is not what a run writes for an epoch",
                                        (folder / "metrics.jsonl").string(), epochs.size() + 1));
        }
        begin = end + 1;
    }
    if (epochs.empty()) throw FileError(fmt::format("{}: no epoch of this run is done yet", folder.string()));
    return epochs;
}

/// Gives those options of the network or the loss that an earlier version wrote their current names and forms, such as
/// "model.recompute" and "true" for "model.checkpoint" and "1".
void modernise(std::map<std::string, std::string>& settings, const std::string& prefix,
               const std::vector<OptionInfo>& options) {
    for (const OptionInfo& option : options) {
        if (!option.former.empty()) {
            auto former = settings.extract(prefix + option.former);
            if (!former.empty()) former.key() = prefix + option.name;
            settings.insert(std::move(former));
        }
        const auto found = settings.find(prefix + option.name);
        if (found == settings.end()) continue;
        found->second = convert(prefix, option, OptionValue::parse(found->second)).str();
    }
}

/// Gives all options their current names and forms. Those of a sum of losses, or of a network or loss that is not in
/// the registry, stay as they are.
void modernise(std::map<std::string, std::string>& settings) {
    const auto chosen = [&settings](const std::string& name) {
        const auto found = settings.find(name);
        return found == settings.end() ? "" : found->second;
    };
    if (const ModelInfo* const model = model_registry().find(chosen("model")))
        modernise(settings, "model.", model->options);
    if (const LossInfo* const loss = loss_registry().find(chosen("loss"))) modernise(settings, "loss.", loss->options);
}

RunSummary read_run(const fs::path& folder) {
    if (!fs::exists(folder)) throw FileError(fmt::format("{}: no such folder", folder.string()));
    if (!fs::is_directory(folder)) throw FileError(fmt::format("{}: not a folder", folder.string()));
    RunSummary run;
    const std::string text = read_text(folder, "config.json");
    try {
        const Json config = train::parse_json(text);
        for (const auto& [name, value] : config.at("options").items())
            run.settings[name] = train::text_from_json(value);
        modernise(run.settings);
        run.settings["(program)"] = train::text_from_json(config.at("program"));
        run.settings["(version)"] = train::text_from_json(config.at("version"));
        run.settings["(device)"] = train::text_from_json(config.at("device_description"));
        run.epochs_planned = train::whole_number<std::int64_t>(config.at("options"), "epochs");
    } catch (const std::exception&) {
        throw FileError(fmt::format("{}: not what a run writes", (folder / "config.json").string()));
    }
    run.epochs = read_epochs(folder);
    return run;
}

/// The last component of a path, with or without a trailing slash.
std::string last_part(const fs::path& folder) {
    const fs::path path = fs::absolute(folder).lexically_normal();
    return (path.has_filename() ? path : path.parent_path()).filename().string();
}

double RunSummary::seconds() const {
    double total = 0;
    for (const train::EpochResult& epoch : epochs) total += epoch.seconds;
    return total;
}

double RunSummary::images_per_second() const {
    std::vector<double> speeds;
    for (const train::EpochResult& epoch : epochs) speeds.push_back(epoch.images_per_second);
    std::sort(speeds.begin(), speeds.end());
    return speeds[(speeds.size() - 1) / 2];
}

/// Reads config.json and metrics.jsonl of each folder. A last line that is still being written is left out. Throws
/// FileError, naming the folder, or the file and the line, when a folder is not that of a run, a file is malformed or
/// no epoch is complete.
std::vector<RunSummary> read_runs(const std::vector<fs::path>& folders) {
    std::vector<RunSummary> runs;
    std::map<std::string, int> uses;
    for (const fs::path& folder : folders) ++uses[last_part(folder)];
    for (const fs::path& folder : folders) {
        runs.push_back(read_run(folder));
        const std::string name = last_part(folder);
        runs.back().name = uses[name] > 1 ? folder.string() : name;
    }
    return runs;
}

/// A table cell, in bold if it is the best of its column.
std::string cell(const std::string& text, bool best) {
    return best ? "<td><b>" + text + "</b></td>" : "<td>" + text + "</td>";
}

std::string results(const std::vector<RunSummary>& runs) {
    double last = 0, best = 0, speed = 0;
    for (const RunSummary& run : runs) {
        last = std::max(last, run.last().test_accuracy);
        best = std::max(best, run.last().best_accuracy);
        speed = std::max(speed, run.images_per_second());
    }
    std::string html =
        "<table class=\"numbers named\"><thead><tr><th>run</th><th>epochs</th><th>test accuracy, last</th>"
        "<th>best</th><th>at epoch</th><th>training loss</th><th>test loss</th><th>images/s</th>"
        "<th>time an epoch</th><th>time</th><th>peak memory</th></tr></thead><tbody>\n";
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const RunSummary& run = runs[i];
        const EpochResult& end = run.last();
        const auto done = static_cast<std::int64_t>(run.epochs.size());
        const double images = run.images_per_second();
        html +=
            fmt::format("<tr><td><i class=\"line {}\"></i>{}</td>", train::line_style(i), train::escape_html(run.name));
        html += fmt::format("<td>{}</td>", done < run.epochs_planned ? fmt::format("{} of {}", done, run.epochs_planned)
                                                                     : fmt::format("{}", done));
        html += cell(train::percent(end.test_accuracy), end.test_accuracy == last);
        html += cell(train::percent(end.best_accuracy), end.best_accuracy == best);
        html += fmt::format("<td>{}</td><td>{:.4f}</td><td>{:.4f}</td>", end.best_epoch, end.train_loss, end.test_loss);
        html += cell(fmt::format("{:.0f}", images), images == speed);
        html += fmt::format("<td>{}</td><td>{}</td><td>{:.0f} MB</td></tr>\n",
                            train::format_duration(run.seconds() / static_cast<double>(done)),
                            train::format_duration(run.seconds()), static_cast<double>(end.peak_bytes) / 1e6);
    }
    return train::html_section("Results",
                               "The best value of each column is in bold. Speeds are medians over the epochs.",
                               html + "</tbody></table>\n");
}

template <class F>
std::string chart(const std::vector<RunSummary>& runs, const std::string& name, bool as_percent, const F& value) {
    std::vector<train::Series> lines;
    bool any = false;
    for (const RunSummary& run : runs) {
        train::Series& line = lines.emplace_back(train::Series{.name = run.name, .values = {}});
        for (const EpochResult& epoch : run.epochs) {
            line.values.push_back(value(epoch));
            any = any || std::isfinite(line.values.back());
        }
    }
    return any ? train::html_section(name, "", train::line_chart(lines, as_percent)) : "";
}

std::string curves(const std::vector<RunSummary>& runs) {
    std::string html = "<div class=\"grid2\">\n";
    html += chart(runs, "Test accuracy by epoch", true, [](const EpochResult& e) { return e.test_accuracy; });
    html += chart(runs, "Test loss by epoch", false, [](const EpochResult& e) { return e.test_loss; });
    html += chart(runs, "Training accuracy by epoch", true, [](const EpochResult& e) { return e.train_accuracy; });
    html += chart(runs, "Training loss by epoch", false, [](const EpochResult& e) { return e.train_loss; });
    std::vector<EpochResult> all;
    for (const RunSummary& run : runs) all.insert(all.end(), run.epochs.begin(), run.epochs.end());
    for (const std::string& name : train::metric_names(all))
        html += chart(runs, train::metric_title(name) + " by epoch", false,
                      [&](const EpochResult& e) { return e.metric(name).value_or(std::nan("")); });
    html += chart(runs, "Learning rate by epoch", false, [](const EpochResult& e) { return e.lr; });
    return html + "</div>\n";
}

/// A run's value of a setting, or a dash.
std::string setting(const RunSummary& run, const std::string& name) {
    const auto found = run.settings.find(name);
    return found == run.settings.end() ? "–" : found->second;
}

std::string settings(const std::vector<RunSummary>& runs) {
    std::set<std::string> names;
    for (const RunSummary& run : runs)
        for (const auto& entry : run.settings) names.insert(entry.first);
    names.erase("out");  // the runs are already named by their folders
    std::string rows;
    std::size_t same = 0;
    for (const std::string& name : names) {
        const std::string first = setting(runs.front(), name);
        if (std::all_of(runs.begin(), runs.end(), [&](const RunSummary& run) { return setting(run, name) == first; })) {
            ++same;
            continue;
        }
        rows += "<tr><th>" + train::escape_html(name) + "</th>";
        for (const RunSummary& run : runs) rows += "<td>" + train::escape_html(setting(run, name)) + "</td>";
        rows += "</tr>\n";
    }
    std::string head = "<table class=\"settings differ\"><thead><tr><th></th>";
    for (std::size_t i = 0; i < runs.size(); ++i)
        head +=
            fmt::format("<th><i class=\"line {}\"></i>{}</th>", train::line_style(i), train::escape_html(runs[i].name));
    const std::string note = fmt::format("{} more are the same in all runs.", same);
    return train::html_section("Settings that differ", rows.empty() ? "None." : note,
                               rows.empty() ? "" : head + "</tr></thead><tbody>\n" + rows + "</tbody></table>\n");
}

/// The page: a table of accuracy and speed, the curves of all runs in common charts, and the settings that differ.
/// There must be at least one run.
std::string comparison_page(const std::vector<RunSummary>& runs) {
    const std::string title = runs.size() == 1 ? runs.front().name : fmt::format("{} runs", runs.size());
    return train::html_page(title, "Test accuracies are those after each epoch.",
                            results(runs) + curves(runs) + settings(runs));
}

struct CompareOptions {
    std::vector<fs::path> runs;
    fs::path out = "comparison.html";
};

void compare(const CompareOptions& options) {
    const std::vector<RunSummary> runs = read_runs(options.runs);
    write_file(options.out, comparison_page(runs));
    for (const RunSummary& run : runs) {
        const EpochResult& end = run.last();
        const std::string result =
            std::isnan(end.test_accuracy)
                ? fmt::format("test loss: last {:.4f}, lowest in epoch {}", end.test_loss, end.best_epoch)
                : fmt::format("test accuracy: last {}, best {} (epoch {})", train::percent(end.test_accuracy),
                              train::percent(end.best_accuracy), end.best_epoch);
        fmt::print("{}: {}, {} epochs, {:.0f} images/s\n", train::shown(run.name), result, run.epochs.size(),
                   run.images_per_second());
    }
    fmt::print("page: {}\n", train::shown(options.out.string()));
}

/// The command, which reads the folders of runs and writes the page.
train::Command compare_command() {
    return {"report", "Compares runs on one page: curves, accuracy, speed, and the settings that differ",
            [](CLI::App& app) {
                auto options = std::make_shared<CompareOptions>();
                app.add_option("RUN", options->runs, "Run folders")->required();
                app.add_option("--out", options->out, "Output page")->capture_default_str()->type_name("FILE");
                return [options] { compare(*options); };
            }};
}

}  // namespace
}  // namespace radial::report

int main(int argc, char** argv) {
    return radial::train::run_program("radial-report", radial::report::compare_command(), argc, argv);
}
