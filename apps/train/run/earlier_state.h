// What the snapshots of earlier versions say otherwise.
#pragma once

#include <nlohmann/json.hpp>

namespace radial::train {

/// A state of Trainer::state(), of this version or an earlier one, as this version writes it. Earlier versions knew one
/// metric, "mean_kernel": its sums and those of the watch over it were in "kernel". Throws nlohmann::json::exception or
/// Error when that part is invalid.
nlohmann::ordered_json of_this_version(nlohmann::ordered_json state);

}  // namespace radial::train
