// The sections of the page that compares runs.
#include "radial/apps/report/program/comparison.h"

#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/train/console/progress.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <set>

namespace radial::report {
namespace {

namespace fs = std::filesystem;
using train::EpochResult;

std::string percent(double fraction) { return fmt::format("{:.2f}%", 100 * fraction); }

/// A table's cell, in bold where it is the best of its column.
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
        html += cell(percent(end.test_accuracy), end.test_accuracy == last);
        html += cell(percent(end.best_accuracy), end.best_accuracy == best);
        html += fmt::format("<td>{}</td><td>{:.4f}</td><td>{:.4f}</td>", end.best_epoch, end.train_loss, end.test_loss);
        html += cell(fmt::format("{:.0f}", images), images == speed);
        html += fmt::format("<td>{}</td><td>{}</td><td>{:.0f} MB</td></tr>\n",
                            train::format_duration(run.seconds() / static_cast<double>(done)),
                            train::format_duration(run.seconds()), static_cast<double>(end.peak_bytes) / 1e6);
    }
    return train::html_section("Results", "The best of a column is in bold. Speeds are the middle ones of the epochs'.",
                               html + "</tbody></table>\n");
}

template <class F>
std::string chart(const std::vector<RunSummary>& runs, const char* name, bool as_percent, const F& value) {
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
    html += chart(runs, "Mean kernel by epoch", false,
                  [](const EpochResult& e) { return e.mean_kernel.value_or(std::nan("")); });
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
    names.erase("out");  // the folder is the run's name
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

struct CompareOptions {
    std::vector<fs::path> runs;
    fs::path out = "comparison.html";
};

void compare(const CompareOptions& options) {
    const std::vector<RunSummary> runs = read_runs(options.runs);
    write_file(options.out, comparison_page(runs));
    for (const RunSummary& run : runs) {
        fmt::print("{}: test accuracy: last {}, best {} (epoch {}), {} epochs, {:.0f} images/s\n",
                   train::shown(run.name), percent(run.last().test_accuracy), percent(run.last().best_accuracy),
                   run.last().best_epoch, run.epochs.size(), run.images_per_second());
    }
    fmt::print("page: {}\n", train::shown(options.out.string()));
}

}  // namespace

std::string comparison_page(const std::vector<RunSummary>& runs) {
    const std::string title = runs.size() == 1 ? runs.front().name : fmt::format("{} runs", runs.size());
    return train::html_page(title, "Test accuracies are those after each epoch.",
                            results(runs) + curves(runs) + settings(runs));
}

train::Command compare_command() {
    return {"report", "Compares runs on one page: curves, accuracy, speed, and the settings that differ",
            [](CLI::App& app) {
                auto options = std::make_shared<CompareOptions>();
                app.add_option("RUN", options->runs, "Run folders")->required();
                app.add_option("--out", options->out, "Output page")->capture_default_str()->type_name("FILE");
                return [options] { compare(*options); };
            }};
}

}  // namespace radial::report
