// Losses that the literature defines as another loss plus a term of their own, and numbers read from settings.
#pragma once

#include "radial/losses/loss.h"

#include <string_view>

namespace radial {

/// Registry entry of head + lambda * term. `entry` brings name, formula and source; the options are those of the head,
/// those of the term, and "lambda". What it makes throws Error when lambda is not a number of at least 0.
LossInfo with_term(LossInfo entry, LossInfo head, RegulariserInfo term, double lambda);

/// Setting `option` as a whole number. Throws Error, naming `loss`, when it is none.
std::int64_t whole_number(std::string_view loss, const LossSettings& settings, const std::string& option);

}  // namespace radial
