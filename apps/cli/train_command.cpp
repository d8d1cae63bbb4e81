// The command `train`: trains with the given options and writes the folder of the run.
#include "radial/apps/cli/train_command.h"
#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/recipes.h"
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/cli/run/rank_session.h"
#include "radial/apps/cli/run/run_recorder.h"
#include "radial/apps/cli/run/run_saver.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/evaluate.h"
#include "radial/apps/train/observers.h"
#include "radial/apps/train/run/version.h"
#include "radial/apps/train/trainer.h"
#include "radial/core/backend/backend.h"
#include "radial/core/tensor/random.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace radial::train {
namespace {

using Json = nlohmann::ordered_json;

data::LoaderOptions loader_options(const ImageTask& task, const TrainOptions& options, const Communicator& ranks,
                                   bool train) {
    data::LoaderOptions loader{.batch_size = options.batch,
                               .shuffle = train,
                               .drop_last = train && options.drop_last,
                               .seed = options.seed,
                               .workers = options.workers,
                               .mean = task.mean,
                               .std = task.std,
                               .rank = ranks.rank(),
                               .ranks = ranks.size()};
    if (train) set_augmentation(options.augmentation, loader);
    set_pictures(options.pictures, train, loader);
    return loader;
}

/// The options for config.json: those of the command line, completed by the options of the network and the loss.
Json settings_of(const TrainOptions& options, Json values) {
    values["model"] = options.model;
    values["dim"] = options.dim;
    values["schedule"] = option_value(options.schedule);
    values["warmup-epochs"] = options.warmup_epochs;
    values["lr"] = options.lr;
    // Each option of the loss is named once, in the same form however it was given.
    for (const auto& [name, value] : options.loss_settings) values.erase("loss." + name);
    for (const auto& [name, value] : loss_settings(options.loss, options.loss_settings)) values["loss." + name] = value;
    for (const auto& [name, value] : model_settings(model_named(options.model), options.model_settings))
        values["model." + name] = value;
    return values;
}

/// The content of config.json: the options, and facts that cannot be given on the command line.
Json config_of(const ImageTask& task, const TrainOptions& options, Json values, Device device, Json data) {
    return {{"program", task.program + " train"},
            {"version", version},
            {"device_description", describe_device(device)},
            {"options", settings_of(options, std::move(values))},
            {"data", std::move(data)}};
}

/// `options`, with the values that were not given filled in from the task and the network.
TrainOptions completed(const ImageTask& task, TrainOptions options) {
    if (!options.resume.empty()) options.out = options.resume;
    if (options.model.empty()) options.model = task.model;
    const ModelInfo& model = model_named(options.model);
    if (options.dim == 0) options.dim = model.dim;
    const ModelSettings known = model.defaults();
    for (const auto& setting : task.model_defaults)
        if (known.contains(setting.first)) options.model_settings.insert(setting);
    const auto defaults = task.loss_defaults.find(options.loss);
    // insert() does not overwrite values that were given. A recipe already sets all the loss options that it needs.
    if (options.recipe.empty() && defaults != task.loss_defaults.end())
        options.loss_settings.insert(defaults->second.begin(), defaults->second.end());
    return options;
}

/// Throws Error when the network expects images with another number of channels.
void check_channels(const std::string& model, const data::Dataset& set) {
    const Shape shape = set.input_shape(), image = model_named(model).image;
    if (shape.rank() != 3 || image.rank() != 3) return;
    const std::int64_t taken = image[0], given = shape[0];
    RADIAL_CHECK(taken == given, "--model {}: takes images of {} channels, the data set has {}", model, taken, given);
}

/// Throws Error when some batches of an epoch, or of the rest of an epoch, cannot be trained on.
void check_batches_of(const TrainOptions& options, const RankSession& session, const data::Dataset& set,
                      std::int64_t samples, const Classifier& classifier) {
    session.check_last_batch(samples);
    const BatchCut cut{.samples = samples,
                       .batch = options.batch,
                       .ranks = session.ranks().size(),
                       .accumulate = options.accumulate,
                       .drop_last = options.drop_last};
    check_batches(*classifier.model, set.input_shape(), cut, options.sync_batch_norm);
    check_batches(*classifier.loss, cut);
}

std::string epoch_line(const EpochResult& result, std::int64_t epochs) {
    std::string metrics;
    for (const MetricResult& metric : result.metrics)
        metrics += fmt::format(", {} {:.4f}", metric_label(metric.name), metric.mean);
    const std::string test = std::isnan(result.test_accuracy)
                                 ? fmt::format("test loss {:.4f}", result.test_loss)
                                 : fmt::format("test accuracy {:.2f}% (best {:.2f}%)", 100 * result.test_accuracy,
                                               100 * result.best_accuracy);
    return fmt::format("epoch {}/{}: loss {:.4f}, {}{}, {:.0f} images/s, {}", result.epoch, epochs, result.train_loss,
                       test, metrics, result.images_per_second, format_duration(result.seconds));
}

/// The work of a program during a run besides training: saves and records the run, prints its progress, and ends it
/// after a signal.
class RunKeeper : public Observer {
public:
    /// `recorder` is null on all ranks but the first.
    RunKeeper(const TrainOptions& options, RunRecorder* recorder, RunSaver& saver, Progress& progress)
        : options_(options), recorder_(recorder), saver_(saver), progress_(progress) {}

