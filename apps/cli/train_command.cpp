// The command `train`: trains with the given options and writes the folder of the run.
#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/recipes.h"
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/cli/run/rank_session.h"
#include "radial/apps/cli/run/run_plan.h"
#include "radial/apps/cli/run/run_recorder.h"
#include "radial/apps/cli/run/run_saver.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/report/rate_page.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/observers.h"
#include "radial/apps/train/rate_search.h"
#include "radial/apps/train/run/version.h"
#include "radial/apps/train/trainer.h"
#include "radial/apps/train/transfer.h"
#include "radial/core/backend/backend.h"
#include "radial/core/io/files.h"
#include "radial/core/tensor/random.h"
#include "radial/data/split.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

namespace radial::train {
namespace {

using Json = nlohmann::ordered_json;

/// Options for loading the batches of this rank, with augmentation for those of the training set.
data::LoaderOptions loader_options(const SetPlan& sets, const RankSession& session, bool train) {
    data::LoaderOptions loader = train ? sets.train : sets.test;
    loader.rank = session.ranks().rank();
    loader.ranks = session.ranks().size();
    if (train) set_augmentation(sets.augmentation, loader);
    return loader;
}

/// The options for config.json: `values`, those of the command line, completed from `options`, in which all values are
/// filled in.
Json settings_of(const TrainOptions& options, Json values) {
    values["model"] = options.model;
    values["dim"] = options.dim;
    values["schedule"] = option_value(options.schedule);
    values["warmup-epochs"] = options.warmup_epochs;
    values["warmup-start"] = options.warmup_start;
    values["final-lr"] = options.final_lr;
    values["lr"] = options.lr;
    values["momentum"] = options.momentum;
    values["epsilon"] = options.epsilon;
    // Each option of the loss is named once, in the same form however it was given.
    Json settings = Json::object();
    for (const auto& [name, value] : values.items())
        if (!name.starts_with("loss.")) settings[name] = value;
    for (const auto& [name, value] : options.loss_settings) settings["loss." + name] = value;
    for (const auto& [name, value] : options.model_settings) settings["model." + name] = value;
    return settings;
}

/// The content of config.json: the options, and facts that cannot be given on the command line.
Json config_of(const ImageTask& task, Json settings, Device device, Json data) {
    return {{"program", task.program + " train"},
            {"version", version},
            {"device_description", describe_device(device)},
            {"options", std::move(settings)},
            {"data", std::move(data)}};
}

/// Returns `options` with the values that were not given filled in from the weights to start from (`start`, or null),
/// the task, the network and the loss. Throws Error when --dim differs from the feature dimension of `start`.
TrainOptions completed(const ImageTask& task, TrainOptions options, const OpenedWeights* start) {
    if (!options.resume.empty()) options.out = options.resume;
    if (options.model.empty()) options.model = task.model;
    if (start != nullptr) {
        const ClassifierSpec& theirs = start->classifier.spec;
        if (options.dim == 0) options.dim = theirs.dim;
        RADIAL_CHECK(options.dim == theirs.dim, "--weights {}: a network with a {}-D feature, --dim is {}",
                     options.weights.string(), theirs.dim, options.dim);
        options.model_settings.insert(theirs.model_settings.begin(), theirs.model_settings.end());
    }
    const ModelInfo& model = model_named(options.model);
    if (options.dim == 0) options.dim = model.dim;
    const ModelSettings known = model.defaults();
    for (const auto& setting : task.model_defaults)
        if (known.contains(setting.first)) options.model_settings.insert(setting);
    const auto defaults = task.loss_defaults.find(options.loss);
    // insert() does not overwrite values that were given. A recipe already sets all the loss options that it needs.
    if (options.recipe.empty() && defaults != task.loss_defaults.end())
        options.loss_settings.insert(defaults->second.begin(), defaults->second.end());
    options.model_settings = model_settings(model, options.model_settings);
    options.loss_settings = loss_settings(options.loss, options.loss_settings);
    return options;
}

/// Throws Error when the network expects images with another number of channels than those of `set` have.
void check_channels(const std::string& model, const data::Dataset& set) {
    const Shape shape = set.input_shape(), image = model_named(model).image;
    if (shape.rank() != 3 || image.rank() != 3) return;
    const std::int64_t taken = image[0], given = shape[0];
    RADIAL_CHECK(taken == given, "--model {}: takes images of {} channels, the data set has {}", model, taken, given);
}

/// Throws Error when some batches of an epoch, or of the rest of an epoch, cannot be trained on.
void check_batches_of(const TrainingPlan& training, const RankSession& session, const data::Dataset& set,
                      std::int64_t samples, const Classifier& classifier) {
    session.check_last_batch(samples);
    const OptimizerOptions& optimizer = training.optimizer;
    const BatchCut cut{.samples = samples,
                       .batch = optimizer.batch,
                       .ranks = session.ranks().size(),
                       .accumulate = optimizer.accumulate,
                       .drop_last = optimizer.drop_last};
    check_batches(*classifier.model, set.input_shape(), cut, training.rank_step.sync_batch_norm);
    check_batches(*classifier.loss, cut);
}

/// The log line of an epoch. `part` is the name of the set that was evaluated, such as "test".
std::string epoch_line(const EpochResult& result, std::int64_t epochs, std::string_view part) {
    std::string metrics;
    for (const MetricResult& metric : result.metrics)
        metrics += fmt::format(", {} {:.4f}", metric_label(metric.name), metric.mean);
    const std::string evaluated = std::isnan(result.test_accuracy)
                                      ? fmt::format("{} loss {:.4f}", part, result.test_loss)
                                      : fmt::format("{} accuracy {:.2f}% (best {:.2f}%)", part,
                                                    100 * result.test_accuracy, 100 * result.best_accuracy);
    return fmt::format("epoch {}/{}: loss {:.4f}, {}{}, {:.0f} images/s, {}", result.epoch, epochs, result.train_loss,
                       evaluated, metrics, result.images_per_second, format_duration(result.seconds));
}

/// Does the work of a program during a run besides training: saves and records the run, prints its progress, and ends
/// it after a signal.
class RunKeeper : public Observer {
public:
    /// `recorder` is null on all ranks but the first.
    RunKeeper(RunRecorder* recorder, RunSaver& saver, Progress& progress, std::string_view part)
        : recorder_(recorder), saver_(saver), progress_(progress), part_(part) {}

