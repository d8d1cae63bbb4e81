// The flags of augmentation, and the transforms that they ask for.
#include "radial/apps/common/augmentation_options.h"

#include <fmt/core.h>

#include <string>

namespace radial::apps {

void add_augmentation_options(CLI::App& app, AugmentationOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str()->group("Augmentation");
    };
    add("--crop-padding", options.crop_padding,
        "Pixels of zeros around a training image, out of which a random window of its size is cut")
        ->check(CLI::Range(0, 1024));
    add("--flip", options.flip, "Probability that it is mirrored")->check(CLI::Range(0.0, 1.0));
    add("--cutout", options.cutout, "Side of a square hole at a random place, in pixels; 0 makes none")
        ->check(CLI::Range(0, 1024));
    add("--erasing", options.erasing, "Probability that a random rectangle of it becomes noise")
        ->check(CLI::Range(0.0, 1.0));
    app.add_flag("--no-augment", options.off, "Train on the images as they are, whatever the flags above say")
        ->group("Augmentation");
}

data::Transforms make_transforms(const AugmentationOptions& options) {
    data::Transforms transforms;
    if (options.off) return transforms;
    auto& list = transforms.normalised;
    if (options.crop_padding > 0) list.push_back(data::random_crop(options.crop_padding));
    if (options.flip > 0) list.push_back(data::random_flip(options.flip));
    if (options.cutout > 0) list.push_back(data::cutout(options.cutout));
    if (options.erasing > 0) list.push_back(data::random_erasing({.probability = options.erasing}));
    return transforms;
}

std::string describe(const AugmentationOptions& options) {
    std::string text;
    const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
    if (!options.off) {
        if (options.crop_padding > 0) add(fmt::format("crop with padding {}", options.crop_padding));
        if (options.flip > 0) add(fmt::format("flip {}", options.flip));
        if (options.cutout > 0) add(fmt::format("cutout {}", options.cutout));
        if (options.erasing > 0) add(fmt::format("erasing {}", options.erasing));
    }
    return text.empty() ? "none" : text;
}

}  // namespace radial::apps
