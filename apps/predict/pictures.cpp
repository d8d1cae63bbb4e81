// Reads pictures in batches and prepares them for a network.
#include "radial/apps/predict/pictures.h"

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/shared_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/core/util/error.h"
#include "radial/data/images/image.h"
#include "radial/data/images/view.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>

namespace radial::predict {
namespace {

namespace fs = std::filesystem;

/// Converts bytes [C, H, W] to (byte / 255 - mean) / std.
void normalise(const Tensor& bytes, const Preprocessing& preprocessing, float* to) {
    const std::int64_t channels = bytes.size(0), pixels = bytes.size(1) * bytes.size(2);
    const std::uint8_t* from = bytes.data<std::uint8_t>();
    const auto of_channel = [](const std::vector<float>& values, std::int64_t c) {
        return values.size() == 1 ? values.front() : values.at(static_cast<std::size_t>(c));
    };
    for (std::int64_t c = 0; c < channels; ++c) {
        const float mean = of_channel(preprocessing.mean, c), std = of_channel(preprocessing.std, c);
        for (std::int64_t i = 0; i < pixels; ++i) *to++ = (static_cast<float>(*from++) / 255.0F - mean) / std;
    }
}

/// Reads the files. Throws FileError for one that cannot be read, unless `skip_bad` is set.
PictureBatch read_pictures(std::span<const fs::path> files, const Preprocessing& preprocessing, bool skip_bad) {
    PictureBatch batch;
    std::vector<Tensor> views;
    for (const fs::path& file : files) {
        try {
            const Tensor image = data::read_image(file, {.channels = preprocessing.channels});
            views.push_back(data::evaluation_view(image, preprocessing.resize, preprocessing.size));
            batch.files.push_back(file);
        } catch (const FileError& error) {
            if (!skip_bad) throw;
            batch.problems.emplace_back(error.what());
        }
    }
    if (views.empty()) return batch;
    batch.images = Tensor::empty({std::ssize(views), preprocessing.channels, preprocessing.size, preprocessing.size},
                                 DType::float32, Device{});
    float* to = batch.images.data<float>();
    for (const Tensor& view : views) {
        normalise(view, preprocessing, to);
        to += view.numel();
    }
    return batch;
}

}  // namespace

data::FoundImages picture_files(const std::vector<fs::path>& paths) {
    data::FoundImages all;
    for (const fs::path& path : paths) {
        if (!fs::is_directory(path)) {
            all.files.push_back(path);
            continue;
        }
        const data::FoundImages found = data::find_images(path);
        if (found.files.empty()) throw FileError(path.string() + ": no JPEG or PNG file in this folder");
        all.files.insert(all.files.end(), found.files.begin(), found.files.end());
        all.others.insert(all.others.end(), found.others.begin(), found.others.end());
    }
    return all;
}

Preprocessing preprocessing_for(const InputOptions& options, const train::OpenedWeights& weights) {
    const Shape& image = train::model_named(weights.classifier.spec.model).image;
    Preprocessing result{.channels = image[0], .mean = {0.0F}, .std = {1.0F}};
    if (result.channels == 3) {  // values of ImageNet's training images
        result.mean = {0.485F, 0.456F, 0.406F};
        result.std = {0.229F, 0.224F, 0.225F};
    }
    const auto take = [](std::vector<float>& value, const std::vector<float>& other) {
        if (!other.empty()) value = other;
    };
    take(result.mean, weights.notes.mean);
    take(result.std, weights.notes.std);
    take(result.mean, options.mean);
    take(result.std, options.std);
    const auto or_noted = [](std::int64_t given, std::int64_t noted) { return given > 0 ? given : noted; };
    const std::int64_t size = or_noted(options.size, weights.notes.size);
    const std::int64_t resize = options.size > 0 ? options.resize : or_noted(options.resize, weights.notes.resize);
    const auto fits = [&](const std::vector<float>& values) {
        return values.size() == 1 || std::ssize(values) == result.channels;
    };
    RADIAL_CHECK(fits(result.mean) && fits(result.std),
                 "--mean and --std: {} and {} numbers, expected 1 or {}, one a channel", result.mean.size(),
                 result.std.size(), result.channels);
    RADIAL_CHECK(std::all_of(result.std.begin(), result.std.end(), [](float d) { return d > 0; }),
                 "--std: has a number that is not above 0");
    // Small images are used whole; photographs are resized to 8/7 of the size and cropped, as is usual.
    constexpr std::int64_t small = 64;
    result.size = size > 0 ? size : image[1];
    result.resize = resize > 0             ? resize
                    : result.size <= small ? result.size
                                           : std::llround(static_cast<double>(result.size) * 8 / 7);
    RADIAL_CHECK(result.resize >= result.size, "--resize: {} is below --size {}", result.resize, result.size);
    return result;
}

std::size_t for_each_batch(std::span<const fs::path> files, const InputOptions& options,
                           const Preprocessing& preprocessing, const std::function<void(const PictureBatch&)>& use) {
    std::size_t skipped = 0;
    for (std::size_t first = 0; first < files.size(); first += static_cast<std::size_t>(options.batch)) {
        const auto count = std::min(static_cast<std::size_t>(options.batch), files.size() - first);
        const PictureBatch batch = read_pictures(files.subspan(first, count), preprocessing, options.skip_bad);
        for (const std::string& problem : batch.problems) train::print_error(fmt::format("skipped: {}\n", problem));
        skipped += batch.problems.size();
        if (batch.images.defined()) use(batch);
    }
    RADIAL_CHECK(skipped < files.size(), "none of the {} images can be read", files.size());
    return skipped;
}

StartedNetwork start_network(const InputOptions& options) {
    RADIAL_CHECK(!options.weights.empty(), "no weights: give --weights FILE");
    const Device device = train::start_device(options.device, options.threads, options.precision);
    StartedNetwork started{.device = device,
                           .weights = train::open_weights(options.weights, options.model, options.format)};
    const train::ClassifierSpec& spec = started.weights.classifier.spec;
    fmt::print("model: {}, {}-D feature; loss: {}; {} classes\n", spec.model, spec.dim, spec.loss, spec.classes);
    return started;
}

void add_input_flags(CLI::App& app, InputOptions& options, const std::string& what) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str();
    };
    app.add_option("images", options.images, what);
    app.add_option("--weights", options.weights, "Radial checkpoint, or weights with torchvision's or timm's names")
        ->type_name("FILE");
    app.add_option("--model", options.model,
                   "Network of the weights, if the file does not say; radial-models lists them");
    app.add_option("--format", options.format,
                   "radial, torchvision or timm (default: recognized from the names in the file)");
    app.add_flag("--skip-bad", options.skip_bad, "Report images that cannot be read and continue");
    app.add_option("--size", options.size, "Side of the square input image (default: the file's, else the network's)")
        ->check(train::within(1, 100000));
    app.add_option("--resize", options.resize,
                   "Length of the shorter side before the center crop (default: the file's, else 8/7 of --size, or "
                   "--size up to 64)")
        ->check(train::within(1, 100000));
    app.add_option("--mean", options.mean,
                   "Mean of the pixels in [0, 1] per channel, such as 0.485,0.456,0.406 (default: the file's, else "
                   "ImageNet's, or 0 for gray images)")
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_option("--std", options.std, "Standard deviation of the pixels per channel (default: as --mean)")
        ->delimiter(',')
        ->allow_extra_args(false);
    app.add_option("--deviation", options.std, "The name of --std in earlier versions")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->group("");
    add("--batch", options.batch, "Images per batch")->check(train::within(1, 1000000));
    add("--threads", options.threads, "Compute threads; 0 uses every core")->check(train::within(0, 4096));
    train::add_device_option(app, options.device);
    train::add_precision_option(app, options.precision);
}

}  // namespace radial::predict
