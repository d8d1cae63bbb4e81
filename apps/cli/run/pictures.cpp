// Views, decoding and problems of data sets that are files.
#include "radial/apps/cli/run/pictures.h"

#include "radial/core/util/error.h"

#include <cmath>

namespace radial::train {

data::EvaluationView view_of(const PictureOptions& options, const ModelInfo& model, const InputNotes& notes) {
    const bool noted = options.image_size == 0 && notes.size > 0;
    data::EvaluationView view;
    view.crop = noted                     ? notes.size
                : options.image_size > 0  ? options.image_size
                : model.image.rank() == 3 ? model.image[1]
                                          : view.crop;
    view.resize = std::llround(static_cast<double>(view.crop) * 8 / 7);
    if (noted && notes.resize > 0) view.resize = notes.resize;
    if (options.resize > 0) view.resize = options.resize;
    RADIAL_CHECK(view.resize >= view.crop, "--resize: {} is below --image-size {}", view.resize, view.crop);
    return view;
}

void set_pictures(const PictureOptions& options, bool train, data::LoaderOptions& loader) {
    loader.scaled_decoding = train && !options.exact_decoding;
    if (options.skip_corrupt)
        loader.corrupt_files = train ? data::CorruptFiles::replace : data::CorruptFiles::leave_out;
}

std::vector<std::string> problem_lines(const data::Loader& loader) {
    const std::vector<std::string> problems = loader.problems();
    if (problems.empty()) return {};
    std::vector<std::string> lines = {fmt::format("skipped {} of {} files:", problems.size(), loader.dataset().size())};
    lines.insert(lines.end(), problems.begin(), problems.end());
    return lines;
}

}  // namespace radial::train
