// The files of a run's folder, written after each epoch.
#include "radial/apps/common/run_recorder.h"

#include "radial/apps/common/input_notes.h"
#include "radial/apps/common/safe_text.h"
#include "radial/apps/common/version.h"
#include "radial/core/atomic_file.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace radial::apps {
namespace {

RunFolder open_folder(const TrainOptions& options, const std::vector<EpochResult>& past) {
    if (options.resume.empty()) return RunFolder(options.out);
    std::vector<nlohmann::ordered_json> lines;
    std::transform(past.begin(), past.end(), std::back_inserter(lines), to_json);
    return {options.out, lines};
}

constexpr std::size_t most_mistakes = 24;
constexpr std::int64_t picture_side = 128;  // pixels of a mistake's shorter side at most

/// The first step whose events will be written (again). An epoch that is still to be evaluated writes some at its last
/// step, even where that step has been done.
std::int64_t first_step(const Trainer& trainer) { return trainer.steps() + (trainer.awaits_evaluation() ? 0 : 1); }

}  // namespace

std::string title_of(const ImageTask& task, const std::string& model) {
    return model == task.model ? task.model_title : model;
}

RunRecorder::RunRecorder(const ImageTask& task, const TrainOptions& options, nlohmann::ordered_json config,
                         const Classifier& classifier, const data::Dataset& test, const Trainer& trainer)
    : task_(task),
      options_(options),
      config_(std::move(config)),
      classifier_(classifier),
      test_(test),
      folder_(open_folder(options, trainer.history())),
      events_(folder_.events(), first_step(trainer), options.log_steps) {
    folder_.write_config(config_);
}

void RunRecorder::record(const Trainer& trainer) {
    const EpochResult& result = trainer.history().back();
    folder_.append_metrics(to_json(result));  // first: a line may fit where a checkpoint no longer does
    std::map<std::string, std::string> notes = to_metadata({.class_names = test_.class_names,
                                                            .size = test_.files ? test_.view.crop : 0,
                                                            .resize = test_.files ? test_.view.resize : 0,
                                                            .mean = task_.mean,
                                                            .deviation = task_.deviation});
    notes["program"] = fmt::format("{} {}", task_.program, version);
    notes["epoch"] = fmt::format("{}", result.epoch);
    notes["accuracy"] = fmt::format("{}", result.test_accuracy);
    save_classifier(folder_.checkpoint(), classifier_, notes);
    const ReportContent content = report_content(trainer);
    write_file(folder_.report(), report_page(content));
    events_.epoch(result, trainer.steps(), trainer.evaluation(), content.mistakes, test_.class_names);
}

std::vector<PicturedMistake> RunRecorder::mistakes_of(const Evaluation& evaluation) const {
    std::vector<PicturedMistake> pictured;
    for (const Mistake& mistake : worst_mistakes(evaluation, most_mistakes))
        pictured.push_back({mistake, png_of(test_.picture(mistake.sample), picture_side)});
    return pictured;
}

ReportContent RunRecorder::report_content(const Trainer& trainer) const {
    ReportContent content{
        .title = fmt::format("{} with {}, {}-D", title_of(task_, options_.model), options_.loss, options_.dim),
        .subtitle = config_.at("device_description"),
        .history = trainer.history(),
        .epochs_planned = options_.epochs,
        .evaluation = trainer.evaluation(),
        .class_names = test_.class_names,
        .prototypes = {},
        .dim = options_.dim,
        .mistakes = mistakes_of(trainer.evaluation()),
        .settings = {}};
    const Tensor prototypes = classifier_.loss->prototypes();
    if (prototypes.defined()) content.prototypes = prototypes.to_vector<float>();
    for (const auto& [name, value] : config_.at("options").items())
        content.settings.emplace_back(name, text_from_json(value));
    return content;
}

}  // namespace radial::apps
