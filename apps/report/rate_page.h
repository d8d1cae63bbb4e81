// The page of a search for a learning rate.
#pragma once

#include "radial/apps/train/rate_search.h"

#include <string>

namespace radial::train {

/// A page with a chart of the moving average of the loss against the learning rate (logarithmic), a vertical line where
/// the loss falls fastest, if it ever falls, and a table of all steps. `subtitle` says what was trained. Throws Error
/// when the curve has fewer than two points.
std::string rate_page(const RateCurve& curve, const std::string& subtitle);

}  // namespace radial::train
