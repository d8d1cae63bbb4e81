// The page of a search for a learning rate.
#pragma once

#include "radial/apps/train/rate_search.h"

#include <string>

namespace radial::train {

/// The losses over the learning rate, on a logarithmic axis, with a mark where the average falls fastest, as a page.
/// `subtitle` says what was trained. The curve must have at least two points.
std::string rate_page(const RateCurve& curve, const std::string& subtitle);

}  // namespace radial::train