    void on_start(Trainer& trainer) override {
        if (options_.resume.empty()) saver_.start(trainer);
        if (recorder_ != nullptr) recorder_->begin_events(trainer);
    }
    void between_steps(Trainer& trainer) override { saver_.after_step(trainer); }
    /// When the disk is full, steps are no longer written for TensorBoard, and training continues.
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
        const bool last = result.epoch == options_.epochs || trainer.stopped();
        if (recorder_ != nullptr) saver_.record([&] { recorder_->record(trainer); }, last);
        progress_.line(epoch_line(result, options_.epochs));
        if (trainer.stopped() && result.epoch < options_.epochs)
            progress_.line(fmt::format("stopped after epoch {} of {}", result.epoch, options_.epochs));
        saver_.after_epoch(trainer, last);
    }
    std::string on_failure(Trainer& /*trainer*/, const FailedStep& failed) override {
        return saver_.keep_failed(failed);
    }

private:
    const TrainOptions& options_;
    RunRecorder* recorder_;
    RunSaver& saver_;
    Progress& progress_;
    bool writes_steps_ = true;
};

/// Trains to the end. If a lost rank or an unreadable sample ends the run early, saves it.
void run_to_end(Trainer& trainer, const RunRecorder* recorder, RunSaver& saver, Progress& progress) {
    try {
        const EpochResult& last = trainer.run();
        const EpochResult& best = trainer.history()[static_cast<std::size_t>(last.best_epoch - 1)];
        if (std::isnan(last.test_accuracy))
            progress.line(fmt::format("test loss: last {:.4f}, lowest {:.4f} (epoch {}, best.safetensors)",
                                      last.test_loss, best.test_loss, last.best_epoch));
        else
            progress.line(fmt::format("test accuracy: last {:.2f}%, best {:.2f}% (epoch {}, best.safetensors)",
                                      100 * last.test_accuracy, 100 * last.best_accuracy, last.best_epoch));
        if (recorder != nullptr) progress.line(fmt::format("report: {}", recorder->folder().report().string()));
    } catch (const RankLost& lost) {
        saver.end_after(lost, trainer);
    } catch (const data::UnreadableSample& unreadable) {
        saver.end_after(unreadable, trainer);
    }
}

EarlierRun earlier_run(const TrainOptions& options) {
    if (!options.resume.empty()) return EarlierRun::resumed;
    return options.overwrite ? EarlierRun::replaced : EarlierRun::refused;
}

/// The network and the loss with the initial weights of the run.
Classifier build(const TrainOptions& options, std::int64_t classes, Device device) {
    manual_seed(options.seed);
    Classifier classifier =
        build_classifier({.model = options.model,
                          .model_settings = model_settings(model_named(options.model), options.model_settings),
                          .dim = options.dim,
                          .loss = options.loss,
                          .loss_settings = loss_settings(options.loss, options.loss_settings),
                          .classes = classes});
    classifier.to(device);
    return classifier;
}

