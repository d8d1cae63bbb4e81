// The flags of data sets that are files.
#include "radial/apps/common/picture_options.h"

#include "radial/core/util/error.h"

#include <CLI/CLI.hpp>

#include <cmath>

namespace radial::apps {

void add_picture_options(CLI::App& app, PictureOptions& options, bool train) {
    const auto size = [&](const char* flag, std::int64_t& value, const char* text) {
        app.add_option(flag, value, text)->capture_default_str()->check(CLI::Range(0, 100000))->group("Pictures");
    };
    size("--image-size", options.image_size,
         train ? "Side of the square images that the network sees; 0 takes the network's own"
               : "Side of the square images that the network sees; 0 takes the size it was trained with");
    size("--resize", options.resize,
         "Length that the shorter side is given in evaluation, before the middle is cut out; 0 takes 8/7 of the size");
    if (train) {
        app.add_flag("--exact-decoding", options.exact_decoding,
                     "Decode every training JPEG at its full size, also where the region that is cut out gets smaller "
                     "by half or more")
            ->group("Pictures");
    }
    app.add_flag("--skip-corrupt", options.skip_corrupt,
                 train ? "Count files that cannot be read and put the next one in their place, in evaluation none"
                       : "Count files that cannot be read, and do without them")
        ->group("Pictures");
}

data::EvaluationView view_of(const PictureOptions& options, const ModelInfo& model, const InputNotes& notes) {
    const bool noted = options.image_size == 0 && notes.size > 0;
    data::EvaluationView view;
    view.crop = noted ? notes.size : options.image_size > 0 ? options.image_size : model.image[1];
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

}  // namespace radial::apps
