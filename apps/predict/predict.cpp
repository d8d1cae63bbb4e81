// From a file of weights, and pictures or a tensor, to classes and their probabilities.
#include "radial/apps/predict/predict.h"

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/cli/train_flags.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/predict/pictures.h"
#include "radial/apps/predict/ranking.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/console/standard_streams.h"
#include "radial/apps/train/run/weights.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/io/files.h"
#include "radial/core/io/safetensors.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

namespace radial::predict {
namespace {

namespace fs = std::filesystem;
using train::OpenedWeights;

struct PredictOptions {
    fs::path weights;
    std::string model, format;
    std::vector<fs::path> images;
    fs::path input, output, classes, csv;
    std::int64_t top = 5, batch = 32, resize = 0, size = 0;
    std::vector<float> mean, deviation;
    bool skip_bad = false;
    int threads = 0;
    std::string device = "cpu", precision = "float32";
};

/// The network and its loss on their device, in evaluation.
class Predictor {
public:
    Predictor(train::Classifier& classifier, Device device, train::Precision precision)
        : classifier_(classifier), device_(device), precision_(precision) {
        classifier_.model->to(device);
        classifier_.loss->to(device);
        classifier_.model->eval();
        classifier_.loss->eval();
    }

    struct Result {
        Tensor feature, logits;  ///< on the CPU
    };
    Result predict(const Tensor& images) {
        const NoGrad no_grad;
        const Tensor feature = train::feature_of(*classifier_.model, images.to(device_), precision_);
        return {.feature = feature.to(Device{}), .logits = classifier_.loss->logits(feature).to(Device{})};
    }

private:
    train::Classifier& classifier_;
    Device device_;
    train::Precision precision_;
};

/// One name a line. Throws FileError unless there are as many as classes.
std::vector<std::string> read_class_names(const fs::path& path, std::int64_t classes) {
    constexpr std::size_t most = std::size_t{8} << 20U;
    std::istringstream file(read_file(path, most));
    std::vector<std::string> names;
    for (std::string line; std::getline(file, line);) {
        if (line.ends_with('\r')) line.pop_back();
        names.push_back(line);
    }
    if (std::ssize(names) != classes)
        throw FileError(
            fmt::format("{}: {} lines, expected a name for each of {} classes", path.string(), names.size(), classes));
    return names;
}

/// Throws Error when `names`, of the file `path`, are the classes that the checkpoint knows in another order.
void check_order(const fs::path& path, const std::vector<std::string>& names, const std::vector<std::string>& known) {
    if (names == known || !train::same_names(names, known)) return;
    const auto [given, expected] = std::mismatch(names.begin(), names.end(), known.begin());
    throw Error(fmt::format("{}: line {} is '{}', the checkpoint has '{}' there: the same classes in another order",
                            path.string(), given - names.begin() + 1, *given, *expected));
}

/// What flags, the file and the network say, in this order of precedence.
Preprocessing preprocessing_for(const PredictOptions& options, const OpenedWeights& weights) {
    const Shape& image = train::model_named(weights.classifier.spec.model).image;
    Preprocessing result{.channels = image[0], .mean = {0.0F}, .deviation = {1.0F}};
    if (result.channels == 3) {  // those of ImageNet's training images
        result.mean = {0.485F, 0.456F, 0.406F};
        result.deviation = {0.229F, 0.224F, 0.225F};
    }
    const auto take = [](std::vector<float>& value, const std::vector<float>& other) {
        if (!other.empty()) value = other;
    };
    take(result.mean, weights.notes.mean);
    take(result.deviation, weights.notes.deviation);
    take(result.mean, options.mean);
    take(result.deviation, options.deviation);
    const auto or_noted = [](std::int64_t given, std::int64_t noted) { return given > 0 ? given : noted; };
    const std::int64_t size = or_noted(options.size, weights.notes.size);
    const std::int64_t resize = options.size > 0 ? options.resize : or_noted(options.resize, weights.notes.resize);
    const auto fits = [&](const std::vector<float>& values) {
        return values.size() == 1 || std::ssize(values) == result.channels;
    };
    RADIAL_CHECK(fits(result.mean) && fits(result.deviation),
                 "--mean and --deviation: {} and {} numbers, expected 1 or {}, one a channel", result.mean.size(),
                 result.deviation.size(), result.channels);
    RADIAL_CHECK(std::all_of(result.deviation.begin(), result.deviation.end(), [](float d) { return d > 0; }),
                 "--deviation: has a number that is not above 0");
    // Small images are taken whole; of photographs the outer eighth is left out, as usual.
    constexpr std::int64_t small = 64;
    result.size = size > 0 ? size : image[1];
    result.resize = resize > 0             ? resize
                    : result.size <= small ? result.size
                                           : std::llround(static_cast<double>(result.size) * 8 / 7);
    RADIAL_CHECK(result.resize >= result.size, "--resize: {} is below --size {}", result.resize, result.size);
    return result;
}

void predict_tensor(const PredictOptions& options, Predictor& predictor) {
    const TensorFile file = read_safetensors(options.input);
    if (!file.contains("input")) throw FileError(options.input.string() + ": no tensor \"input\"");
    const Tensor& input = file.at("input");
    if (input.rank() != 4 || input.dtype() != DType::float32 || input.size(0) < 1)
        throw FileError(
            fmt::format("{}: \"input\" is {}, expected float32[N, C, H, W]", options.input.string(), input.str()));
    const std::int64_t count = input.size(0);
    Predictor::Result all;
    const auto append = [&](Tensor& to, const Tensor& rows, std::int64_t first) {
        if (!to.defined()) to = Tensor::empty({count, rows.size(1)}, rows.dtype(), Device{});
        to.rows(first, first + rows.size(0)).copy_(rows);
    };
    for (std::int64_t first = 0; first < count; first += options.batch) {
        const auto result = predictor.predict(input.rows(first, std::min(first + options.batch, count)));
        append(all.feature, result.feature, first);
        append(all.logits, result.logits, first);
    }
    write_safetensors(options.output, {{{"logits", all.logits}, {"feature", all.feature}}, {}});
    fmt::print("{} images: logits and features in {}\n", count, train::shown(options.output.string()));
}

void print_ranking(const fs::path& file, const std::vector<Guess>& guesses, const std::vector<std::string>& names) {
    fmt::print("{}\n", train::shown(file.string()));
    for (std::size_t i = 0; i < guesses.size(); ++i)
        fmt::print("{:>4}  {:.4f}  {}\n", i + 1, guesses[i].probability,
                   train::shown(class_name(names, guesses[i].index)));
    train::check_output();
}

void predict_pictures(const PredictOptions& options, const OpenedWeights& weights, Predictor& predictor) {
    const Preprocessing preprocessing = preprocessing_for(options, weights);
    const std::int64_t classes = weights.classifier.spec.classes, top = std::min(options.top, classes);
    const std::vector<std::string> names =
        options.classes.empty() ? weights.notes.class_names : read_class_names(options.classes, classes);
    check_order(options.classes, names, weights.notes.class_names);
    const auto [files, others] = picture_files(options.images);
    if (!others.empty()) train::print_error(fmt::format("note: {}\n", data::passed_over(others)));
    RankingTable table(names, top);
    std::size_t skipped = 0;
    for (std::size_t first = 0; first < files.size(); first += static_cast<std::size_t>(options.batch)) {
        const auto count = std::min(static_cast<std::size_t>(options.batch), files.size() - first);
        const PictureBatch batch =
            read_pictures(std::span(files).subspan(first, count), preprocessing, options.skip_bad);
        for (const std::string& problem : batch.problems) train::print_error(fmt::format("skipped: {}\n", problem));
        skipped += batch.problems.size();
        if (!batch.images.defined()) continue;
        const auto rankings = rank(predictor.predict(batch.images).logits, top, batch.files);
        for (std::size_t i = 0; i < rankings.size(); ++i) {
            options.csv.empty() ? print_ranking(batch.files[i], rankings[i], names)
                                : table.add(batch.files[i], rankings[i]);
        }
    }
    RADIAL_CHECK(skipped < files.size(), "none of the {} images can be read", files.size());
    if (!options.csv.empty()) write_file(options.csv, table.text());
    if (!options.csv.empty() || skipped > 0)
        fmt::print("{} images{}{}\n", files.size() - skipped, skipped > 0 ? fmt::format(", {} skipped", skipped) : "",
                   options.csv.empty() ? "" : ": " + train::shown(options.csv.string()));
}

void run_predict(const PredictOptions& options) {
    RADIAL_CHECK(!options.weights.empty(), "no weights: give --weights FILE");
    RADIAL_CHECK(options.images.empty() != options.input.empty(), "{}: give image files or folders, or --input FILE",
                 options.input.empty() ? "no images" : "both images and --input");
    RADIAL_CHECK(options.input.empty() == options.output.empty(), "--input and --output go together");
    const train::Precision precision = train::parse_precision(options.precision);
    const Device device = train::start_device(options.device, options.threads, precision);
    OpenedWeights weights = train::open_weights(options.weights, options.model, options.format);
    const train::ClassifierSpec& spec = weights.classifier.spec;
    fmt::print("model: {}, {}-D feature; loss: {}; {} classes\n", spec.model, spec.dim, spec.loss, spec.classes);
    Predictor predictor(weights.classifier, device, precision);
    options.input.empty() ? predict_pictures(options, weights, predictor) : predict_tensor(options, predictor);
}

void add_flags(CLI::App& app, PredictOptions& options) {
    const auto add = [&app](const char* flag, auto& value, const char* text) {
        return app.add_option(flag, value, text)->capture_default_str();
    };
    app.add_option("images", options.images, "JPEG and PNG files, or folders of them");
    app.add_option("--weights", options.weights, "Radial checkpoint, or weights with torchvision's or timm's names")
        ->type_name("FILE");
    app.add_option("--model", options.model,
                   "Network of the weights, if the file does not say; radial-models lists them");
    app.add_option("--format", options.format,
                   "radial, torchvision or timm (default: recognized from the names in the file)");
    app.add_option("--classes", options.classes, "File with one class name per line")->type_name("FILE");
    add("--top", options.top, "Number of classes to show per image")->check(train::within(1, 1000000));
    app.add_option("--csv", options.csv, "Write a table to this file instead of printing")->type_name("FILE");
    app.add_flag("--skip-bad", options.skip_bad, "Report images that cannot be read and continue");
    app.add_option("--input", options.input, "safetensors file with the images as float32 \"input\" [N, C, H, W]")
        ->type_name("FILE");
    app.add_option("--output", options.output, "Output file for \"logits\" and \"feature\" of --input")
        ->type_name("FILE");
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
    app.add_option("--deviation", options.deviation,
                   "Standard deviation of the pixels per channel (default: as --mean)")
        ->delimiter(',')
        ->allow_extra_args(false);
    add("--batch", options.batch, "Images per batch")->check(train::within(1, 1000000));
    add("--threads", options.threads, "Compute threads; 0 uses every core")->check(train::within(0, 4096));
    train::add_device_option(app, options.device);
    train::add_precision_option(app, options.precision);
}

}  // namespace

train::Command predict_command() {
    return {"", "Classifies images.", [](CLI::App& app) {
                auto options = std::make_shared<PredictOptions>();
                add_flags(app, *options);
                return [options] { train::with_memory_advice(options->batch, [&] { run_predict(*options); }); };
            }};
}

}  // namespace radial::predict
