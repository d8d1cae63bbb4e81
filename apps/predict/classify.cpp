// Predicts classes and their probabilities for images or a tensor, and rejects images that are like none of the
// classes.
#include "radial/apps/predict/commands.h"
#include "radial/apps/predict/pictures.h"

#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/run/data_record.h"
#include "radial/apps/cli/validators.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/weights.h"
#include "radial/apps/train/scores.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/io/files.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/tensor/tensor.h"
#include "radial/core/util/error.h"
#include "radial/data/image_folder.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <numeric>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace radial::predict {
namespace {

namespace fs = std::filesystem;
using train::OpenedWeights;

/// A class and its probability.
struct Guess {
    std::int64_t index = 0;
    double probability = 0;
};

void check_scores(std::span<const double> logits, std::size_t row, std::span<const std::filesystem::path> files) {
    const auto found = std::ranges::find_if_not(logits, [](double logit) { return std::isfinite(logit); });
    if (found == logits.end()) return;
    throw NumericError(fmt::format("{}: the score of class {} is {}",
                                   row < files.size() ? files[row].string() : fmt::format("image {}", row),
                                   found - logits.begin(), *found));
}

std::vector<Guess> rank_row(std::span<const double> logits, std::int64_t count) {
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit - largest);
    std::vector<std::int64_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto logit = [&](std::int64_t index) { return logits[static_cast<std::size_t>(index)]; };
    const auto middle = order.begin() + std::min<std::ptrdiff_t>(count, std::ssize(order));
    std::partial_sort(order.begin(), middle, order.end(), [&](std::int64_t a, std::int64_t b) {
        return logit(a) > logit(b) || (logit(a) == logit(b) && a < b);
    });
    std::vector<Guess> guesses;
    for (auto index = order.begin(); index != middle; ++index)
        guesses.push_back({.index = *index, .probability = std::exp(logit(*index) - largest) / sum});
    return guesses;
}

/// For each row of logits [N, classes], its `count` most likely classes, the most likely first, or all classes if there
/// are fewer. Throws NumericError for NaN or infinity, with the name of the row's file if `files` are given.
std::vector<std::vector<Guess>> rank(const Tensor& logits, std::int64_t count,
                                     std::span<const std::filesystem::path> files = {}) {
    const std::vector<double> values = logits.to_vector<double>();
    const auto classes = static_cast<std::size_t>(logits.size(1));
    std::vector<std::vector<Guess>> rankings;
    for (std::size_t i = 0; i < values.size(); i += classes) {
        const auto row = std::span(values).subspan(i, classes);
        check_scores(row, i / classes, files);
        rankings.push_back(rank_row(row, count));
    }
    return rankings;
}

/// How well an image fits the classes.
struct Fit {
    std::string name;                 ///< name of the score
    double score = 0;                 ///< the larger, the better; finite
    std::optional<double> threshold;  ///< the score below which images are rejected

    bool rejected() const { return threshold && score < *threshold; }
};

/// The fit of each image by its value of `score`. Throws NumericError for NaN or infinity, with the name of the image's
/// file if `files` are given.
std::vector<Fit> fits_of(const LossScore& score, std::optional<double> threshold,
                         std::span<const fs::path> files = {}) {
    std::vector<Fit> fits;
    for (const double value : score.values.to_vector<double>()) {
        const std::size_t row = fits.size();
        if (!std::isfinite(value)) {
            throw NumericError(fmt::format("{}: the score {} is {}",
                                           row < files.size() ? files[row].string() : fmt::format("image {}", row),
                                           score.name, value));
        }
        fits.push_back({.name = score.name, .score = value, .threshold = threshold});
    }
    return fits;
}

/// The name of a class, or its number if there are no names.
std::string class_name(const std::vector<std::string>& names, std::int64_t index) {
    return names.empty() ? fmt::format("{}", index) : names.at(static_cast<std::size_t>(index));
}

/// The rankings of many files, as a CSV table (RFC 4180) with the columns file, class_1, score_1, class_2 ... See
/// csv_path() and csv_name() for files and classes whose names a spreadsheet or a terminal would interpret.
///
/// If images have a score, the table has a further column named after the score and, with a threshold, the column
/// "rejected", which is true or false.
class RankingTable {
public:
    /// `names` has one name per class, or is empty; classes are then given as numbers.
    RankingTable(std::vector<std::string> names, std::int64_t count);
    void add(const std::filesystem::path& file, const std::vector<Guess>& guesses, const std::optional<Fit>& fit);
    std::string text() const { return head_ + "\n" + rows_; }

private:
    std::vector<std::string> names_;
    std::string head_, fit_head_, rows_;
};

