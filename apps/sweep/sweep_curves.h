// Fig. 3 of the paper: how RBF-Softmax's kernel and probability follow from distance, γ and s.
#pragma once

#include "radial/apps/sweep/sweep_page.h"

#include <cstdint>
#include <vector>

namespace radial::train {

/// K = exp(−d/γ), d the squared distance (Eq. 3).
double kernel_at(double distance, double gamma);
/// The probability of the own class when its kernel is `kernel` and that of the other classes is 0 (Eq. 4).
double probability_at(double kernel, double scale, std::int64_t classes);

/// Three charts for each of the paper's tables of γ and s (K over d, P over d, P over K), and P at a few distances.
std::vector<SweepSection> curve_sections();

}  // namespace radial::train
