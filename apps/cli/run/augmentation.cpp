// Applies the options of images to a loader: views, decoding and transforms.
#include "radial/apps/cli/run/augmentation.h"

#include "radial/core/util/error.h"
#include "radial/data/images/auto_augment.h"

#include <fmt/ranges.h>

#include <algorithm>
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

data::Transforms make_transforms(const AugmentationOptions& options) {
    data::Transforms transforms;
    if (options.off) return transforms;
    if (options.trivial_augment) transforms.pixels.push_back(data::trivial_augment());
    if (!options.rand_augment.empty()) {
        const auto& numbers = options.rand_augment;
        RADIAL_CHECK(numbers.size() == 2 && std::ranges::all_of(numbers, [](double x) { return x == std::floor(x); }),
                     "--rand-augment: {}, expected two whole numbers, as in 2,9", fmt::join(numbers, ","));
        transforms.pixels.push_back(data::rand_augment(
            {.operations = static_cast<std::int64_t>(numbers[0]), .magnitude = static_cast<std::int64_t>(numbers[1])}));
    }
    if (!options.color_jitter.empty()) {
        const auto& jitter = options.color_jitter;
        RADIAL_CHECK(jitter.size() == 4, "--color-jitter: {} numbers, expected 4", jitter.size());
        transforms.pixels.push_back(data::color_jitter(
            {.brightness = jitter[0], .contrast = jitter[1], .saturation = jitter[2], .hue = jitter[3]}));
    }
    auto& list = transforms.normalised;
    if (options.crop_padding > 0) list.push_back(data::random_crop(options.crop_padding, options.crop_border));
    if (options.flip > 0 && !options.alternating_flip) list.push_back(data::random_flip(options.flip));
    if (options.cutout > 0) list.push_back(data::cutout(options.cutout));
    if (options.erasing > 0) list.push_back(data::random_erasing({.probability = options.erasing}));
    return transforms;
}

void check_augmentation(const AugmentationOptions& options, const Shape& input) {
    if (options.off || options.crop_border != data::Border::reflect || input.rank() != 3) return;
    const std::int64_t side = std::min(input[1], input[2]);
    RADIAL_CHECK(options.crop_padding < side,
                 "--crop-padding: {} is not below the {} pixels of the images, as --crop-border reflect needs",
                 options.crop_padding, side);
}

void set_augmentation(const AugmentationOptions& options, data::LoaderOptions& loader) {
    loader.transforms = make_transforms(options);
    if (options.off) return;
    loader.alternating_flip = options.alternating_flip;
    if (options.random_area > 0) loader.random_region = data::RandomRegionOptions{.min_area = options.random_area};
    loader.mixing = {.mixup = options.mixup, .cutmix = options.cutmix};
    loader.repeats = options.repeats;
}

bool varies_images(const AugmentationOptions& options) {
    // An alternating flip is the same at all uses in an epoch.
    const bool flips = options.flip > 0 && !options.alternating_flip;
    return !options.off && (options.random_area > 0 || options.trivial_augment || !options.rand_augment.empty() ||
                            !options.color_jitter.empty() || options.crop_padding > 0 || flips || options.cutout > 0 ||
                            options.erasing > 0 || options.mixup > 0 || options.cutmix > 0);
}

std::string describe(const AugmentationOptions& options) {
    std::string text;
    const auto append = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    if (!options.off) {
        if (options.random_area > 0)
            append(fmt::format("random region of {} of the area or more", options.random_area));
        if (options.trivial_augment) append("TrivialAugment");
        if (!options.rand_augment.empty()) append(fmt::format("RandAugment {}", fmt::join(options.rand_augment, ",")));
        if (!options.color_jitter.empty()) append(fmt::format("color jitter {}", fmt::join(options.color_jitter, ",")));
        if (options.crop_padding > 0)
            append(fmt::format("crop with {}padding {}",
                               options.crop_border == data::Border::reflect ? "reflected " : "", options.crop_padding));
        if (options.alternating_flip) append("flip in every other epoch");
        if (options.flip > 0 && !options.alternating_flip) append(fmt::format("flip {}", options.flip));
        if (options.cutout > 0) append(fmt::format("cutout {}", options.cutout));
        if (options.erasing > 0) append(fmt::format("erasing {}", options.erasing));
        if (options.mixup > 0) append(fmt::format("mixup {}", options.mixup));
        if (options.cutmix > 0) append(fmt::format("CutMix {}", options.cutmix));
        if (options.repeats > 1) append(fmt::format("each image {} times in a row", options.repeats));
    }
    return text.empty() ? "none" : text;
}

}  // namespace radial::train
