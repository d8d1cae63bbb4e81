// Charts of a run's report, as self-contained SVG and HTML.
#pragma once

#include "radial/apps/train/class_metrics.h"
#include "radial/apps/train/evaluate.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace radial::train {

/// About `count` round numbers (1, 2 or 5 times a power of ten apart) in [low, high]; `low` must be below `high`.
std::vector<double> round_ticks(double low, double high, int count);

/// The interval that an axis shows, and the ticks on it.
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
    /// The beginning of the <svg> element, with grid lines and tick labels. The caller adds marks and "</svg>".
    std::string open(const std::string& description) const;

private:
    double width_, height_;
    Axis x_, y_;
};

/// A line of a chart, one value per epoch, from epoch 1. A value that is not finite leaves a gap.
struct Series {
    std::string name;
    std::vector<double> values;
};

/// Values over epochs as SVG, with a legend and a tooltip on every point. `percent` shows fractions as percentages;
/// otherwise the axis starts at 0. There must be at least one series. Series may differ in length; after the eighth,
/// colours repeat with dashed lines.
std::string line_chart(const std::vector<Series>& series, bool percent);

/// The CSS classes of line `index` of a chart, for an <i class="line ..."> elsewhere on the page.
std::string line_style(std::size_t index);

/// 2-D points coloured by class, and prototypes marked with the number of their class.
struct Scatter {
    std::span<const float> points;         ///< [N, 2]
    std::span<const std::int64_t> labels;  ///< [N]
    std::span<const float> prototypes;     ///< [classes * K, 2], grouped by class, or empty
    std::vector<std::string> class_names;
    bool keep_places = false;  ///< whether every prototype is drawn at its position, however far away
};
/// The class of prototype `index`.
std::size_t class_of_prototype(const Scatter& scatter, std::size_t index);
/// The points as SVG with equal scales on both axes, and the prototypes as described in ScatterView.
std::string scatter_chart(const Scatter& scatter);
/// A legend with the colours and names of the classes.
std::string scatter_legend(const std::vector<std::string>& class_names);

/// A prototype's marker.
struct PrototypeMark {
    double x = 0, y = 0;   ///< in the features' coordinates, within the view
    bool at_place = true;  ///< false: the mark shows only the direction of the prototype
};

/// The visible part of a scatter chart: a square, so that distances look the same in every direction.
///
/// The features determine the size of the square, so that distant prototypes cannot squash the plot. Prototypes a
/// little outside the features widen the square; a few that are further away are drawn at its edge, in their direction.
/// If the prototypes as a whole do not match the scale of the features (most are far outside, or all lie within a tenth
/// of the features' extent, as the weights of a softmax often do), every marker is drawn at the edge, in the
/// prototype's direction from the origin, at the end of a ray. With Scatter::keep_places, the square is wide enough for
/// all prototypes instead.
struct ScatterView {
    double x = 0, y = 0, half = 1;     ///< centre and half the width
    bool rays = false;                 ///< whether rays are drawn from the origin to the marks
    std::vector<PrototypeMark> marks;  ///< one per prototype
};
ScatterView view_of(const Scatter& scatter);

/// Returns text that explains to the reader how the view shows the prototypes.
std::string describe(const ScatterView& view, const Scatter& scatter);

/// A matrix with a number for each pair of classes.
struct HeatMap {
    std::span<const double> values;  ///< [classes, classes], the first row on top
    std::size_t classes = 0;
    double low = 0, high = 1;         ///< numbers of the first and the last colour; others are clamped to this range
    std::vector<std::size_t> groups;  ///< sizes of consecutive groups of classes, or empty
    std::string description;          ///< text for readers who do not see the picture
};
/// The matrix as a picture with one square per cell, the lighter the larger the number, in the same colours on light
/// and dark pages. The axes show the numbers of the groups from 1 on, or those of the classes from 0 on if there are no
/// groups. A bar below shows the colours from `low` to `high`. Cells that are not finite are grey.
std::string heat_map(const HeatMap& map);

/// The accuracy of each bin of confidences as a bar, a mark at its mean confidence, and the diagonal on which
/// confidence and accuracy are equal (a reliability diagram).
std::string reliability_chart(const Calibration& calibration);

// The functions below need at least one class, and a name for each class.

/// A table of counts with a row for each true class, a column for each predicted class, and the fraction of correct
/// predictions on the right.
std::string confusion_table(const Confusion& confusion, const std::vector<std::string>& class_names);
/// The matrix as a picture with one square per cell. A square is darker the larger its share of the row. For up to a
/// few hundred classes.
std::string confusion_map(const Confusion& confusion, const std::vector<std::string>& class_names);
/// The `count` off-diagonal cells with the largest counts, as a table. Of equal counts, the one with the larger share
/// of its true class comes first. Empty when there are no mistakes.
std::string confused_pairs(const Confusion& confusion, const std::vector<std::string>& class_names, std::size_t count);
/// A bar per class with the fraction of its samples that were predicted correctly, lowest first. With more than 40
/// classes: the 20 lowest and the 20 highest, the number of classes in each tenth of the accuracy, and all classes in a
/// folded section.
std::string class_accuracy(const Confusion& confusion, const std::vector<std::string>& class_names);

}  // namespace radial::train
