// `train`: from options to a run's folder.
#include "radial/apps/common/class_weights.h"
#include "radial/apps/common/image_task.h"
#include "radial/apps/common/loss_options.h"
#include "radial/apps/common/report.h"
#include "radial/apps/common/run_folder.h"
#include "radial/apps/common/saved_classifier.h"
#include "radial/apps/common/trainer.h"
#include "radial/apps/common/version.h"
#include "radial/core/atomic_file.h"
#include "radial/core/backend.h"
#include "radial/core/random.h"

#include <algorithm>

namespace radial::apps {
namespace {

using Json = nlohmann::ordered_json;

data::LoaderOptions loader_options(const ImageTask& task, const TrainOptions& options, bool train) {
    return {.batch_size = options.batch,
            .shuffle = train,
            .seed = options.seed,
            .workers = options.workers,
            .mean = task.mean,
            .deviation = task.deviation};
}

/// What config.json holds: all of the command line, and what cannot be given on it.
Json config_of(const ImageTask& task, const TrainOptions& options, Json values, Device device) {
    // The loss's options in the form that names each once, whichever way they were given.
    for (const auto& [name, value] : options.loss_settings) values.erase("loss." + name);
    for (const auto& [name, value] : loss_settings(options.loss, options.loss_settings)) values["loss." + name] = value;
    return {{"program", task.program + " train"},
            {"version", version},
            {"device_description", describe_device(device)},
            {"options", std::move(values)}};
}

std::string epoch_line(const EpochResult& result, std::int64_t epochs) {
    const std::string kernel = result.mean_kernel ? fmt::format(", mean kernel {:.4f}", *result.mean_kernel) : "";
    return fmt::format("epoch {}/{}: loss {:.4f}, test accuracy {:.2f}% (best {:.2f}%){}, {:.0f} images/s, {}",
                       result.epoch, epochs, result.train_loss, 100 * result.test_accuracy, 100 * result.best_accuracy,
                       kernel, result.images_per_second, format_duration(result.seconds));
}

/// Everything that a run writes.
class Recorder {
public:
    Recorder(const ImageTask& task, const TrainOptions& options, Json config, const Classifier& classifier,
             const data::Dataset& test)
        : task_(task),
          options_(options),
          config_(std::move(config)),
          classifier_(classifier),
          test_(test),
          folder_(options.out) {
        folder_.write_config(config_);
    }

    void record(const Trainer& trainer) {
        const EpochResult& result = trainer.history().back();
        save_classifier(folder_.checkpoint(), classifier_,
                        {{"program", fmt::format("{} {}", task_.program, version)},
                         {"epoch", fmt::format("{}", result.epoch)},
                         {"accuracy", fmt::format("{}", result.test_accuracy)}});
        write_file(folder_.report(), report_page(report_content(trainer)));
        folder_.append_metrics(to_json(result));
    }

    const RunFolder& folder() const { return folder_; }

private:
    ReportContent report_content(const Trainer& trainer) const {
        ReportContent content{.title = fmt::format("{} with {}, {}-D", task_.model_title, options_.loss, options_.dim),
                              .subtitle = config_.at("device_description"),
                              .history = trainer.history(),
                              .epochs_planned = options_.epochs,
                              .evaluation = trainer.evaluation(),
                              .class_names = test_.class_names,
                              .prototypes = {},
                              .dim = options_.dim,
                              .settings = {}};
        const Tensor prototypes = classifier_.loss->prototypes();
        if (prototypes.defined()) content.prototypes = prototypes.to_vector<float>();
        for (const auto& [name, value] : config_.at("options").items())
            content.settings.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
        return content;
    }

    const ImageTask& task_;
    const TrainOptions& options_;
    Json config_;
    const Classifier& classifier_;
    const data::Dataset& test_;
    RunFolder folder_;
};

void run_epochs(Trainer& trainer, Recorder& recorder, Progress& progress, std::int64_t epochs) {
    for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
        const EpochResult result = trainer.run_epoch();
        recorder.record(trainer);
        progress.line(epoch_line(result, epochs));
    }
    const EpochResult& last = trainer.history().back();
    progress.line(fmt::format("test accuracy: last {:.2f}%, best {:.2f}% (epoch {})", 100 * last.test_accuracy,
                              100 * last.best_accuracy, last.best_epoch));
    progress.line(fmt::format("report: {}", recorder.folder().report().string()));
}

GraphUse parse_graph_use(const std::string& name) {
    return name == "on" ? GraphUse::on : name == "off" ? GraphUse::off : GraphUse::automatic;
}

void train(const ImageTask& task, const TrainOptions& options, Json values) {
    const Precision precision = parse_precision(options.precision);
    const Device device = start_device(options.device, options.threads, precision);
    const Schedule schedule = make_schedule(options);
    manual_seed(options.seed);
    const Classifier classifier = build_classifier({.model = task.model,
                                                    .dim = options.dim,
                                                    .loss = options.loss,
                                                    .loss_settings = loss_settings(options.loss, options.loss_settings),
                                                    .classes = task.classes});
    classifier.model->to(device);
    classifier.loss->to(device);
    data::Dataset train_set = read_set(task, options.data, true);
    const data::Dataset test_set = read_set(task, options.data, false);
    if (options.limit > 0) train_set = train_set.first(std::min(options.limit, train_set.size()));
    if (options.class_weights == "balanced")
        classifier.loss->set_class_weights(balanced_weights(train_set.labels, task.classes));

    Progress progress;
    progress.line(fmt::format("data: {} training and {} test images from {}", train_set.size(), test_set.size(),
                              options.data.string()));
    progress.line(fmt::format("model: {}, {}-D feature, {} parameters; loss: {} ({})", task.model_title, options.dim,
                              classifier.model->parameter_count() + classifier.loss->parameter_count(), options.loss,
                              describe_settings(classifier.spec.loss_settings)));
    Recorder recorder(task, options, config_of(task, options, std::move(values), device), classifier, test_set);
    data::Loader train_loader(train_set, loader_options(task, options, true));
    data::Loader test_loader(test_set, loader_options(task, options, false));
    const auto optimizer = make_optimizer(options, classifier.parameters());
    Trainer trainer({.model = *classifier.model,
                     .loss = *classifier.loss,
                     .train = train_loader,
                     .test = test_loader,
                     .optimizer = *optimizer,
                     .schedule = schedule,
                     .epochs = options.epochs,
                     .clip_norm = options.clip_norm,
                     .allow_dead_kernel = options.allow_dead_kernel,
                     .keep_features = options.dim == 2,
                     .device = device,
                     .precision = precision,
                     .graph = parse_graph_use(options.graph)},
                    progress);
    run_epochs(trainer, recorder, progress, options.epochs);
}

}  // namespace

Command train_command(const ImageTask& task) {
    return {"train", "Train a network and write checkpoint, metrics and report", [task](CLI::App& app) {
                auto options = std::make_shared<TrainOptions>(task.defaults);
                add_data_option(app, options->data, task.set);
                add_train_options(app, *options);
                return [task, options, &app] {
                    with_memory_advice(options->batch, [&] { train(task, *options, resolved_options(app)); });
                };
            }};
}

}  // namespace radial::apps