/// The average of the weights for --ema or --lookahead, or null without them.
std::unique_ptr<WeightAverage> make_average(const TrainOptions& options, const Classifier& classifier) {
    RADIAL_CHECK(options.ema == 0 || options.lookahead == 0,
                 "--lookahead {}: cannot be combined with --ema {}; give --lookahead 0, or no --ema", options.lookahead,
                 options.ema);
    if (options.lookahead > 0)
        return std::make_unique<Lookahead>(classifier.averaged_state(),
                                           LookaheadOptions{.interval = options.lookahead});
    if (options.ema == 0) return nullptr;
    return std::make_unique<WeightAverage>(classifier.averaged_state(), options.ema);
}

void describe_run(const ImageTask& task, const TrainOptions& options, const Classifier& classifier,
                  const data::Dataset& train, const data::Dataset& test, Progress& progress) {
    const std::string from = options.data.empty() ? "" : fmt::format(" from {}", options.data.string());
    progress.line(fmt::format("data: {} training and {} test {}{}", train.size(), test.size(),
                              train.input_shape().rank() == 3 ? "images" : "samples", from));
    progress.line(fmt::format("model: {}, {}-D feature, {} parameters; loss: {} ({})", title_of(task, options.model),
                              options.dim, classifier.parameter_count(), options.loss,
                              describe_settings(classifier.spec.loss_settings)));
    progress.line("augmentation: " + describe(options.augmentation));
    progress.line("learning rate: " + describe_schedule(options));
    for (const std::string& note : options_without_effect(options)) progress.line("note: " + note);
    for (const data::Dataset* const set : {&train, &test})
        for (const std::string& note : set->notes) progress.line("note: " + note);
}

/// Reads the training and the test set.
std::pair<std::shared_ptr<data::Dataset>, std::shared_ptr<data::Dataset>> read_sets(const ImageTask& task,
                                                                                    const TrainOptions& options) {
    std::shared_ptr<data::Dataset> train_set = read_set(task, options.data, true);
    check_channels(options.model, *train_set);
    std::shared_ptr<data::Dataset> test_set = read_set(task, options.data, false);
    for (data::Dataset* const set : {train_set.get(), test_set.get()})
        if (auto* const images = dynamic_cast<data::ImageSet*>(set))
            images->view = view_of(options.pictures, model_named(options.model));
    return {std::move(train_set), std::move(test_set)};
}

/// Checks the batches left after `done` samples: in an epoch begun with another batch size, they are divided
/// differently from those of a whole epoch.
void check_rest(const TrainOptions& options, const RankSession& session, const data::Dataset& train_set,
                std::int64_t done, const Classifier& classifier) {
    const std::int64_t left = train_set.size() - done;
    if (left > 0 && (left >= options.batch || !options.drop_last))
        check_batches_of(options, session, train_set, left, classifier);
}

/// The number of steps until the end of the run.
std::int64_t steps_left(const Trainer& trainer, const data::Loader& loader) {
    const data::EpochPosition position = trainer.position();
    const bool within = position.samples > 0;
    const std::int64_t whole = trainer.setup().epochs - std::ssize(trainer.history()) - (within ? 1 : 0);
    return whole * loader.batches() + (within ? loader.batches(position) - position.batches : 0);
}

StepSetup step_setup(const TrainOptions& options, const RankSession& session, const Classifier& classifier,
                     Optimizer& optimizer, WeightAverage* average, Device device) {
    return {.model = *classifier.model,
            .loss = *classifier.loss,
            .optimizer = optimizer,
            .clip_norm = options.clip_norm,
            .average = average,
            .accumulate = options.accumulate,
            .device = device,
            .precision = options.precision,
            .graph = options.graph,
            .ranks = &session.ranks(),
            .rank_options = {.sync_batch_norm = options.sync_batch_norm,
                             .gradients = {.bucket_bytes = static_cast<std::size_t>(options.bucket_mb * 1e6)}}};
}

