// A training run in the structs of the library, made from its options before training begins.
#pragma once

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/run/rank_session.h"
#include "radial/apps/cli/run/run_folder.h"
#include "radial/apps/cli/run/run_saver.h"
#include "radial/apps/cli/run/train_options.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/ranks/rank_step.h"
#include "radial/apps/train/run/weights.h"
#include "radial/core/optim/schedule.h"
#include "radial/data/loader.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace radial::train {

/// How the samples of a run are read.
struct SetPlan {
    std::filesystem::path folder;      ///< folder of the data set; empty: none
    double val_split = 0;              ///< share of the training set that is evaluated instead of the test set
    std::uint64_t split_seed = 1;      ///< seed of that division
    std::int64_t limit = 0;            ///< train on this many samples, the first of the set; 0: all
    ClassWeighting class_weights{};    ///< weights of the classes in the loss
    data::EvaluationView view;         ///< resize and center crop of evaluation, for sets of image files
    AugmentationOptions augmentation;  ///< of training images
    data::LoaderOptions train, test;   ///< batches of a single process, without augmentation
};

/// The network, the loss and their training.
struct TrainingPlan {
    ClassifierSpec classifier;                   ///< complete except for the number of classes, which the data decide
    std::shared_ptr<const OpenedWeights> start;  ///< weights to start from; null: random ones, or a resumed run
    std::string freeze;                          ///< the frozen part of the network (freeze_parts()); empty: none
    bool backbone_eval = false;                  ///< hold the network in evaluation
    std::uint64_t seed = 1;                      ///< seed of the initial weights
    OptimizerOptions optimizer;                  ///< the optimizer, clipping, averaging and the epochs
    Schedule schedule;                           ///< the learning rate
    Precision precision{};                       ///< precision of the network
    GraphUse graph{};                            ///< whether steps are recorded as a CUDA graph
    RankStepOptions rank_step;                   ///< for several ranks
};

/// The complete plan of `train`, in the structs that the parts of a run use.
struct RunPlan {
    EarlierRun earlier_run{};        ///< what to do with a run that is already in the folder
    RankPlan ranks;                  ///< device, threads and parts of a batch of each rank
    SetPlan sets;                    ///< the data
    TrainingPlan training;           ///< the network, the loss and the optimizer
    SavePlan saves;                  ///< snapshots, and the folder of the run
    bool find_lr = false;            ///< search for a learning rate instead of training
    std::int64_t log_steps = 20;     ///< steps between two points in the event files; 0: one point per epoch
    std::vector<std::string> notes;  ///< a note for each option that has no effect
};

/// Makes the plan of the run that `options`, in which all values are filled in, describe. `start` holds the weights in
/// TrainOptions::weights, or is null. Throws as make_schedule() and view_of() do.
RunPlan plan_run(const ImageTask& task, const TrainOptions& options, std::shared_ptr<const OpenedWeights> start);

}  // namespace radial::train
