// Where the prototypes of a scatter chart are drawn when they do not lie among the features.
#pragma once

#include "radial/apps/report/charts.h"

#include <string>
#include <vector>

namespace radial::train {

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

}  // namespace radial::train
