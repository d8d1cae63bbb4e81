// The step that ended a run with an error, and a file with its batch for diagnosis.
#pragma once

#include "radial/data/loader.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace radial::train {

/// A step after which a run cannot continue.
struct FailedStep {
    std::int64_t number = 0;           ///< number of the step in the run, from 1
    std::int64_t epoch = 0, step = 0;  ///< epoch, and step within the epoch, from 1
    double lr = 0;                     ///< learning rate of the step
    double loss = 0;                   ///< loss of the step, which may be NaN or infinite
    std::string reason;                ///< message of the error
    data::Batch batch;                 ///< the batch that the network received
};

/// Writes RUN/failed-step-NUMBER.safetensors and returns its path. The file contains the tensors images, labels,
/// indices (int64 [N]: indices in the data set) and, for a mixed batch, other_labels and share. Its metadata contain
/// the other members of `failed`. Throws FileError.
std::filesystem::path save_failed_step(const std::filesystem::path& run, const FailedStep& failed);

}  // namespace radial::train
