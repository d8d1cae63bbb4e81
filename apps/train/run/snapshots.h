// Snapshots, from which a stopped run can be resumed: files in the folder of the run.
#pragma once

#include "radial/core/io/safetensors.h"
#include "radial/core/nn/module.h"
#include "radial/core/optim/optimizer.h"
#include "radial/core/optim/weight_average.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace radial::train {

/// The folder RUN/snapshots, with files such as step-000000390.safetensors, each of which is written under a temporary
/// name, synced and renamed. A file contains the tensors of the model, the loss, the optimizer and the averages, the
/// state of default_generator(), and the state that was passed to save().
class Snapshots {
public:
    /// `run` is the folder of the run. Only the newest `keep` files are kept. Throws Error when `keep` is below 1.
    Snapshots(const std::filesystem::path& run, std::int64_t keep);

    /// Writes the snapshot of a run after `step` steps, then deletes the oldest files beyond `keep`. Throws FileError
    /// when the file cannot be written or the folder of the run does not exist.
    void save(std::int64_t step, const Module& classifier, const Optimizer& optimizer,
              const nlohmann::ordered_json& state, const WeightAverage* average = nullptr) const;
    /// Returns the existing snapshots, the newest first.
    std::vector<std::filesystem::path> files() const;
    /// Deletes the temporary files of a run that was killed while it was writing a snapshot.
    void remove_temporaries() const;
    /// Deletes all snapshots and temporary files. Throws FileError when a snapshot cannot be deleted.
    void clear() const;

private:
    std::filesystem::path folder_;
    std::int64_t keep_;
};

/// The content of a snapshot.
struct Snapshot {
    std::filesystem::path path;    ///< the file that was read
    TensorFile file;               ///< its tensors and metadata
    nlohmann::ordered_json state;  ///< the state that was passed to Snapshots::save()
};
/// Reads a snapshot without restoring anything. Throws FileError that names the file when it is damaged, has no
/// checksum, or has no state.
Snapshot read_snapshot(const std::filesystem::path& file);
/// Restores the tensors and default_generator() from a snapshot. Throws FileError that names the file when it belongs
/// to another model, loss or optimizer, when it contains averages but `average` is null, or when it contains none but
/// `average` is not null.
void restore_snapshot(const Snapshot& snapshot, Module& classifier, Optimizer& optimizer,
                      WeightAverage* average = nullptr);
/// Calls read_snapshot() and restore_snapshot(), and returns Snapshot::state.
nlohmann::ordered_json load_snapshot(const std::filesystem::path& file, Module& classifier, Optimizer& optimizer,
                                     WeightAverage* average = nullptr);

}  // namespace radial::train
