// Grid, axes and round tick values of every chart; curves over epochs; the confusion matrix as a table and as a
// picture, its largest cells, the accuracy of each class, and the reliability diagram.
#include "radial/apps/report/charts.h"

#include "radial/apps/report/html_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <tuple>

namespace radial::train {
namespace {

constexpr double left = 52, right = 12, top = 10, bottom = 28;

constexpr double curves_width = 560, curves_height = 300;
constexpr std::size_t colours = 8;  // --s0 .. --s7 of the page's style

std::string format_value(double value, bool percent) {
    return percent ? fmt::format("{:.2f}%", 100 * value) : fmt::format("{:.4g}", value);
}

Axis epoch_axis(std::size_t epochs) {
    const auto last = static_cast<double>(epochs);
    // With one epoch, the only point is in the middle.
    Axis axis{.low = epochs > 1 ? 1.0 : 0.0, .high = std::max(2.0, last), .ticks = {}, .label = [](double epoch) {
                  return fmt::format("{:.0f}", epoch);
              }};
    const double step = std::max(1.0, std::ceil(last / 12));
    for (double epoch = epochs > 12 ? step : 1; epoch <= last; epoch += step) axis.ticks.push_back(epoch);
    return axis;
}

Axis value_axis(const std::vector<Series>& series, bool percent) {
    double low = HUGE_VAL, high = -HUGE_VAL;
    for (const Series& line : series) {
        for (const double value : line.values) {
            if (!std::isfinite(value)) continue;
            low = std::min(low, value);
            high = std::max(high, value);
        }
    }
    if (low > high) low = high = 0;
    if (!percent) low = 0;
    const double margin = std::max(0.05 * (high - low), percent ? 0.001 : 1e-9);
    Axis axis;
    axis.low = percent ? std::max(0.0, low - margin) : 0;
    axis.high = percent ? std::min(1.0, high + margin) : high + margin;
    axis.ticks = round_ticks(axis.low, axis.high, 5);
    // Enough digits to tell neighbouring ticks apart.
    const double gap = (percent ? 100 : 1) * (axis.high - axis.low) / 5;
    const int digits = std::clamp(static_cast<int>(std::ceil(-std::log10(gap))), 0, 6);
    axis.label = [percent, digits](double value) {
        return percent ? fmt::format("{:.{}f}%", 100 * value, digits) : fmt::format("{:.{}f}", value, digits);
    };
    return axis;
}

std::string curve(const ChartFrame& frame, const Series& series, std::size_t index, bool percent) {
    std::string path, points;
    bool pen_down = false;
    for (std::size_t i = 0; i < series.values.size(); ++i) {
        const double value = series.values[i];
        if (!std::isfinite(value)) {
            pen_down = false;
            continue;
        }
        const double x = frame.x(static_cast<double>(i + 1)), y = frame.y(value);
        path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x, y);
        pen_down = true;
        points += fmt::format(R"(<circle cx="{:.1f}" cy="{:.1f}" r="{}"><title>epoch {}: {} {}</title></circle>)", x, y,
                              series.values.size() > 40 ? 2 : 4, i + 1, escape_html(series.name),
                              format_value(value, percent));
    }
    return fmt::format("<g class=\"series {}\"><path d=\"{}\"/>{}</g>\n", line_style(index), path, points);
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int count) {
    const double rough = (high - low) / count, power = std::pow(10.0, std::floor(std::log10(rough)));
    double step = 10 * power;
    for (const double factor : {5.0, 2.0, 1.0})
        if (factor * power >= rough * 0.999) step = factor * power;
    std::vector<double> ticks;
    // Multiples of the step avoid accumulated rounding errors. The margin keeps a limit that is itself a tick.
    for (double i = std::ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; ++i) ticks.push_back(i * step + 0.0);
    return ticks;
}

ChartFrame::ChartFrame(double width, double height, Axis x, Axis y)
    : width_(width), height_(height), x_(std::move(x)), y_(std::move(y)) {}

double ChartFrame::x(double value) const {
    return left + (value - x_.low) / (x_.high - x_.low) * (width_ - left - right);
}

double ChartFrame::y(double value) const {
    return height_ - bottom - (value - y_.low) / (y_.high - y_.low) * (height_ - top - bottom);
}

std::string ChartFrame::open(const std::string& description) const {
    std::string svg = fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", width_, height_,
                                  escape_html(description));
    for (const double tick : y_.ticks) {
        svg += fmt::format(R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>)", left, width_ - right,
                           y(tick), y(tick));
        svg += fmt::format(R"(<text class="tick" x="{}" y="{:.1f}" text-anchor="end">{}</text>)", left - 7, y(tick) + 4,
                           y_.label(tick));
    }
    for (const double tick : x_.ticks) {
        svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", x(tick),
                           height_ - bottom + 18, x_.label(tick));
    }
    svg += fmt::format(R"(<line class="axis" x1="{}" x2="{}" y1="{}" y2="{}"/>)", left, width_ - right,
                       height_ - bottom, height_ - bottom);
    return svg + "\n";
}

