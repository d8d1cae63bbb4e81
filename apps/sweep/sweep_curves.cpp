// Curves that need no training.
#include "radial/apps/sweep/sweep_curves.h"

#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace radial::train {
namespace {

constexpr double width = 460, height = 300;
constexpr int points = 160;

struct Curve {
    std::string name;
    std::function<double(double)> value;
};

/// γ and s of a row of one of the paper's tables.
struct Setting {
    double gamma, scale;
    std::string name() const { return fmt::format("γ {}, s {}", gamma, scale); }
};

/// A table of the paper that varies γ and s.
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

/// Curves over [0, most] with values in [0, 1].
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
    // The other classes' logits are s * 0.
    return 1 / (1 + static_cast<double>(classes - 1) * std::exp(-scale * kernel));
}

std::vector<SweepSection> curve_sections() {
    std::vector<SweepSection> sections;
    for (const Experiment& experiment : experiments) {
        sections.push_back(
            {.title = experiment.title,
             .note = fmt::format("{} classes. d: squared distance to the own prototype; K = exp(−d/γ); P: "
                                 "probability of the own class when the other classes' K are 0. The least "
                                 "loss is −log P at d 0.",
                                 experiment.classes),
             .table = values(experiment),
             .html = charts(experiment)});
    }
    return sections;
}

}  // namespace radial::train