    void on_start(Trainer& trainer) override {
        if (trainer.steps() == 0) saver_.start(trainer);
        if (recorder_ != nullptr) recorder_->begin_events(trainer);
    }
    void between_steps(Trainer& trainer) override { saver_.after_step(trainer); }
    /// Adds a step to the event file. After a failure, for example because the disk is full, steps are no longer
    /// written for TensorBoard, and training continues.
    void on_step(Trainer& /*trainer*/, const StepReport& report) override {
        if (recorder_ == nullptr || !writes_steps_) return;
        try {
            recorder_->step(report);
        } catch (const FileError& error) {
            writes_steps_ = false;
            progress_.line(fmt::format("warning: {}. Steps are no longer written for TensorBoard", error.what()));
        }
    }
    bool wants_to_stop() override { return noted_signal() != 0; }
    void on_evaluation(Trainer& trainer, bool whole) override { saver_.after_evaluation(trainer, whole); }
    void on_epoch(Trainer& trainer, const EpochResult& result) override {
        const std::int64_t epochs = trainer.setup().epochs;
        const bool last = result.epoch == epochs || trainer.stopped();
        if (recorder_ != nullptr) saver_.record([&] { recorder_->record(trainer); }, last);
        progress_.line(epoch_line(result, epochs, part_));
        if (trainer.stopped() && result.epoch < epochs)
            progress_.line(fmt::format("stopped after epoch {} of {}", result.epoch, epochs));
        saver_.after_epoch(trainer, last);
    }
    std::string on_failure(Trainer& /*trainer*/, const FailedStep& failed) override {
        return saver_.keep_failed(failed);
    }

private:
    RunRecorder* recorder_;
    RunSaver& saver_;
    Progress& progress_;
    std::string_view part_;  ///< the name of the set that is evaluated
    bool writes_steps_ = true;
};

/// Trains to the end. If a lost rank or an unreadable sample ends the run early, saves the run.
void run_to_end(Trainer& trainer, const RunRecorder* recorder, RunSaver& saver, Progress& progress,
                std::string_view part) {
    try {
        const EpochResult& last = trainer.run();
        const EpochResult& best = trainer.history()[static_cast<std::size_t>(last.best_epoch - 1)];
        if (std::isnan(last.test_accuracy))
            progress.line(fmt::format("{} loss: last {:.4f}, lowest {:.4f} (epoch {}, best.safetensors)", part,
                                      last.test_loss, best.test_loss, last.best_epoch));
        else
            progress.line(fmt::format("{} accuracy: last {:.2f}%, best {:.2f}% (epoch {}, best.safetensors)", part,
                                      100 * last.test_accuracy, 100 * last.best_accuracy, last.best_epoch));
        if (recorder != nullptr) progress.line(fmt::format("report: {}", recorder->folder().report().string()));
    } catch (const RankLost& lost) {
        saver.end_after(lost, trainer);
    } catch (const data::UnreadableSample& unreadable) {
        saver.end_after(unreadable, trainer);
    }
}

/// Opens the file of weights that a new run starts from. Returns null for a resumed run and without --weights.
std::shared_ptr<const OpenedWeights> starting_weights(const ImageTask& task, const TrainOptions& options) {
    if (options.weights.empty() || !options.resume.empty()) return nullptr;
    return std::make_shared<const OpenedWeights>(
        open_weights(options.weights, options.model.empty() ? task.model : options.model, ""));
}

/// Builds the network and the loss with the initial weights of the run, on `device`. Also returns lines that say which
/// weights are from a file and what is frozen.
std::pair<Classifier, std::vector<std::string>> build(const TrainingPlan& training, std::int64_t classes,
                                                      const std::vector<std::string>& class_names, Device device) {
    manual_seed(training.seed);
    ClassifierSpec spec = training.classifier;
    spec.classes = classes;
    Classifier classifier = build_classifier(spec);
    std::vector<std::string> lines;
    if (training.start != nullptr) {
        const TransferredWeights taken = transfer_weights(*training.start, classifier, class_names);
        lines.push_back(fmt::format("weights: {} tensors of {}; the classifier is {}", taken.tensors, spec.model,
                                    taken.head ? "the file's" : fmt::format("new, because {}", taken.reason)));
    }
    if (training.backbone_eval) classifier.model->keep_eval();
    if (!training.freeze.empty()) {
        const std::vector<std::string> parts = freeze_parts(*classifier.model, training.freeze);
        std::int64_t frozen = 0;
        for (const Tensor& parameter : classifier.model->parameters())
            if (!parameter.requires_grad()) frozen += parameter.numel();
        lines.push_back(fmt::format("frozen: {}{}, {} of {} parameters", parts.front(),
                                    parts.size() > 1 ? " to " + parts.back() : "", frozen,
                                    classifier.parameter_count()));
    }
    classifier.to(device);
    return {std::move(classifier), std::move(lines)};
}

/// The average of the weights for --ema or --lookahead, or null without them.
std::unique_ptr<WeightAverage> make_average(const OptimizerOptions& options, const Classifier& classifier) {
    RADIAL_CHECK(options.ema == 0 || options.lookahead == 0,
                 "--lookahead {}: cannot be combined with --ema {}; give --lookahead 0, or no --ema", options.lookahead,
                 options.ema);
    if (options.lookahead > 0)
        return std::make_unique<Lookahead>(classifier.averaged_state(),
                                           LookaheadOptions{.interval = options.lookahead});
    if (options.ema == 0) return nullptr;
    return std::make_unique<WeightAverage>(classifier.averaged_state(), options.ema);
}

/// The name of the set that is evaluated after each epoch.
std::string_view evaluated_part(const RunPlan& plan) { return plan.sets.val_split > 0 ? "validation" : "test"; }

void describe_run(const ImageTask& task, const RunPlan& plan, const Classifier& classifier, const data::Dataset& train,
                  const data::Dataset& test, Progress& progress) {
    const std::string from = plan.sets.folder.empty() ? "" : fmt::format(" from {}", plan.sets.folder.string());
    progress.line(fmt::format("data: {} training and {} {} {}{}", train.size(), test.size(), evaluated_part(plan),
                              train.input_shape().rank() == 3 ? "images" : "samples", from));
    const ClassifierSpec& spec = classifier.spec;
    progress.line(fmt::format("model: {}, {}-D feature, {} parameters; loss: {} ({})", title_of(task, spec.model),
                              spec.dim, classifier.parameter_count(), spec.loss,
                              describe_settings(spec.loss_settings)));
    progress.line("augmentation: " + describe(plan.sets.augmentation));
    if (plan.sets.train.sampling == data::Sampling::balanced)
        progress.line("sampling: balanced, as many images of each class");
    progress.line("learning rate: " + plan.saves.schedule);
    for (const std::string& note : plan.notes) progress.line("note: " + note);
    for (const data::Dataset* const set : {&train, &test})
        for (const std::string& note : set->notes) progress.line("note: " + note);
}

/// Reads the training set and the test set or, with --val-split, divides the training set into the part to train on and
/// the held-out part. `model` is the name of the network.
std::pair<std::shared_ptr<data::Dataset>, std::shared_ptr<data::Dataset>> read_sets(const ImageTask& task,
                                                                                    const SetPlan& sets,
                                                                                    const std::string& model) {
    std::shared_ptr<data::Dataset> train_set = read_set(task, sets.folder, true);
    check_channels(model, *train_set);
    check_augmentation(sets.augmentation, train_set->input_shape());
    std::shared_ptr<data::Dataset> test_set;
    if (sets.val_split > 0) {
        data::SplitSets parts = data::split(train_set, sets.val_split, sets.split_seed);
        train_set = std::move(parts.train);
        test_set = std::move(parts.held_out);
    } else {
        test_set = read_set(task, sets.folder, false);
    }
    for (data::Dataset* const set : {train_set.get(), test_set.get()})
        if (auto* const images = dynamic_cast<data::ImageSet*>(set)) images->view = sets.view;
    return {std::move(train_set), std::move(test_set)};
}

/// Throws Error when the samples that are left of an epoch after `done` samples cannot be trained on. If the epoch was
/// begun with another batch size, these samples form other batches than those of a whole epoch.
void check_rest(const TrainingPlan& training, const RankSession& session, const data::Dataset& train_set,
                std::int64_t done, const Classifier& classifier) {
    const std::int64_t left = train_set.size() - done;
    if (left > 0 && (left >= training.optimizer.batch || !training.optimizer.drop_last))
        check_batches_of(training, session, train_set, left, classifier);
}

/// The number of steps until the end of the run.
std::int64_t steps_left(const Trainer& trainer, const data::Loader& loader) {
    const data::EpochPosition position = trainer.position();
    const bool within = position.samples > 0;
    const std::int64_t whole = trainer.setup().epochs - std::ssize(trainer.history()) - (within ? 1 : 0);
    return whole * loader.batches() + (within ? loader.batches(position) - position.batches : 0);
}

/// Returns the samples to train on, and sets the weights of their classes in the loss.
std::shared_ptr<data::Dataset> used_part(const SetPlan& sets, std::shared_ptr<data::Dataset> train_set,
                                         std::int64_t classes, Loss& loss) {
    if (sets.limit > 0) train_set = data::first(train_set, std::min(sets.limit, train_set->size()));
    if (sets.class_weights == ClassWeighting::balanced)
        loss.set_class_weights(balanced_weights(data::labels_of(*train_set), classes));
    return train_set;
}

StepSetup step_setup(const TrainingPlan& training, const RankSession& session, const Classifier& classifier,
                     Optimizer& optimizer, WeightAverage* average, Device device) {
    return {.model = *classifier.model,
            .loss = *classifier.loss,
            .optimizer = optimizer,
            .clip_norm = training.optimizer.clip_norm,
            .average = average,
            .accumulate = training.optimizer.accumulate,
            .device = device,
            .precision = training.precision,
            .graph = training.graph,
            .ranks = &session.ranks(),
            .rank_options = training.rank_step};
}

/// The observers that a task adds, and the one that stops the run early.
std::vector<std::unique_ptr<Observer>> make_observers(const ImageTask& task, std::int64_t patience) {
    std::vector<std::unique_ptr<Observer>> observers;
    for (const auto& make : task.observers) observers.push_back(make());
    if (patience > 0) observers.push_back(std::make_unique<EarlyStopping>(EarlyStoppingOptions{.patience = patience}));
    return observers;
}

/// Searches for a learning rate, and writes the curve into the folder of the run, which is created if it is missing.
void find_lr(const StepSetup& setup, data::Loader& loader, const RankSession& session, const RunPlan& plan,
             Progress& progress) {
    const RateSearchOptions search;
    const std::filesystem::path& folder = plan.saves.folder;
    std::int64_t steps = 0;
    const RateCurve curve = search_rate(setup, loader, search, [&](const RatePoint& point) {
        if (++steps % 10 == 0)
            progress.line(
                fmt::format("step {}/{}: lr {:.3g}, loss {:.4f}", steps, search.steps, point.lr, point.smoothed));
    });
    RADIAL_CHECK(curve.points.size() >= 2, "--find-lr: the loss is not finite after {} steps, from a rate of {}",
                 curve.points.size(), search.first);
    if (curve.diverged) progress.line(fmt::format("the loss diverged at {:.3g}", curve.points.back().lr));
    progress.line(std::isnan(curve.steepest())
                      ? "the loss never fell"
                      : fmt::format("the loss falls fastest at --lr {:.2g} and is lowest at {:.2g}", curve.steepest(),
                                    curve.lowest()));
    if (!session.first()) return;
    std::error_code ignored;  // write_file() reports a folder that could not be created
    std::filesystem::create_directories(folder, ignored);
    std::string lines;
    for (const RatePoint& point : curve.points)
        lines += Json{{"lr", point.lr}, {"loss", point.loss}, {"smoothed", point.smoothed}}.dump() + "\n";
    write_file(folder / "find-lr.jsonl", lines);
    write_file(folder / "find-lr.html", rate_page(curve, plan.training.classifier.model));
    progress.line(fmt::format("curve: {}", (folder / "find-lr.html").string()));
}

void train(const ImageTask& task, const RunPlan& plan, Json settings) {
    const TrainingPlan& training = plan.training;
    const bool resumed = plan.earlier_run == EarlierRun::resumed;
    const RankSession session(plan.ranks);
    std::optional<RunFolder> folder;  // set only on the rank that writes
    if (session.first() && !plan.find_lr) folder.emplace(plan.saves.folder, plan.earlier_run);
    const Device device = start_device(session.device(), session.threads(), training.precision);
    auto [train_set, test_set] = read_sets(task, plan.sets, training.classifier.model);
    const Json config = config_of(task, std::move(settings), device, data_record(*train_set, *test_set));
    if (resumed) check_same_data(recorded_data(plan.saves.folder), config.at("data"), plan.sets.folder);
    check_same_run(session, config.at("options"), config.at("data"));
    const std::int64_t classes = task.classes > 0 ? task.classes : outputs_of(*train_set);
    auto [classifier, start_lines] = build(training, classes, train_set->class_names, device);
    train_set = used_part(plan.sets, train_set, classes, *classifier.loss);
    check_batches_of(training, session, *train_set, train_set->size(), classifier);

    Progress progress;
    if (session.several()) progress.line(session.describe());
    describe_run(task, plan, classifier, *train_set, *test_set, progress);
    for (const std::string& line : start_lines) progress.line(line);
    data::Loader train_loader(train_set, loader_options(plan.sets, session, true));
    data::Loader test_loader(test_set, loader_options(plan.sets, session, false));
    const auto optimizer = make_optimizer(training.optimizer, classifier.named_parameters());
    const std::unique_ptr<WeightAverage> average = make_average(training.optimizer, classifier);
    if (plan.find_lr) {
        const StepSetup setup = step_setup(training, session, classifier, *optimizer, nullptr, device);
        return find_lr(setup, train_loader, session, plan, progress);
    }
    RunSaver saver(session, plan.saves, classifier, *optimizer, config, progress, average.get());
    Trainer trainer({.step = step_setup(training, session, classifier, *optimizer, average.get(), device),
                     .train = train_loader,
                     .test = test_loader,
                     .schedule = training.schedule,
                     .epochs = training.optimizer.epochs,
                     .keep_features = classifier.spec.dim == 2});
    trainer.observe(progress);
    DeadKernelWatch kernel_watch({.stops = !training.optimizer.allow_dead_kernel});
    trainer.observe(kernel_watch);
    if (resumed) {
        saver.resume(classifier, *optimizer, trainer, progress);
        check_rest(training, session, *train_set, trainer.position().samples, classifier);
    }
    check_same_step(session, trainer.steps());
    if (auto* const lookahead = dynamic_cast<Lookahead*>(average.get()))
        lookahead->set_steps(std::max<std::int64_t>(1, trainer.steps() + steps_left(trainer, train_loader)));
    std::optional<RunRecorder> recorder;
    const RecordPlan records{.resumed = resumed,
                             .log_steps = plan.log_steps,
                             .val_split = plan.sets.val_split,
                             .split_seed = plan.sets.split_seed};
    if (folder) recorder.emplace(task, records, *folder, config, classifier, *test_set, trainer, progress);
    const auto observers = make_observers(task, training.optimizer.patience);
    for (const auto& observer : observers) trainer.observe(*observer);
    RunRecorder* const recording = recorder ? &*recorder : nullptr;
    RunKeeper keeper(recording, saver, progress, evaluated_part(plan));
    trainer.observe(keeper);
    run_to_end(trainer, recording, saver, progress, evaluated_part(plan));
    for (const data::Loader* const loader : {&train_loader, &test_loader})
        for (const std::string& line : problem_lines(*loader)) progress.line(line);
}

/// Adds the flags to `app`, and returns the options that they will fill.
std::shared_ptr<TrainOptions> add_options(const ImageTask& task, CLI::App& app) {
    auto options = std::make_shared<TrainOptions>(task.defaults);
    options->model = task.model;
    add_data_option(app, options->data, task.set);
    add_train_options(app, *options);
    if (task.picture_files) add_picture_options(app, options->pictures, true);
    add_recipe_options(app, options->recipe, task.program);
    return options;
}

/// Adjusts the options that neither the command line nor a config file has set to those that were set: the options that
/// fit_optimizer_defaults() adjusts, and the learning rate, whose default depends on the network.
void fit_defaults(const ImageTask& task, const CLI::App& app, TrainOptions& options) {
    const auto given = [&app](const char* option) { return app.get_option(option)->count() > 0; };
    fit_optimizer_defaults(options, given, !options.recipe.empty());
    if (given("--lr") || !options.recipe.empty()) return;
    const ModelInfo* const model = find_model(options.model);
    const auto lr = model == nullptr ? task.lr_defaults.end() : task.lr_defaults.find(model->family);
    if (lr != task.lr_defaults.end()) options.lr = lr->second;
}

}  // namespace

Json train_settings(const ImageTask& task, const std::vector<std::string>& arguments) {
    CLI::App app;
    const auto options = add_options(task, app);
    std::vector<const char*> words = {"train"};
    for (const std::string& argument : arguments) words.push_back(argument.c_str());
    try {
        app.parse(static_cast<int>(words.size()), words.data());
    } catch (const CLI::ParseError& error) {
        throw Error(error.what());
    }
    check_numbers(app);
    apply_recipe(app, options->recipe);
    fit_defaults(task, app, *options);
    const auto start = starting_weights(task, *options);
    return settings_of(completed(task, *options, start.get()), resolved_options(app));
}

Command train_command(const ImageTask& task) {
    return {.name = "train",
            .summary = "Train a network",
            .set_up =
                [task](CLI::App& app) {
                    const auto options = add_options(task, app);
                    return [task, options, &app] {
                        apply_recipe(app, options->recipe);
                        fit_defaults(task, app, *options);
                        auto start = starting_weights(task, *options);
                        const TrainOptions chosen = completed(task, *options, start.get());
                        const RunPlan plan = plan_run(task, chosen, std::move(start));
                        with_memory_advice(options->batch,
                                           [&] { train(task, plan, settings_of(chosen, resolved_options(app))); });
                    };
                },
            .keeps_results = true};
}

}  // namespace radial::train