std::string line_style(std::size_t index) {
    const std::string colour = fmt::format("s{}", index % colours);
    return index < colours ? colour : colour + " dashed";
}

std::string line_chart(const std::vector<Series>& series, bool percent) {
    std::string legend = "<ul class=\"legend\">", description = "Over epochs:";
    std::size_t epochs = 1;
    for (std::size_t i = 0; i < series.size(); ++i) {
        const std::vector<double>& values = series[i].values;
        epochs = std::max(epochs, values.size());
        const auto last = std::find_if(values.rbegin(), values.rend(), [](double v) { return std::isfinite(v); });
        if (last == values.rend()) continue;  // no finite value, so nothing is drawn
        legend += fmt::format("<li><i class=\"line {}\"></i><span>{}</span> <b>{}</b></li>", line_style(i),
                              escape_html(series[i].name), format_value(*last, percent));
        description += " " + series[i].name;
    }
    const ChartFrame frame(curves_width, curves_height, epoch_axis(epochs), value_axis(series, percent));
    std::string svg = frame.open(description);
    for (std::size_t i = 0; i < series.size(); ++i) svg += curve(frame, series[i], i, percent);
    return legend + "</ul>\n" + svg + "</svg>\n";
}

namespace {

std::string cell(std::int64_t count, std::int64_t row_total, bool diagonal, const std::string& note) {
    if (count == 0) return fmt::format("<td class=\"none\" title=\"{}\">0</td>", note);
    // The square root makes a few errors among many visible.
    const double share = std::sqrt(static_cast<double>(count) / static_cast<double>(row_total));
    const double alpha = diagonal ? 0.6 * share * share : 0.15 + 0.85 * share;
    return fmt::format("<td style=\"background:rgb(var(--{}) / {:.2f})\" title=\"{}\">{}</td>",
                       diagonal ? "right" : "wrong", alpha, note, count);
}

constexpr int levels = 8;

double share(std::int64_t count, std::int64_t total) {
    return total > 0 ? static_cast<double>(count) / static_cast<double>(total) : 0;
}

/// Class numbers at about five round ticks, on the left of the picture and below it.
std::string class_ticks(std::size_t classes, double cell, double margin) {
    std::string svg;
    const double side = static_cast<double>(classes) * cell;
    for (const double tick : round_ticks(0, static_cast<double>(classes - 1), 5)) {
        const double at = margin + (tick + 0.5) * cell;
        svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="end">{:.0f}</text>)", margin - 6,
                           at + 4, tick);
        svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.1f}" text-anchor="middle">{:.0f}</text>)", at,
                           margin + side + 16, tick);
    }
    return svg;
}

constexpr std::size_t most_bars = 40, each_end = 20;

struct ClassShare {
    std::string name;
    std::int64_t found = 0, total = 0;

    double share() const { return total > 0 ? static_cast<double>(found) / static_cast<double>(total) : 0; }
};

std::string bars(std::span<const ClassShare> classes) {
    std::size_t longest = 2;
    for (const ClassShare& one : classes) longest = std::max(longest, one.name.size());
    std::string html =
        fmt::format("<ul class=\"bars\" style=\"--name: {}ch\">\n", std::min<std::size_t>(longest + 1, 22));
    for (const ClassShare& one : classes) {
        const std::string percent = one.total > 0 ? fmt::format("{:.1f}%", 100 * one.share()) : "–";
        html += fmt::format(
            "<li title=\"{} of {} images\"><span>{}</span><i><u style=\"width:{:.1f}%\"></u></i><b>{}</b></li>\n",
            one.found, one.total, escape_html(one.name), 100 * one.share(), percent);
    }
    return html + "</ul>\n";
}

