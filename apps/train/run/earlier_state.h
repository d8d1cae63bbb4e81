// Converts the state of a Trainer from snapshots of earlier versions.
#pragma once

#include <nlohmann/json.hpp>

namespace radial::train {

/// Converts a state of Trainer::state(), from this version or an earlier one, to the form of this version. Earlier
/// versions had only one metric, "mean_kernel"; its sums and those of DeadKernelWatch were stored in "kernel". Throws
/// nlohmann::json::exception or Error when that part is invalid.
nlohmann::ordered_json of_this_version(nlohmann::ordered_json state);

}  // namespace radial::train
