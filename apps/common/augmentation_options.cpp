// The flags of augmentation, and the transforms that they ask for.
#include "radial/apps/common/augmentation_options.h"

#include "radial/core/util/error.h"

#include <fmt/ranges.h>
#include <CLI/CLI.hpp>

namespace radial::apps {

void add_augmentation_options(CLI::App& app, AugmentationOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Augmentation");
    };
    add("--random-area", options.random_area,
        "Least part of a training image's area of the random region that is cut out and resized to the size of the "
        "image, or to --image-size; 0 cuts out none")
        ->check(CLI::Range(0.0, 1.0));
    add("--crop-padding", options.crop_padding,
        "Pixels of zeros around a training image, out of which a random window of its size is cut")
        ->check(CLI::Range(0, 1024));
    add("--flip", options.flip, "Probability that it is mirrored")->check(CLI::Range(0.0, 1.0));
    add("--color-jitter", options.color_jitter,
        "Most that brightness, contrast, saturation and hue change, as 0.4,0.4,0.4,0.1 (default: not at all)")
        ->delimiter(',')
        ->expected(4);
    add("--cutout", options.cutout, "Side of a square hole at a random place, in pixels; 0 makes none")
        ->check(CLI::Range(0, 1024));
    add("--erasing", options.erasing, "Probability that a random rectangle of it becomes noise")
        ->check(CLI::Range(0.0, 1.0));
    const auto alpha = CLI::Range(0.0, 1000.0);
    add("--mixup", options.mixup, "Alpha of mixup, which blends the images of a batch in pairs; 0 does not")
        ->check(alpha);
    add("--cutmix", options.cutmix, "Alpha of CutMix, which pastes rectangles of other images; 0 does not")
        ->check(alpha);
    app.add_flag("--no-augment", options.off, "Train on the images as they are, whatever the flags above say")
        ->group("Augmentation");
}

data::Transforms make_transforms(const AugmentationOptions& options) {
    data::Transforms transforms;
    if (options.off) return transforms;
    if (!options.color_jitter.empty()) {
        const auto& jitter = options.color_jitter;
        RADIAL_CHECK(jitter.size() == 4, "--color-jitter: {} numbers, expected 4", jitter.size());
        transforms.pixels.push_back(data::color_jitter(
            {.brightness = jitter[0], .contrast = jitter[1], .saturation = jitter[2], .hue = jitter[3]}));
    }
    auto& list = transforms.normalised;
    if (options.crop_padding > 0) list.push_back(data::random_crop(options.crop_padding));
    if (options.flip > 0) list.push_back(data::random_flip(options.flip));
    if (options.cutout > 0) list.push_back(data::cutout(options.cutout));
    if (options.erasing > 0) list.push_back(data::random_erasing({.probability = options.erasing}));
    return transforms;
}

void set_augmentation(const AugmentationOptions& options, data::LoaderOptions& loader) {
    loader.transforms = make_transforms(options);
    if (options.off) return;
    if (options.random_area > 0) loader.random_region = data::RandomRegionOptions{.min_area = options.random_area};
    loader.mixing = {.mixup = options.mixup, .cutmix = options.cutmix};
}

std::string describe(const AugmentationOptions& options) {
    std::string text;
    const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    if (!options.off) {
        if (options.random_area > 0) add(fmt::format("random region of {} of the area or more", options.random_area));
        if (!options.color_jitter.empty()) add(fmt::format("color jitter {}", fmt::join(options.color_jitter, ",")));
        if (options.crop_padding > 0) add(fmt::format("crop with padding {}", options.crop_padding));
        if (options.flip > 0) add(fmt::format("flip {}", options.flip));
        if (options.cutout > 0) add(fmt::format("cutout {}", options.cutout));
        if (options.erasing > 0) add(fmt::format("erasing {}", options.erasing));
        if (options.mixup > 0) add(fmt::format("mixup {}", options.mixup));
        if (options.cutmix > 0) add(fmt::format("CutMix {}", options.cutmix));
    }
    return text.empty() ? "none" : text;
}

}  // namespace radial::apps