/// The number of classes in each tenth of the accuracy, as bars.
std::string tenths(std::span<const ClassShare> classes) {
    std::array<std::int64_t, 10> counts{};
    for (const ClassShare& one : classes)
        ++counts[std::min<std::size_t>(9, static_cast<std::size_t>(10 * one.share()))];
    const std::int64_t most = *std::max_element(counts.begin(), counts.end());
    std::string html = "<ul class=\"bars\">\n";
    for (std::size_t i = 0; i < counts.size(); ++i) {
        html += fmt::format("<li><span>{} to {}%</span><i><u style=\"width:{:.1f}%\"></u></i><b>{}</b></li>\n", 10 * i,
                            10 * (i + 1), 100 * static_cast<double>(counts[i]) / static_cast<double>(most), counts[i]);
    }
    return html + "</ul>\n";
}

}  // namespace

std::string confusion_table(const Confusion& confusion, const std::vector<std::string>& class_names) {
    const std::size_t classes = class_names.size();
    // Names that are wider than a column of counts are written vertically.
    const bool upright =
        std::any_of(class_names.begin(), class_names.end(), [](const auto& n) { return n.size() > 6; });
    std::string html = fmt::format("<table class=\"confusion{}\"><thead><tr><th></th>", upright ? " upright" : "");
    for (const std::string& name : class_names) html += "<th>" + escape_html(name) + "</th>";
    html += "<th>found</th></tr></thead><tbody>\n";
    for (std::size_t truth = 0; truth < classes; ++truth) {
        const auto row = static_cast<std::int64_t>(truth), total = confusion.total(row);
        html += "<tr><th>" + escape_html(class_names[truth]) + "</th>";
        for (std::size_t guess = 0; guess < classes; ++guess) {
            const std::int64_t count = confusion.count(row, static_cast<std::int64_t>(guess));
            const std::string note =
                fmt::format("{} of {} images of {} taken for {}", count, total, class_names[truth], class_names[guess]);
            html += cell(count, total, truth == guess, escape_html(note));
        }
        const double found =
            total > 0 ? static_cast<double>(confusion.count(row, row)) / static_cast<double>(total) : 0;
        html += fmt::format("<td class=\"share\">{:.1f}%</td></tr>\n", 100 * found);
    }
    return html + "</tbody></table>\n";
}

std::string confusion_map(const Confusion& confusion, const std::vector<std::string>& class_names) {
    const std::size_t classes = class_names.size();
    // One path for each level of each colour, so that a cell takes only about twenty bytes.
    std::array<std::string, levels> right, wrong;
    const double margin = 36, cell = 640.0 / static_cast<double>(classes);
    for (const auto& [truth, guess, count] : confusion.cells()) {
        // The square root makes a few errors among many visible.
        const double part = share(count, confusion.total(truth)), shade = truth == guess ? part : std::sqrt(part);
        const auto level = std::min(static_cast<std::size_t>(shade * levels), std::size_t{levels - 1});
        (truth == guess ? right : wrong)[level] +=
            fmt::format("M{:.1f} {:.1f}h{:.1f}v{:.1f}h-{:.1f}z", margin + static_cast<double>(guess) * cell,
                        margin + static_cast<double>(truth) * cell, cell, cell, cell);
    }
    const double size = 640 + 2 * margin;
    std::string svg = fmt::format(
        R"(<svg class="map" viewBox="0 0 {0} {0}" role="img" aria-label="Confusion matrix of {1} classes">)", size,
        classes);
    svg += fmt::format(R"(<rect class="frame" x="{0}" y="{0}" width="640" height="640"/>)", margin);
    for (std::size_t level = 0; level < levels; ++level) {
        const double alpha = (static_cast<double>(level) + 1) / levels;
        for (const auto& [paths, colour] : {std::pair(&right, "right"), std::pair(&wrong, "wrong")})
            if (!(*paths)[level].empty())
                svg +=
                    fmt::format("<path d=\"{}\" fill=\"rgb(var(--{}) / {:.2f})\"/>\n", (*paths)[level], colour, alpha);
    }
    svg += class_ticks(classes, cell, margin);
    svg += fmt::format(R"(<text class="tick" x="{:.0f}" y="{}" text-anchor="middle">predicted class</text>)", size / 2,
                       24);
    svg += fmt::format(R"svg(<text class="tick" transform="translate({} {:.0f}) rotate(90)" text-anchor="middle">)svg"
                       "true class</text>",
                       size - 24, size / 2);
    return svg + "</svg>\n";
}