RankingTable::RankingTable(std::vector<std::string> names, std::int64_t count)
    : names_(std::move(names)), head_("file") {
    for (std::int64_t rank = 1; rank <= count; ++rank) head_ += fmt::format(",class_{0},score_{0}", rank);
}

void RankingTable::add(const std::filesystem::path& file, const std::vector<Guess>& guesses,
                       const std::optional<Fit>& fit) {
    rows_ += train::csv_path(file);
    for (const Guess& guess : guesses)
        rows_ += fmt::format(",{},{:.6g}", train::csv_name(class_name(names_, guess.index)), guess.probability);
    if (fit) {
        if (fit_head_.empty()) head_ += fit_head_ = "," + fit->name + (fit->threshold ? ",rejected" : "");
        rows_ += fmt::format(",{}", fit->score);
        if (fit->threshold) rows_ += fit->rejected() ? ",true" : ",false";
    }
    rows_ += "\n";
}

struct PredictOptions : InputOptions {
    fs::path input, output, classes, csv;
    std::int64_t top = 5;
    std::string score;             ///< empty: the loss's own score, or else the probability
    std::optional<double> reject;  ///< the score below which images are rejected

    /// Whether images get a score.
    bool scored() const { return reject.has_value() || !score.empty(); }
};

/// The network and its loss on their device, in evaluation mode.
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
        Tensor feature, logits;         ///< on the CPU
        std::vector<LossScore> scores;  ///< see train::scores_of(); empty unless `scored` is set
    };
    Result predict(const Tensor& images, bool scored) {
        const NoGrad no_grad;
        const Tensor feature = train::feature_of(*classifier_.model, images.to(device_), precision_);
        const Tensor logits = classifier_.loss->logits(feature);
        return {.feature = feature.to(Device{}),
                .logits = logits.to(Device{}),
                .scores = scored ? train::scores_of(*classifier_.loss, feature, logits) : std::vector<LossScore>()};
    }

private:
    train::Classifier& classifier_;
    Device device_;
    train::Precision precision_;
};

/// Reads one name per line. Throws FileError unless there are as many names as classes.
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

/// Throws Error when `names`, read from the file `path`, are the classes of the checkpoint in another order.
void check_order(const fs::path& path, const std::vector<std::string>& names, const std::vector<std::string>& known) {
    if (names == known || !train::same_names(names, known)) return;
    const auto [given, expected] = std::mismatch(names.begin(), names.end(), known.begin());
    throw Error(fmt::format("{}: line {} is '{}', the checkpoint has '{}' there: the same classes in another order",
                            path.string(), given - names.begin() + 1, *given, *expected));
}

/// Adds the scores as "score" (float64 [N]) and, with a threshold, "rejected" (uint8 [N], 1 or 0). The metadata "score"
/// is the name of the score.
void add_fits(TensorFile& file, const std::vector<Fit>& fits) {
    std::vector<double> scores;
    std::vector<std::uint8_t> rejected;
    for (const Fit& fit : fits) {
        scores.push_back(fit.score);
        rejected.push_back(fit.rejected() ? 1 : 0);
    }
    const auto count = std::ssize(fits);
    file.metadata["score"] = fits.front().name;
    file.tensors.push_back({"score", Tensor::from(scores, {count}, Device{})});
    if (fits.front().threshold) file.tensors.push_back({"rejected", Tensor::from(rejected, {count}, Device{})});
}

void print_rejected(std::int64_t rejected, std::int64_t count) {
    fmt::print("{} of {} images rejected\n", rejected, count);
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
    std::vector<Fit> fits;
    const auto append = [&](Tensor& to, const Tensor& rows, std::int64_t first) {
        if (!to.defined()) to = Tensor::empty({count, rows.size(1)}, rows.dtype(), Device{});
        to.rows(first, first + rows.size(0)).copy_(rows);
    };
    for (std::int64_t first = 0; first < count; first += options.batch) {
        const auto result =
            predictor.predict(input.rows(first, std::min(first + options.batch, count)), options.scored());
        append(all.feature, result.feature, first);
        append(all.logits, result.logits, first);
        if (!options.scored()) continue;
        for (Fit& fit : fits_of(train::score_named(result.scores, options.score), options.reject))
            fits.push_back(std::move(fit));
    }
    TensorFile out{{{"logits", all.logits}, {"feature", all.feature}}, {}};
    if (options.scored()) add_fits(out, fits);
    write_safetensors(options.output, out);
    fmt::print("{} images: logits and features in {}\n", count, train::shown(options.output.string()));
    if (options.reject) print_rejected(std::ranges::count_if(fits, &Fit::rejected), count);
}

