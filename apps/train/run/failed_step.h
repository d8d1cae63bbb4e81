// The batch of a step that ended a run, kept for whoever wants to know why.
#pragma once

#include "radial/data/loader.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace radial::train {

/// A step after which a run cannot go on.
struct FailedStep {
    std::int64_t number = 0;           ///< of the run, from 1
    std::int64_t epoch = 0, step = 0;  ///< from 1; the step of its epoch
    double lr = 0;
    double loss = 0;
    std::string reason;  ///< what the error says
    data::Batch batch;   ///< as the network got it
};

/// Writes RUN/failed-step-N.safetensors: images, labels, indices (int64: which samples) and, for a mixed batch,
/// other_labels and share; the rest as metadata. Returns its path. Throws FileError.
std::filesystem::path save_failed_step(const std::filesystem::path& run, const FailedStep& failed);

}  // namespace radial::train
