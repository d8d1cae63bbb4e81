// The figures of verification as text for the terminal and as JSON.
#pragma once

#include "radial/apps/train/verification.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace radial::train {

/// The numbers of pairs, AUROC, the equal error rate, and a table of TAR and threshold at each limit of FAR.
std::string verification_text(const VerificationMetrics& found, FeatureDistance distance);
/// The same as JSON. The threshold is null where no pair is accepted.
nlohmann::ordered_json verification_json(const VerificationMetrics& found, FeatureDistance distance);

}  // namespace radial::train
