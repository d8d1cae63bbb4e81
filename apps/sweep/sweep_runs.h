// The runs of a sweep: their folders, the state of each, and how one is started or resumed.
#pragma once

#include "radial/apps/cli/image_task.h"
#include "radial/apps/sweep/sweep_tables.h"
#include "radial/apps/train/console/interrupt.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace radial::train {

/// The command-line options of a sweep.
struct SweepOptions {
    std::string table;              ///< empty: use `vary`
    std::vector<std::string> vary;  ///< options of `train` and their values: "lr=0.1,0.05"
    std::int64_t epochs = 0;        ///< 0: as in the recipe
    std::int64_t seeds = 3;         ///< runs per cell, with seeds 1, 2, ...
    std::int64_t jobs = 1;          ///< number of runs at the same time
    std::string only;               ///< only cells whose name contains this
    std::int64_t limit = 0;         ///< train on this many images, the first ones; 0: all
    std::vector<std::string> set;   ///< further options of `train`: "lr=0.1"
    bool no_run = false;            ///< only write the tables, from the existing runs
    std::filesystem::path out, data;
    int threads = 0, workers = 1;
    std::string device = "cpu";
    Precision precision = Precision::float32;
};

/// A cell of the table, with one seed.
struct SweepRun {
    PaperRun cell;
    std::uint64_t seed = 1;
    std::filesystem::path folder;
    std::vector<std::string> settings;  ///< the settings that determine the result, as arguments of `train`
    std::vector<std::string> place;     ///< where and how the run is executed: data, device, threads
};

/// All runs of a sweep: all cells of the table with the first seed, then all with the second, and so on. Throws Error
/// when --only selects none, and for a --set that is not NAME=VALUE.
std::vector<SweepRun> runs_of(const PaperTable& table, const SweepOptions& options);

/// The state of a run, as recorded in its folder.
struct RunState {
    std::int64_t epochs = 0;  ///< planned epochs; 0: not started
    std::int64_t epochs_done = 0;
    std::int64_t patience = 0;  ///< epochs without an improvement after which the run ends; 0: no limit
    double last = 0, best = 0;  ///< test accuracy, if epochs_done > 0; NaN if targets are not classes
    double last_loss = 0;       ///< test loss, if epochs_done > 0
    std::int64_t best_epoch = 0;
    double seconds = 0;   ///< duration of the epochs
    std::string failure;  ///< why the last attempt failed; empty if it did not

    bool done() const {
        const bool stopped_early = patience > 0 && epochs_done >= best_epoch + patience;
        return failure.empty() && epochs > 0 && (epochs_done >= epochs || stopped_early);
    }
};
RunState state_of(const std::filesystem::path& folder);

/// Throws Error when `train` would reject the run's settings, or when its folder has a run with other settings; the
/// message gives the first setting that differs, with both values.
void check_settings(const ImageTask& task, const SweepRun& run);

/// Trains the run in its own process, another instance of this program. The run resumes from its last snapshot if there
/// is one. The output of the process goes to output.log in the run's folder; the lines about epochs and about resuming
/// are also passed to `line`. When the process fails, the reason is saved in the folder for state_of(). A signal that
/// `signals` has received is passed on to the process, which saves its state; then this function returns.
void train_run(const ImageTask& task, const SweepRun& run, const SignalWatch& signals,
               const std::function<void(const std::string&)>& line);

}  // namespace radial::train
