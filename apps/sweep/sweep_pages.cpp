// Tables from the states of runs, curves from formulas, and distances and features from snapshots and checkpoints.
#include "radial/apps/sweep/sweep_pages.h"

#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/console/progress.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/run/snapshots.h"
#include "radial/apps/train/statistics.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <utility>

namespace radial::train {
namespace {

/// The mean and, if there are several values, the sample standard deviation, such as "99.31% ± 0.04", or "0.99 ± 0.04"
/// if `unit` is empty.
std::string mean_and_spread(const std::vector<double>& values, const std::string& unit = "%") {
    if (values.empty()) return "–";
    double sum = 0, squares = 0;
    for (const double value : values) sum += value;
    const double mean = sum / static_cast<double>(values.size()), factor = unit.empty() ? 1 : 100;
    const std::string text = unit.empty() ? fmt::format("{:.2f}", mean) : percent(mean);
    if (values.size() == 1) return text;
    for (const double value : values) squares += (value - mean) * (value - mean);
    return fmt::format("{} ± {:.2f}", text, factor * std::sqrt(squares / static_cast<double>(values.size() - 1)));
}

std::string state_in_words(const RunState& state) {
    if (!state.failure.empty()) return "failed: " + state.failure;
    if (state.done()) return "done";
    return state.epochs == 0 ? "not begun" : "not finished";
}

/// Whether `cell` differs from `other` in nothing but the loss and its options.
bool differs_in_loss_alone(const PaperRun& cell, const PaperRun& other) {
    const auto rest = [](const PaperRun& run) {
        std::vector<std::pair<std::string, std::string>> options = run.options;
        std::erase_if(options,
                      [](const auto& option) { return option.first == "loss" || option.first.starts_with("loss."); });
        return options;
    };
    return cell.column == other.column && rest(cell) == rest(other);
}

bool is_softmax(const PaperRun& cell) {
    return std::ranges::find(cell.options, std::pair<std::string, std::string>("loss", "softmax")) !=
           cell.options.end();
}

/// The last test accuracy of each completed run of a cell, by seed.
std::map<std::uint64_t, double> last_by_seed(const std::string& cell, const std::vector<SweptRun>& runs) {
    std::map<std::uint64_t, double> found;
    for (const auto& [run, state] : runs)
        if (run.cell.name == cell && state.done()) found[run.seed] = state.last;
    return found;
}

/// "+1.20 ± 0.35": the last accuracy of a cell minus that of softmax with the same seed, in points, and the half-width
/// of the 95% interval. "–" for softmax itself, and where there is no softmax to compare with.
std::string minus_softmax(const PaperTable& table, const PaperRun& cell, const std::vector<SweptRun>& runs) {
    const auto softmax = std::ranges::find_if(
        table.runs, [&](const PaperRun& other) { return is_softmax(other) && differs_in_loss_alone(cell, other); });
    if (softmax == table.runs.end() || is_softmax(cell)) return "–";
    const std::map<std::uint64_t, double> own = last_by_seed(cell.name, runs),
                                          other = last_by_seed(softmax->name, runs);
    std::vector<double> differences;
    for (const auto& [seed, accuracy] : own)
        if (const auto same = other.find(seed); same != other.end())
            differences.push_back(100 * (accuracy - same->second));
    if (differences.empty()) return "–";
    const auto [mean, half_width] = mean_interval(differences);
    return std::isnan(half_width) ? fmt::format("{:+.2f}", mean) : fmt::format("{:+.2f} ± {:.2f}", mean, half_width);
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
        row.push_back(minus_softmax(table, cell, runs));
        result.rows.push_back(std::move(row));
    }
    // Without a softmax run to compare with, the last column contains only dashes.
    const bool compares =
        std::ranges::any_of(result.rows, [](const std::vector<std::string>& row) { return row.back() != "–"; });
    if (compares) result.headers.emplace_back("last, minus softmax");
    for (std::vector<std::string>& row : result.rows)
        if (!compares) row.pop_back();
    return result;
}

SweepSection prototype_section(const PaperTable& table, const std::vector<PrototypeFigures>& figures) {
    SweepSection section{
        .title = "Prototypes",
        .note =
            "Correlation of the prototypes' similarities with WordNet's similarities of the class names, over all "
            "pairs of classes (the paper does not name its correlation), and the Calinski-Harabasz index of the "
            "prototypes by superclass. Mean and standard deviation over the seeds that are done. similarity.html "
            "has the matrices.",
        .table = {.headers = {"loss", "paper, correlation", "ours, Pearson", "ours, Spearman",
                              "paper, Calinski-Harabasz", "ours", "seeds"},
                  .rows = {},
                  .numbers_from = 1},
        .html = ""};
    for (const PaperPrototypes& paper : paper_table_2()) {
        std::vector<double> pearson, spearman, clusters;
        for (const PrototypeFigures& each : figures) {
            if (each.cell != paper.run) continue;
            pearson.push_back(each.pearson);
            spearman.push_back(each.spearman);
            clusters.push_back(each.clusters);
        }
        const auto cell = std::ranges::find_if(table.runs, [&](const PaperRun& run) { return run.name == paper.run; });
        section.table.rows.push_back({cell == table.runs.end() ? paper.run : cell->row, paper.correlation,
                                      mean_and_spread(pearson, ""), mean_and_spread(spearman, ""), paper.clusters,
                                      mean_and_spread(clusters, ""), fmt::format("{}", pearson.size())});
    }
    return section;
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

namespace {

constexpr double width = 460, height = 300;
constexpr int points = 160;

struct Curve {
    std::string name;
    std::function<double(double)> value;
};

/// γ and s, as in one row of a table of the paper.
struct Setting {
    double gamma, scale;
    std::string name() const { return fmt::format("γ {}, s {}", gamma, scale); }
};

/// A table of the paper in which γ and s vary.
struct Experiment {
    std::string title;
    std::int64_t classes;
    std::vector<Setting> settings;
};

const std::vector<Experiment> experiments = {
    {"MNIST, Table 3", 10, {{1, 2}, {1, 4}, {1, 8}, {1.3, 2}, {2, 2}}},
    {"CIFAR-10, Table 5", 10, {{2, 3}, {2, 4}, {1.8, 4}, {1.6, 4}}},
    {"CIFAR-100, Table 6", 100, {{2.2, 10}, {2.2, 14}, {1, 12}, {4, 12}}},
    {"ImageNet, Table 7", 1000, {{4, 8}, {16, 35}}},
};

std::vector<double> different(const Experiment& experiment, double Setting::*member) {
    std::vector<double> values;
    for (const Setting& setting : experiment.settings) values.push_back(setting.*member);
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
}

std::string colour(std::size_t index) { return fmt::format("var(--c{})", index % 10); }

/// A chart of curves over [0, most] with values in [0, 1].
std::string chart(const std::vector<Curve>& curves, double most, const std::string& x_name, const std::string& y_name) {
    const auto label = [](double value) { return fmt::format("{:.3g}", value); };
    const ChartFrame frame(width, height, {.low = 0, .high = most, .ticks = round_ticks(0, most, 6), .label = label},
                           {.low = 0, .high = 1.02, .ticks = round_ticks(0, 1, 5), .label = label});
    std::string legend = "<ul class=\"legend\">", paths;
    for (std::size_t i = 0; i < curves.size(); ++i) {
        legend += fmt::format("<li><i class=\"line\" style=\"background:{}\"></i>{}</li>", colour(i),
                              escape_html(curves[i].name));
        std::string path;
        for (int p = 0; p <= points; ++p) {
            const double x = most * p / points;
            path += fmt::format("{}{:.1f} {:.1f}", p == 0 ? "M" : "L", frame.x(x), frame.y(curves[i].value(x)));
        }
        paths += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"><title>{}</title></path>\n",
                             path, colour(i), escape_html(curves[i].name));
    }
    const std::string name = fmt::format("{} over {}", y_name, x_name);
    return fmt::format("<h3>{}</h3>\n{}</ul>\n{}{}</svg>\n", escape_html(name), legend, frame.open(name), paths);
}

std::string charts(const Experiment& experiment) {
    const std::vector<double> gammas = different(experiment, &Setting::gamma);
    const std::vector<double> scales = different(experiment, &Setting::scale);
    const double far = 5 * gammas.back();
    std::vector<Curve> kernels, by_distance, by_kernel;
    for (const double gamma : gammas)
        kernels.push_back({fmt::format("γ {}", gamma), [gamma](double d) { return kernel_at(d, gamma); }});
    for (const double scale : scales) {
        by_kernel.push_back({fmt::format("s {}", scale),
                             [scale, &experiment](double k) { return probability_at(k, scale, experiment.classes); }});
    }
    for (const Setting& setting : experiment.settings) {
        by_distance.push_back({setting.name(), [setting, &experiment](double d) {
                                   return probability_at(kernel_at(d, setting.gamma), setting.scale,
                                                         experiment.classes);
                               }});
    }
    return "<div class=\"curves\">\n<div>" + chart(kernels, far, "d", "K") + "</div>\n<div>" +
           chart(by_distance, far, "d", "P") + "</div>\n<div>" + chart(by_kernel, 1, "K", "P") + "</div>\n</div>\n";
}

TextTable values(const Experiment& experiment) {
    TextTable table{.headers = {"setting"}, .rows = {}, .numbers_from = 1};
    const std::vector<double> distances = {0, 0.5, 1, 2, 4, 8, 16};
    for (const double distance : distances) table.headers.push_back(fmt::format("P at d {}", distance));
    table.headers.emplace_back("least loss");
    for (const Setting& setting : experiment.settings) {
        std::vector<std::string> row = {setting.name()};
        for (const double distance : distances) {
            row.push_back(fmt::format(
                "{:.3f}", probability_at(kernel_at(distance, setting.gamma), setting.scale, experiment.classes)));
        }
        row.push_back(fmt::format("{:.3f}", -std::log(probability_at(1, setting.scale, experiment.classes))));
        table.rows.push_back(std::move(row));
    }
    return table;
}

}  // namespace

double kernel_at(double distance, double gamma) { return std::exp(-distance / gamma); }

double probability_at(double kernel, double scale, std::int64_t classes) {
    // The logits of the other classes are s * 0.
    return 1 / (1 + static_cast<double>(classes - 1) * std::exp(-scale * kernel));
}

std::vector<SweepSection> curve_sections() {
    std::vector<SweepSection> sections;
    sections.reserve(std::size(experiments));
    for (const Experiment& experiment : experiments) {
        sections.push_back({.title = experiment.title,
                            .note = fmt::format(
                                "{} classes. d: squared distance to the prototype of the true class; K = exp(−d/γ); P: "
                                "probability of the true class when the other classes' K are 0. The least "
                                "loss is −log P at d 0.",
                                experiment.classes),
                            .table = values(experiment),
                            .html = charts(experiment)});
    }
    return sections;
}

namespace {

namespace fs = std::filesystem;

const std::vector<std::int64_t> steps_shown = {20, 40, 60, 100, 200};

/// The classifier of `run` at the time when `snapshot` was saved.
Classifier classifier_of(const fs::path& run, const fs::path& snapshot) {
    TensorFile file = read_safetensors(snapshot);
    std::erase_if(file.tensors, [](const NamedTensor& each) {
        return !each.name.starts_with("model.") && !each.name.starts_with("loss.");
    });
    file.metadata = read_safetensors(run / "checkpoint.safetensors").metadata;
    return load_classifier(file, snapshot);
}

std::string number(double value) { return fmt::format("{:.{}f}", value, value < 0.01 ? 4 : 2); }

std::vector<std::string> row_of(const std::string& dim, std::int64_t step, const OwnDistances& found, double accuracy) {
    return {dim,
            fmt::format("ours, step {}", step),
            number(found.min),
            number(found.max),
            number(found.mean),
            number(found.variance),
            fmt::format("{:.2f}%", 100 * accuracy)};
}

}  // namespace

OwnDistances own_distances(std::span<const float> features, std::span<const std::int64_t> labels,
                           std::span<const float> prototypes, std::size_t dim) {
    OwnDistances found{.min = std::numeric_limits<double>::infinity()};
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        double distance = 0;
        for (std::size_t d = 0; d < dim; ++d) {
            const double difference = static_cast<double>(features[i * dim + d]) -
                                      static_cast<double>(prototypes[static_cast<std::size_t>(labels[i]) * dim + d]);
            distance += difference * difference;
        }
        found.min = std::min(found.min, distance);
        found.max = std::max(found.max, distance);
        sum += distance;
        squares += distance * distance;
    }
    const auto count = static_cast<double>(labels.size());
    found.mean = sum / count;
    found.variance = std::max(0.0, squares / count - found.mean * found.mean);
    return found;
}