std::string confused_pairs(const Confusion& confusion, const std::vector<std::string>& class_names, std::size_t count) {
    /// Count, share of the true class, and the negated classes: of equal cells, that of the lowest classes comes first.
    std::vector<std::tuple<std::int64_t, double, std::int64_t, std::int64_t>> cells;
    for (const auto& [truth, guess, images] : confusion.cells())
        if (guess != truth) cells.emplace_back(images, share(images, confusion.total(truth)), -truth, -guess);
    const auto shown = static_cast<std::ptrdiff_t>(std::min(count, cells.size()));
    std::partial_sort(cells.begin(), cells.begin() + shown, cells.end(), std::greater<>());
    if (shown == 0) return "";
    std::string html =
        "<table class=\"pairs\"><thead><tr><th>true class</th><th>taken for</th><th>images</th><th>of the class</th>"
        "</tr></thead><tbody>\n";
    for (std::ptrdiff_t i = 0; i < shown; ++i) {
        const auto& [images, part, truth, guess] = cells[static_cast<std::size_t>(i)];
        html += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.1f}%</td></tr>\n",
                            escape_html(class_names[static_cast<std::size_t>(-truth)]),
                            escape_html(class_names[static_cast<std::size_t>(-guess)]), images, 100 * part);
    }
    return html + "</tbody></table>\n";
}

std::string class_accuracy(const Confusion& confusion, const std::vector<std::string>& class_names) {
    const std::size_t count = class_names.size();
    std::vector<ClassShare> classes;
    for (std::size_t c = 0; c < count; ++c) {
        const auto row = static_cast<std::int64_t>(c);
        classes.push_back({class_names[c], confusion.count(row, row), confusion.total(row)});
    }
    const std::vector<ClassShare> in_order = classes;
    // Classes without samples have no accuracy and come last.
    std::stable_sort(classes.begin(), classes.end(), [](const ClassShare& a, const ClassShare& b) {
        return (a.total == 0) != (b.total == 0) ? a.total > 0 : a.share() < b.share();
    });
    if (count <= most_bars) return bars(classes);
    const auto with_samples =
        std::find_if(classes.begin(), classes.end(), [](const auto& one) { return one.total == 0; });
    const std::span<const ClassShare> sorted(classes.begin(), with_samples);
    if (sorted.size() <= most_bars) return bars(sorted);
    std::string html = "<div class=\"columns\">\n<div><h3>Lowest</h3>\n" + bars(sorted.first(each_end));
    html += "</div>\n<div><h3>Highest</h3>\n" + bars(sorted.last(each_end));
    html += "</div>\n<div><h3>Classes by accuracy</h3>\n" + tenths(sorted) + "</div>\n</div>\n";
    return html + fmt::format("<details><summary>All {} classes</summary>\n<div class=\"many\">\n", count) +
           bars(in_order) + "</div></details>\n";
}

std::string reliability_chart(const Calibration& calibration) {
    const auto fraction = [](double value) { return fmt::format("{:.1f}", value); };
    const Axis whole{.low = 0, .high = 1, .ticks = round_ticks(0, 1, 5), .label = fraction};
    const ChartFrame frame(560, 300, whole, whole);
    std::string svg = frame.open("Accuracy of the test images by confidence");
    for (const CalibrationBin& bin : calibration.bins) {
        if (bin.count == 0) continue;
        svg += fmt::format(
            R"(<rect class="bin" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{} images with confidence )"
            R"({:.1f}% to {:.1f}% (mean {:.1f}%): {:.1f}% correct</title></rect>)",
            frame.x(bin.low) + 1, frame.y(bin.accuracy), frame.x(bin.high) - frame.x(bin.low) - 2,
            frame.y(0) - frame.y(bin.accuracy), bin.count, 100 * bin.low, 100 * bin.high, 100 * bin.mean_confidence,
            100 * bin.accuracy);
    }
    svg += fmt::format(R"(<line class="equal" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>)", frame.x(0),
                       frame.y(0), frame.x(1), frame.y(1));
    for (const CalibrationBin& bin : calibration.bins)
        if (bin.count > 0)
            svg += fmt::format(R"(<circle class="mean" cx="{:.1f}" cy="{:.1f}" r="4"/>)", frame.x(bin.mean_confidence),
                               frame.y(bin.accuracy));
    return svg + "</svg>\n";
}

}  // namespace radial::train
