// Losses that the literature defines as another loss plus a term, and numbers read from settings.
#pragma once

#include "radial/losses/loss.h"

#include <string_view>

namespace radial {

/// The registry's entry for head + lambda * term. `entry` provides name, formula and source; the options are those of
/// the head, those of the term, and "lambda". Its `make` throws Error when lambda is negative or not a number.
LossInfo with_term(LossInfo entry, LossInfo head, RegulariserInfo term, double lambda);

/// The value of `option` as an integer. Throws Error, naming `loss`, when it is not a whole number.
std::int64_t whole_number(std::string_view loss, const LossSettings& settings, const std::string& option);

}  // namespace radial