void train(const ImageTask& task, const TrainOptions& options, Json values) {
    const RankSession session(options);
    std::optional<RunFolder> folder;  // only on the rank that writes
    if (session.first()) folder.emplace(options.out, earlier_run(options));
    const Device device = start_device(session.device(), session.threads(), options.precision);
    const Schedule schedule = make_schedule(options);
    auto [train_set, test_set] = read_sets(task, options);
    const Json config = config_of(task, options, std::move(values), device, data_record(*train_set, *test_set));
    if (!options.resume.empty()) check_same_data(recorded_data(options.resume), config.at("data"), options.data);
    check_same_run(session, config.at("options"), config.at("data"));
    const std::int64_t classes = task.classes > 0 ? task.classes : outputs_of(*train_set);
    Classifier classifier = build(options, classes, device);
    if (options.limit > 0) train_set = data::first(train_set, std::min(options.limit, train_set->size()));
    if (options.class_weights == ClassWeighting::balanced)
        classifier.loss->set_class_weights(balanced_weights(data::labels_of(*train_set), classes));

    check_augmentation(options.augmentation, train_set->input_shape());
    check_batches_of(options, session, *train_set, train_set->size(), classifier);
    Progress progress;
    if (session.several()) progress.line(session.describe());
    describe_run(task, options, classifier, *train_set, *test_set, progress);
    data::Loader train_loader(train_set, loader_options(task, options, session.ranks(), true));
    data::Loader test_loader(test_set, loader_options(task, options, session.ranks(), false));
    const auto optimizer = make_optimizer(options, classifier.named_parameters());
    const std::unique_ptr<WeightAverage> average = make_average(options, classifier);
    RunSaver saver(session, options, classifier, *optimizer, config,
                   fmt::format("{} train --resume {}", task.program, shell_word(options.out)), progress, average.get());
    Trainer trainer({.step = step_setup(options, session, classifier, *optimizer, average.get(), device),
                     .train = train_loader,
                     .test = test_loader,
                     .schedule = schedule,
                     .epochs = options.epochs,
                     .keep_features = options.dim == 2});
    trainer.observe(progress);
    DeadKernelWatch kernel_watch({.stops = !options.allow_dead_kernel});
    trainer.observe(kernel_watch);
    if (!options.resume.empty()) {
        saver.resume(classifier, *optimizer, trainer, progress);
        check_rest(options, session, *train_set, trainer.position().samples, classifier);
    }
    check_same_step(session, trainer.steps());
    if (auto* const lookahead = dynamic_cast<Lookahead*>(average.get()))
        lookahead->set_steps(std::max<std::int64_t>(1, trainer.steps() + steps_left(trainer, train_loader)));
    std::optional<RunRecorder> recorder;
    if (folder) {
        recorder.emplace(task, options, *folder, config, classifier, *test_set, trainer, progress);
    }
    std::vector<std::unique_ptr<Observer>> observers;
    for (const auto& make : task.observers) observers.push_back(make());
    if (options.patience > 0)
        observers.push_back(std::make_unique<EarlyStopping>(EarlyStoppingOptions{.patience = options.patience}));
    for (const auto& observer : observers) trainer.observe(*observer);
    RunRecorder* const records = recorder ? &*recorder : nullptr;
    RunKeeper keeper(options, records, saver, progress);
    trainer.observe(keeper);
    run_to_end(trainer, records, saver, progress);
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

/// Adjusts options that neither the command line nor a config file has set to those that they have set: a warm-up lasts
/// at most half of the run, milestones select the step schedule, one cycle rises and falls as PyTorch's OneCycleLR does
/// by default, and the network selects the learning rate.
void fit_defaults(const ImageTask& task, const CLI::App& app, TrainOptions& options) {
    const auto given = [&app](const char* option) { return app.get_option(option)->count() > 0; };
    const double half = static_cast<double>(options.epochs) / 2;
    if (!given("--warmup-epochs")) options.warmup_epochs = std::min(options.warmup_epochs, half);
    if (!given("--schedule") && !options.milestones.empty()) options.schedule = ScheduleKind::step;
    if (options.schedule == ScheduleKind::one_cycle) {
        if (!given("--warmup-epochs")) options.warmup_epochs = 0.3 * static_cast<double>(options.epochs);
        if (!given("--warmup-start")) options.warmup_start = 1.0 / 25;
        if (!given("--final-lr")) options.final_lr = options.warmup_start / 1e4;
    }
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
    return settings_of(completed(task, *options), resolved_options(app));
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
                        with_memory_advice(options->batch,
                                           [&] { train(task, completed(task, *options), resolved_options(app)); });
                    };
                },
            .keeps_results = true};
}

}  // namespace radial::train
