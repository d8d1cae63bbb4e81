// The tables of a sweep and the pages around them.
#include "radial/apps/sweep/sweep_page.h"

#include "radial/apps/report/html_page.h"
#include "radial/apps/train/console/progress.h"
#include "radial/core/io/files.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace radial::train {
namespace {

/// "99.31% ± 0.04", with the sample's standard deviation where there are several.
std::string mean_and_spread(const std::vector<double>& values) {
    if (values.empty()) return "–";
    double sum = 0, squares = 0;
    for (const double value : values) sum += value;
    const double mean = sum / static_cast<double>(values.size());
    if (values.size() == 1) return percent(mean);
    for (const double value : values) squares += (value - mean) * (value - mean);
    return fmt::format("{} ± {:.2f}", percent(mean), 100 * std::sqrt(squares / static_cast<double>(values.size() - 1)));
}

std::string state_in_words(const RunState& state) {
    if (!state.failure.empty()) return "failed: " + state.failure;
    if (state.done()) return "done";
    return state.epochs == 0 ? "not begun" : "not finished";
}

}  // namespace

TextTable accuracy_table(const PaperTable& table, const std::vector<SweptRun>& runs) {
    const bool columns = !table.column_title.empty();
    const bool of_paper = !is_grid(table);
    TextTable result{.headers = {of_paper ? "loss" : "settings"}, .rows = {}, .numbers_from = columns ? 2U : 1U};
    if (columns) result.headers.push_back(table.column_title);
    if (of_paper) result.headers.emplace_back("paper");
    for (const char* header : {"best", "last", "epochs", "seeds"})
        result.headers.push_back((of_paper && result.headers.size() < result.numbers_from + 3 ? "ours, " : "") +
                                 std::string(header));
    for (const PaperRun& cell : table.runs) {
        std::vector<double> best, last;
        std::int64_t asked = 0, epochs = 0;
        for (const SweptRun& each : runs) {
            if (each.run.cell.name != cell.name) continue;
            ++asked;
            epochs = std::max(epochs, each.state.epochs);
            if (!each.state.done()) continue;
            best.push_back(each.state.best);
            last.push_back(each.state.last);
        }
        if (asked == 0) continue;
        std::vector<std::string> row = {cell.row};
        if (columns) row.push_back(cell.column);
        if (of_paper) row.push_back(cell.paper);
        row.insert(row.end(),
                   {mean_and_spread(best), mean_and_spread(last), epochs > 0 ? fmt::format("{}", epochs) : "–",
                    fmt::format("{} of {}", best.size(), asked)});
        result.rows.push_back(std::move(row));
    }
    return result;
}

TextTable run_table(const std::vector<SweptRun>& runs) {
    TextTable result{.headers = {"run", "state", "epochs", "last", "best", "best epoch", "test loss", "time"},
                     .rows = {},
                     .numbers_from = 2};
    for (const auto& [run, state] : runs) {
        const bool measured = state.epochs_done > 0;
        result.rows.push_back(
            {run.folder.filename().string(), state_in_words(state),
             fmt::format("{}/{}", state.epochs_done, state.epochs), measured ? percent(state.last) : "–",
             measured ? percent(state.best) : "–", measured ? fmt::format("{}", state.best_epoch) : "–",
             measured ? fmt::format("{:.4f}", state.last_loss) : "–", measured ? format_duration(state.seconds) : "–"});
    }
    return result;
}

void write_sweep_page(const std::filesystem::path& out, const PaperTable& table, const std::string& about,
                      const std::vector<SweepSection>& sections) {
    std::string markdown = fmt::format("# {}\n\n{}\n", table.title, about), html;
    for (const SweepSection& section : sections) {
        markdown += fmt::format("\n## {}\n\n", section.title);
        if (!section.note.empty()) markdown += section.note + "\n\n";
        if (!section.table.rows.empty()) markdown += to_markdown(section.table);
        html += html_section(section.title, section.note,
                             (section.table.rows.empty() ? "" : to_html(section.table)) + section.html);
    }
    write_file(out / "table.md", markdown);
    write_file(out / "table.html", html_page(table.title, about, html));
}

}  // namespace radial::train
