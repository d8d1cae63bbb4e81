// Makes the plan of a run from its options.
#include "radial/apps/cli/run/run_plan.h"

#include "radial/apps/train/console/safe_text.h"

#include <fmt/core.h>

#include <utility>

namespace radial::train {
namespace {

// Values whose computation may throw are computed before the braced initialiser of a struct: when an exception is
// thrown inside it, g++ (12 to 14) destroys a member that was initialised by inner braces twice.

EarlierRun earlier_run(const ResumeOptions& options, bool overwrite) {
    if (!options.resume.empty()) return EarlierRun::resumed;
    return overwrite ? EarlierRun::replaced : EarlierRun::refused;
}

data::LoaderOptions loader_options(const ImageTask& task, const TrainOptions& options, bool train) {
    data::LoaderOptions loader{.batch_size = options.batch,
                               .shuffle = train,
                               .drop_last = train && options.drop_last,
                               .sampling = train ? options.sampling : data::Sampling::uniform,
                               .seed = options.seed,
                               .workers = options.workers,
                               .mean = task.mean,
                               .std = task.std};
    set_pictures(options.pictures, train, loader);
    return loader;
}

SetPlan plan_sets(const ImageTask& task, const TrainOptions& options) {
    const data::EvaluationView view = view_of(options.pictures, model_named(options.model));
    return {.folder = options.data,
            .val_split = options.val_split,
            .split_seed = options.seed,
            .limit = options.limit,
            .class_weights = options.class_weights,
            .view = view,
            .augmentation = options.augmentation,
            .train = loader_options(task, options, true),
            .test = loader_options(task, options, false)};
}

TrainingPlan plan_training(const TrainOptions& options, std::shared_ptr<const OpenedWeights> start) {
    Schedule schedule = make_schedule(options);
    return {.classifier = {.model = options.model,
                           .model_settings = options.model_settings,
                           .dim = options.dim,
                           .loss = options.loss,
                           .loss_settings = options.loss_settings},
            .start = std::move(start),
            .freeze = options.freeze,
            .backbone_eval = options.backbone_eval,
            .seed = options.seed,
            .optimizer = options,
            .schedule = std::move(schedule),
            .precision = options.precision,
            .graph = options.graph,
            .rank_step = {.sync_batch_norm = options.sync_batch_norm,
                          .gradients = {.bucket_bytes = static_cast<std::size_t>(options.bucket_mb * 1e6)}}};
}

}  // namespace

RunPlan plan_run(const ImageTask& task, const TrainOptions& options, std::shared_ptr<const OpenedWeights> start) {
    std::vector<std::string> notes = options_without_effect(options);
    SetPlan sets = plan_sets(task, options);
    TrainingPlan training = plan_training(options, std::move(start));
    return {.earlier_run = earlier_run(options, options.overwrite),
            .ranks = {.batch = options.batch,
                      .accumulate = options.accumulate,
                      .drop_last = options.drop_last,
                      .timeout = options.rank_timeout,
                      .threads = options.threads,
                      .device = options.device,
                      .graph = options.graph},
            .sets = std::move(sets),
            .training = std::move(training),
            .saves = {.folder = options.out,
                      .data = options.data,
                      .steps = options.save_steps,
                      .minutes = options.save_minutes,
                      .keep = options.keep_saves,
                      .resume_with = fmt::format("{} train --resume {}", task.program, shell_word(options.out)),
                      .schedule = describe_schedule(options)},
            .find_lr = options.find_lr,
            .log_steps = options.log_steps,
            .notes = std::move(notes)};
}

}  // namespace radial::train
