// The files of a run's folder, written after each epoch.
#include "radial/apps/common/run_recorder.h"

#include "radial/apps/common/input_notes.h"
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

}  // namespace

std::string title_of(const ImageTask& task, const std::string& model) {
    return model == task.model ? task.model_title : model;
}

RunRecorder::RunRecorder(const ImageTask& task, const TrainOptions& options, nlohmann::ordered_json config,
                         const Classifier& classifier, const data::Dataset& test, const std::vector<EpochResult>& past)
    : task_(task),
      options_(options),
      config_(std::move(config)),
      classifier_(classifier),
      test_(test),
      folder_(open_folder(options, past)) {
    folder_.write_config(config_);
}

void RunRecorder::record(const Trainer& trainer) {
    const EpochResult& result = trainer.history().back();
    std::map<std::string, std::string> notes = to_metadata({.class_names = test_.class_names,
                                                            .size = test_.files ? test_.view.crop : 0,
                                                            .resize = test_.files ? test_.view.resize : 0,
                                                            .mean = task_.mean,
                                                            .deviation = task_.deviation});
    notes["program"] = fmt::format("{} {}", task_.program, version);
    notes["epoch"] = fmt::format("{}", result.epoch);
    notes["accuracy"] = fmt::format("{}", result.test_accuracy);
    save_classifier(folder_.checkpoint(), classifier_, notes);
    write_file(folder_.report(), report_page(report_content(trainer)));
    folder_.append_metrics(to_json(result));
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
        .settings = {}};
    const Tensor prototypes = classifier_.loss->prototypes();
    if (prototypes.defined()) content.prototypes = prototypes.to_vector<float>();
    for (const auto& [name, value] : config_.at("options").items())
        content.settings.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
    return content;
}

}  // namespace radial::apps
