// The report of a run that is under way.
#include "radial/apps/report/report_observer.h"

#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

namespace radial::train {
namespace {

constexpr std::int64_t picture_side = 128;  // pixels of a mistake's shorter side at most

}  // namespace

std::vector<PicturedMistake> pictured_mistakes(const data::Dataset& set, const Evaluation& evaluation,
                                               std::size_t count) {
    std::vector<PicturedMistake> pictured;
    for (const Mistake& mistake : worst_mistakes(evaluation, count))
        if (const Tensor picture = set.picture(mistake.sample); picture.defined())
            pictured.push_back({mistake, png_of(picture, picture_side)});
    return pictured;
}

Report::Report(std::filesystem::path path, const Classifier& classifier, const data::Dataset& test,
               ReportOptions options)
    : path_(std::move(path)), classifier_(classifier), test_(test), options_(std::move(options)) {}

void Report::on_epoch(Trainer& trainer, const EpochResult& /*result*/) {
    std::error_code error;
    if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), error);
    if (error) throw FileError(fmt::format("{}: cannot make the folder: {}", path_.string(), error.message()));
    ReportContent content{.title = options_.title,
                          .subtitle = options_.subtitle,
                          .history = trainer.history(),
                          .epochs_planned = trainer.setup().epochs,
                          .evaluation = trainer.evaluation(),
                          .class_names = test_.class_names,
                          .prototypes = {},
                          .dim = 0,
                          .mistakes = pictured_mistakes(test_, trainer.evaluation()),
                          .settings = options_.settings,
                          .metric_descriptions = metric_descriptions(*classifier_.loss)};
    const Tensor prototypes = classifier_.loss->prototypes();
    if (prototypes.defined()) {
        content.prototypes = prototypes.to_vector<float>();
        content.dim = prototypes.size(1);
    }
    write_file(path_, report_page(content));
}

}  // namespace radial::train
