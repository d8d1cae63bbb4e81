// The files of a run's folder, written after each epoch.
#include "radial/apps/cli/run/run_recorder.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/input_notes.h"
#include "radial/apps/train/run/version.h"
#include "radial/core/io/files.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace radial::train {
namespace {

/// The first step whose events will be written (again). An epoch whose evaluation is pending writes events at its last
/// step, even though that step is already done.
std::int64_t first_step(const Trainer& trainer) { return trainer.steps() + (trainer.awaits_evaluation() ? 0 : 1); }

}  // namespace

std::string title_of(const ImageTask& task, const std::string& model) {
    return model == task.model ? task.model_title : model;
}

RunRecorder::RunRecorder(const ImageTask& task, const RecordPlan& plan, RunFolder& folder,
                         nlohmann::ordered_json config, const Classifier& classifier, const data::Dataset& test,
                         const Trainer& trainer, Progress& progress)
    : task_(task), plan_(plan), config_(std::move(config)), classifier_(classifier), test_(test), folder_(folder) {
    if (!plan.resumed) {
        folder_.begin();
    } else {
        std::vector<nlohmann::ordered_json> lines;
        std::transform(trainer.history().begin(), trainer.history().end(), std::back_inserter(lines), to_json);
        folder_.go_on(lines);
        find_best(trainer, progress);
    }
    folder_.write_config(config_);
}

void RunRecorder::begin_events(const Trainer& trainer) {
    events_.emplace(folder_.events(), first_step(trainer), plan_.log_steps);
}

void RunRecorder::record(const Trainer& trainer) {
    const EpochResult& result = trainer.history().back();
    folder_.append_metrics(to_json(result));  // first: a line may still fit on a disk that is too full for a checkpoint
    write_checkpoints(result);
    const ReportContent content = report_content(trainer);
    write_file(folder_.report(), report_page(content));
    events_->epoch(result, trainer.steps(), trainer.evaluation(), content.mistakes, test_.class_names);
}

void RunRecorder::write_checkpoints(const EpochResult& result) {
    const TensorFile file = classifier_file(classifier_, notes_on(result));
    const bool best = result.best_epoch == result.epoch;
    try {
        write_safetensors(folder_.checkpoint(), file, Checksum::added);
        if (best || unwritten_best_) write_safetensors(folder_.best(), best ? file : *unwritten_best_, Checksum::added);
        unwritten_best_.reset();
    } catch (const FileError&) {
        if (best) {
            unwritten_best_ = file;
            for (NamedTensor& named : unwritten_best_->tensors) named.tensor = named.tensor.to(Device{}).clone();
        }
        throw;
    }
}

// The best checkpoint may be missing, because earlier versions wrote none or because the disk was full. If the last
// epoch was the best, its checkpoint can still be copied.
void RunRecorder::find_best(const Trainer& trainer, Progress& progress) const {
    if (trainer.history().empty()) return;
    const std::int64_t best = trainer.history().back().best_epoch;
    const auto epoch_of = [](const std::filesystem::path& file) -> std::int64_t {
        try {
            return std::stoll(read_safetensors(file).metadata.at("epoch"));
        } catch (const std::exception&) {
            return 0;
        }
    };
    // A best checkpoint of a later epoch is kept, because that epoch is about to be repeated.
    if (epoch_of(folder_.best()) >= best) return;
    if (epoch_of(folder_.checkpoint()) == best) {
        write_safetensors(folder_.best(), read_safetensors(folder_.checkpoint()), Checksum::added);
        return;
    }
    progress.line(
        fmt::format("note: {} is not there for epoch {}, the best so far; it is written when a later one is "
                    "better",
                    folder_.best().string(), best));
}

std::map<std::string, std::string> RunRecorder::notes_on(const EpochResult& result) const {
    const auto* const images = dynamic_cast<const data::ImageSet*>(&test_);
    const data::EvaluationView view = images != nullptr && images->files ? images->view : data::EvaluationView{0, 0};
    std::map<std::string, std::string> notes = to_metadata({.class_names = test_.class_names,
                                                            .class_folders = test_.class_folders,
                                                            .size = view.crop,
                                                            .resize = view.resize,
                                                            .val_split = plan_.val_split,
                                                            .split_seed = plan_.split_seed,
                                                            .mean = task_.mean,
                                                            .std = task_.std});
    if (config_.contains("data")) notes["data"] = config_.at("data").dump();
    notes["program"] = fmt::format("{} {}", task_.program, version);
    notes["epoch"] = fmt::format("{}", result.epoch);
    notes["accuracy"] = fmt::format("{}", result.test_accuracy);
    return notes;
}

ReportContent RunRecorder::report_content(const Trainer& trainer) const {
    const ClassifierSpec& spec = classifier_.spec;
    ReportContent content{.title = fmt::format("{} with {}, {}-D", title_of(task_, spec.model), spec.loss, spec.dim),
                          .subtitle = config_.at("device_description"),
                          .history = trainer.history(),
                          .epochs_planned = trainer.setup().epochs,
                          .evaluation = trainer.evaluation(),
                          .class_names = test_.class_names,
                          .prototypes = {},
                          .dim = spec.dim,
                          .mistakes = pictured_mistakes(test_, trainer.evaluation()),
                          .settings = {},
                          .metric_descriptions = metric_descriptions(*classifier_.loss)};
    const Tensor prototypes = classifier_.loss->prototypes();
    if (prototypes.defined()) content.prototypes = prototypes.to_vector<float>();
    for (const auto& [name, value] : config_.at("options").items())
        content.settings.emplace_back(name, text_from_json(value));
    return content;
}

}  // namespace radial::train