void print_ranking(const fs::path& file, const std::vector<Guess>& guesses, const std::vector<std::string>& names,
                   const std::optional<Fit>& fit) {
    fmt::print("{}\n", train::shown(file.string()));
    if (fit && fit->rejected()) {
        fmt::print("      rejected: {} {:.6g} is below {}\n", fit->name, fit->score, *fit->threshold);
    } else if (fit) {
        fmt::print("      {} {:.6g}\n", fit->name, fit->score);
    }
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
    std::int64_t rejected = 0;
    const std::size_t skipped = for_each_batch(files, options, preprocessing, [&](const PictureBatch& batch) {
        const Predictor::Result result = predictor.predict(batch.images, options.scored());
        const auto rankings = rank(result.logits, top, batch.files);
        std::vector<Fit> fits;
        if (options.scored())
            fits = fits_of(train::score_named(result.scores, options.score), options.reject, batch.files);
        rejected += std::ranges::count_if(fits, &Fit::rejected);
        for (std::size_t i = 0; i < rankings.size(); ++i) {
            const std::optional<Fit> fit = fits.empty() ? std::nullopt : std::optional(fits[i]);
            options.csv.empty() ? print_ranking(batch.files[i], rankings[i], names, fit)
                                : table.add(batch.files[i], rankings[i], fit);
        }
    });
    if (!options.csv.empty()) write_file(options.csv, table.text());
    if (!options.csv.empty() || skipped > 0)
        fmt::print("{} images{}{}\n", files.size() - skipped, skipped > 0 ? fmt::format(", {} skipped", skipped) : "",
                   options.csv.empty() ? "" : ": " + train::shown(options.csv.string()));
    if (options.reject) print_rejected(rejected, std::ssize(files) - static_cast<std::int64_t>(skipped));
}

void run_predict(const PredictOptions& options) {
    RADIAL_CHECK(!options.weights.empty(), "no weights: give --weights FILE");
    RADIAL_CHECK(options.images.empty() != options.input.empty(), "{}: give image files or folders, or --input FILE",
                 options.input.empty() ? "no images" : "both images and --input");
    RADIAL_CHECK(options.input.empty() == options.output.empty(), "--input and --output go together");
    RADIAL_CHECK(!options.reject || std::isfinite(*options.reject), "--reject: {} is not a finite number",
                 *options.reject);
    StartedNetwork started = start_network(options);
    Predictor predictor(started.weights.classifier, started.device, options.precision);
    options.input.empty() ? predict_pictures(options, started.weights, predictor) : predict_tensor(options, predictor);
}

}  // namespace

train::Command classify_command() {
    return {
        "", "Classifies images.", [](CLI::App& app) {
            auto options = std::make_shared<PredictOptions>();
            add_input_flags(app, *options, "JPEG and PNG files, or folders of them");
            app.add_option("--classes", options->classes, "File with one class name per line")->type_name("FILE");
            app.add_option(
                   "--reject", options->reject,
                   "Reject images whose score is below this threshold, which 'eval' of the training programs prints")
                ->type_name("THRESHOLD");
            app.add_option(
                   "--score", options->score,
                   "Print this score of each image: probability, energy, or one of the loss's own, such as kernel "
                   "(default with --reject: the loss's own, else probability)")
                ->type_name("NAME");
            app.add_option("--top", options->top, "Number of classes to show per image")
                ->capture_default_str()
                ->check(train::within(1, 1000000));
            app.add_option("--csv", options->csv, "Write a table to this file instead of printing")->type_name("FILE");
            app.add_option("--input", options->input,
                           "safetensors file with the images as float32 \"input\" [N, C, H, W]")
                ->type_name("FILE");
            app.add_option("--output", options->output, "Output file for \"logits\" and \"feature\" of --input")
                ->type_name("FILE");
            return [options] { train::with_memory_advice(options->batch, [&] { run_predict(*options); }); };
        }};
}

}  // namespace radial::predict
