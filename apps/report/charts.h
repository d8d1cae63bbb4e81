// Charts of a run's report, as SVG and HTML that need nothing from outside the page.
#pragma once

#include "radial/apps/train/evaluate.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace radial::train {

/// About `count` round numbers (1, 2 or 5 times a power of ten apart) that lie in [low, high]. Needs low < high.
std::vector<double> round_ticks(double low, double high, int count);

/// An interval of one axis and the marks on it.
struct Axis {
    double low = 0, high = 1;
    std::vector<double> ticks;
    std::function<std::string(double)> label;
};

/// A plot area of an SVG picture; y grows upwards.
class ChartFrame {
public:
    ChartFrame(double width, double height, Axis x, Axis y);
    double x(double value) const;
    double y(double value) const;
    /// The <svg> element's start with grid lines and tick labels; the caller adds marks and "</svg>".
    std::string open(const std::string& description) const;

private:
    double width_, height_;
    Axis x_, y_;
};

/// A line of a chart, one value an epoch, from epoch 1. Where a value is not finite the line has a gap.
struct Series {
    std::string name;
    std::vector<double> values;
};

/// Values over epochs as SVG, with a legend and a note on every point. `percent` shows fractions as percentages;
/// otherwise the axis starts at 0. The lines may be of different length; beyond eight of them colours repeat, with
/// dashes. At least one series.
std::string line_chart(const std::vector<Series>& series, bool percent);

/// The classes, in the page's style, of the line that has this place in a chart: for an <i class="line ..."> elsewhere.
std::string line_style(std::size_t index);

/// 2-D points coloured by class and, marked with the class's number, the prototypes.
struct Scatter {
    std::span<const float> points;         ///< [N, 2]
    std::span<const std::int64_t> labels;  ///< [N]
    std::span<const float> prototypes;     ///< [classes * K, 2], those of a class next to each other, or empty
    std::vector<std::string> class_names;
};
/// The class of prototype `index`.
std::size_t class_of_prototype(const Scatter& scatter, std::size_t index);
/// The points as SVG in equal scales on both axes, and the prototypes as ScatterView says.
std::string scatter_chart(const Scatter& scatter);
/// The classes' colours and names.
std::string scatter_legend(const std::vector<std::string>& class_names);

/// A prototype's marker.
struct PrototypeMark {
    double x = 0, y = 0;   ///< in the features' coordinates, within the view
    bool at_place = true;  ///< false: only its direction is right
};

/// What a scatter chart shows: a square, so that distances look the same in every direction.
///
/// The features decide its size, so that prototypes cannot squash the plot: those not far outside widen it, a few that
/// are further stand at the edge, towards where they lie. Where the prototypes as a whole do not compare with the
/// features (most are far outside, or all are within a tenth of the features' extent, as weights of a softmax often
/// are), every marker stands at the edge in the prototype's direction from the origin, at the end of a ray.
struct ScatterView {
    double x = 0, y = 0, half = 1;     ///< centre and half the width
    bool rays = false;                 ///< from the origin to each mark
    std::vector<PrototypeMark> marks;  ///< one a prototype
};
ScatterView view_of(const Scatter& scatter);

/// How the view shows the prototypes, in a sentence for the reader.
std::string describe(const ScatterView& view, const Scatter& scatter);

// What follows takes confusion among at least one class, and a name for each.

/// A table of counts: a row for each true class, a column for each predicted one, the share found on the right.
std::string confusion_table(const Confusion& confusion, const std::vector<std::string>& class_names);
/// The matrix as a picture, a square a cell, the darker the larger its share of the row; for up to a few hundred
/// classes.
std::string confusion_map(const Confusion& confusion, const std::vector<std::string>& class_names);
/// The `count` cells off the diagonal with the largest counts, as a table; of equal ones those with the larger share of
/// their class. Empty when nothing was taken for something else.
std::string confused_pairs(const Confusion& confusion, const std::vector<std::string>& class_names, std::size_t count);
/// A bar a class: the share of its samples that were found, lowest first. Of more than 40 classes the 20 lowest and the
/// 20 highest, how many classes lie in each tenth, and all of them folded away.
std::string class_accuracy(const Confusion& confusion, const std::vector<std::string>& class_names);

}  // namespace radial::train
