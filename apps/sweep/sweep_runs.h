// The runs of a sweep: their folders, what state each is in, and how one is started or gone on with.
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
    std::string table;              ///< empty: what `vary` says
    std::vector<std::string> vary;  ///< options of `train` and their values, as "lr=0.1,0.05"
    std::int64_t epochs = 0;        ///< 0: the recipes'
    std::int64_t seeds = 3;         ///< runs a cell, with seeds 1, 2, ...
    std::int64_t jobs = 1;          ///< runs at a time
    std::string only;               ///< cells whose name holds this
    std::int64_t limit = 0;         ///< train on the first so many images; 0: all
    std::vector<std::string> set;   ///< further options of `train`, as "lr=0.1"
    bool no_run = false;            ///< write the tables from the runs there are
    std::filesystem::path out, data;
    int threads = 0, workers = 1;
    std::string device = "cpu";
    Precision precision = Precision::float32;
};

/// A cell of the table with one seed.
struct SweepRun {
    PaperRun cell;
    std::uint64_t seed = 1;
    std::filesystem::path folder;
    std::vector<std::string> settings;  ///< what decides the result, as arguments of `train`
    std::vector<std::string> place;     ///< where and how it runs: data, device, threads
};

/// All runs of a sweep, the table's cells with the first seed first. Throws Error when --only leaves none, or for a
/// --set that is not NAME=VALUE.
std::vector<SweepRun> runs_of(const PaperTable& table, const SweepOptions& options);

/// What a run's folder says of it.
struct RunState {
    std::int64_t epochs = 0;  ///< planned; 0: not begun
    std::int64_t epochs_done = 0;
    std::int64_t patience = 0;  ///< epochs without an improvement that end the run; 0: they do not
    double last = 0, best = 0;  ///< test accuracy, where epochs_done > 0; NaN where targets are not classes
    double last_loss = 0;       ///< test loss, likewise
    std::int64_t best_epoch = 0;
    double seconds = 0;   ///< of the epochs
    std::string failure;  ///< why the last try ended; empty: it did not fail

    bool done() const {
        const bool stopped_early = patience > 0 && epochs_done >= best_epoch + patience;
        return failure.empty() && epochs > 0 && (epochs_done >= epochs || stopped_early);
    }
};
RunState state_of(const std::filesystem::path& folder);

/// Throws Error when `train` would refuse the run's settings, or when its folder holds a run of others, naming the
/// first that differs with both values.
void check_settings(const ImageTask& task, const SweepRun& run);

/// Trains the run in a process of its own, of this very program: a new one, or from the last snapshot on where there is
/// one. The process's output goes to output.log in the run's folder, and its lines about epochs to `line`. When it
/// fails, the reason is kept in the folder for state_of(). A signal that `signals` has noted is passed on to the
/// process, which saves itself; then this returns.
void train_run(const ImageTask& task, const SweepRun& run, const SignalWatch& signals,
               const std::function<void(const std::string&)>& line);

}  // namespace radial::train
