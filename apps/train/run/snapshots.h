// What a run needs to go on after it was stopped: files of its folder, the last few kept.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/optim/optim.h"
#include "radial/core/optim/weight_average.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace radial::train {

/// The folder RUN/snapshots with files step-000000390.safetensors, each written under a temporary name, synced and
/// renamed. A file holds the tensors of model, loss, optimizer and averages, the random stream, and what else the run
/// says.
class Snapshots {
public:
    /// Keeps the newest `keep` files. Throws Error when `keep` is below 1.
    Snapshots(const std::filesystem::path& run, std::int64_t keep);

    /// Saves the run after `step` steps and deletes the oldest file that is one too many. Throws FileError, also when
    /// the run's folder is not there.
    void save(std::int64_t step, const Module& classifier, const Optimizer& optimizer,
              const nlohmann::ordered_json& state, const WeightAverage* average = nullptr) const;
    /// The files there are, newest first.
    std::vector<std::filesystem::path> files() const;
    /// Deletes what a killed run has left of a file that it was writing.
    void remove_temporaries() const;
    /// Deletes all of them. Throws FileError where one cannot be deleted.
    void clear() const;

private:
    std::filesystem::path folder_;
    std::int64_t keep_;
};

/// Puts a snapshot's tensors and random stream in place and returns the state it was saved with. Throws FileError
/// naming the file when it is damaged, without a checksum, or of another model, loss or optimizer, or with averages
/// where none are given.
nlohmann::ordered_json load_snapshot(const std::filesystem::path& file, Module& classifier, Optimizer& optimizer,
                                     WeightAverage* average = nullptr);

}  // namespace radial::train