SweepSection distance_section(const ImageTask& task, const SweepOptions& options, const std::vector<SweptRun>& runs) {
    SweepSection section{
        .title = "Squared distance to the prototype of the true class",
        .note =
            "‖x − W_y‖² over the test images, W the weights of the softmax, after so many steps. The paper does not "
            "state at which step, on which images and at which learning rate it measured.",
        .table = {.headers = {"features", "measured", "min", "max", "mean", "variance", "accuracy"},
                  .rows = {},
                  .numbers_from = 2},
        .html = ""};
    const Device device = start_device(options.device, options.threads, options.precision);
    const std::shared_ptr<data::Dataset> test = read_set(task, options.data, false);
    for (const PaperDistances& paper : paper_table_1()) {
        section.table.rows.push_back(
            {paper.dim + "-D", "paper", paper.min, paper.max, paper.mean, paper.variance, "–"});
        for (const auto& [run, state] : runs) {
            if (run.cell.name != paper.dim + "d" || !state.done()) continue;
            const std::string dim =
                run.seed == 1 ? paper.dim + "-D" : fmt::format("{}-D, seed {}", paper.dim, run.seed);
            for (const std::int64_t step : steps_shown) {
                const fs::path snapshot = run.folder / "snapshots" / fmt::format("step-{:09}.safetensors", step);
                if (!fs::exists(snapshot)) continue;
                const Classifier classifier = classifier_of(run.folder, snapshot);
                classifier.model->to(device);
                classifier.loss->to(device);
                data::Loader loader(test, {.batch_size = 128, .mean = task.mean, .std = task.std});
                const Evaluation found =
                    evaluate(*classifier.model, *classifier.loss, loader, device, {.keep_features = true});
                const Tensor prototypes = classifier.loss->prototypes();
                section.table.rows.push_back(
                    row_of(dim, step,
                           own_distances(found.features, found.labels, prototypes.to_vector<float>(),
                                         static_cast<std::size_t>(classifier.spec.dim)),
                           found.accuracy()));
            }
        }
    }
    return section;
}

}  // namespace radial::train
