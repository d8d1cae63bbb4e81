// Evaluates a data set: accuracy, mean loss, predictions, features, scores, and the confusion matrix. Merges the
// evaluations of ranks.
#include "radial/apps/train/evaluate.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/distributed/communicator.h"
#include "radial/core/memory/transfer.h"
#include "radial/core/ops.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

namespace radial::train {
namespace {

/// Returns the squared distances of features to prototypes, [2, N]: to the nearest prototype of the sample's own class,
/// and to the nearest prototype of another class.
Tensor prototype_distances(const Tensor& feature, const Tensor& prototypes, const Tensor& labels,
                           std::int64_t classes) {
    // Distances are negated, so that the nearest prototype has the largest value. A class with several prototypes is
    // represented by the nearest one.
    Tensor nearness = -squared_distances(feature, prototypes);
    const std::int64_t samples = feature.size(0), each = prototypes.size(0) / classes;
    if (each > 1) nearness = max(reshape(nearness, {samples, classes, each}), 2);
    const Tensor own = pick(nearness, labels);
    const Tensor away = Tensor::full({samples}, -std::numeric_limits<float>::max(), DType::float32, feature.device());
    const Tensor others = max(nearness + place(away, labels, classes), 1);
    return concat({reshape(-own, {1, samples}), reshape(-others, {1, samples})}, 0);
}

/// The results of the batches, which stay on the device until read().
class Results {
public:
    Results(std::int64_t samples, std::int64_t batches, Device device)
        : predicted_(Tensor::empty({samples}, DType::int64, device)),
          confidences_(Tensor::empty({samples}, DType::float32, device)),
          label_ranks_(Tensor::empty({samples}, DType::int64, device)),
          losses_(Tensor::empty({batches, 2}, DType::float64, device)) {}

    /// Adds a batch. `weight` is the sum of the weights of the samples over which `loss` is the mean; if `weight` is
    /// undefined, each sample has weight 1. `logits` is undefined for targets that are not classes.
    void add(const Tensor& loss, const Tensor& weight, const Tensor& labels, const Tensor& logits) {
        const std::int64_t count = labels.size(0);
        if (logits.defined()) {
            predicted_.rows(samples_, samples_ + count).copy_(argmax(logits));
            confidences_.rows(samples_, samples_ + count).copy_(exp(max(log_softmax(logits), 1)));
            label_ranks_.rows(samples_, samples_ + count).copy_(radial::label_ranks(logits, labels));
        }
        const auto batch = static_cast<std::int64_t>(counts_.size());
        const Tensor row = losses_.rows(batch, batch + 1).view({2}), counted = row.rows(1, 2);
        row.rows(0, 1).copy_(loss.view({1}));
        if (weight.defined())
            counted.copy_(weight.view({1}));
        else
            counted.fill_(static_cast<double>(count));
        samples_ += count;
        counts_.push_back(count);
        // The host must not run far ahead of the device, because each uploaded batch occupies memory until it
        // is processed.
        constexpr std::size_t most_ahead = 32;
        if (counts_.size() % most_ahead == 0) synchronize(predicted_.device());
    }
    /// Adds the features of the batch that was passed to add() last.
    void add_features(const Tensor& feature) { keep(features_, feature, {predicted_.numel(), feature.size(1)}); }
    void add_distances(const Tensor& distances) {
        keep(own_, distances.rows(0, 1).view({counts_.back()}), {predicted_.numel()});
        keep(nearest_, distances.rows(1, 2).view({counts_.back()}), {predicted_.numel()});
    }

    /// Writes the results to `result`, which already contains the labels and the sample indices.
    void read(Evaluation& result) const {
        // If unreadable samples are left out, there are fewer samples than the tensors have room for.
        if (!result.labels.empty()) {
            result.predicted = predicted_.rows(0, samples_).to_vector<std::int64_t>();
            result.confidences = confidences_.rows(0, samples_).to_vector<float>();
            result.label_ranks = label_ranks_.rows(0, samples_).to_vector<std::int64_t>();
        }
        for (std::size_t i = 0; i < result.labels.size(); ++i)
            result.correct += result.predicted[i] == result.labels[i] ? 1 : 0;
        result.total = samples_;
        const std::vector<double> losses = losses_.to_vector<double>();
        for (std::size_t i = 0; i < counts_.size(); ++i) {
            const double loss = losses[2 * i], weight = losses[2 * i + 1];
            result.loss += loss * weight;
            result.weight += weight;
        }
        if (result.weight > 0) result.loss /= result.weight;
        if (features_.defined()) result.features = features_.rows(0, samples_).to_vector<float>();
        if (own_.defined()) result.own_distances = own_.rows(0, samples_).to_vector<float>();
        if (nearest_.defined()) result.nearest_distances = nearest_.rows(0, samples_).to_vector<float>();
    }

private:
    /// Copies the rows of the last batch to their place in `all`, which is allocated with `shape` for the first batch.
    void keep(Tensor& all, const Tensor& rows, const Shape& shape) const {
        if (!all.defined()) all = Tensor::empty(shape, DType::float32, rows.device());
        all.rows(samples_ - counts_.back(), samples_).copy_(rows);
    }

    Tensor predicted_, confidences_, label_ranks_, losses_, features_, own_, nearest_;
    std::int64_t samples_ = 0;
    std::vector<std::int64_t> counts_;  ///< number of samples in each batch
};

/// The sums of numbers over all ranks.
std::vector<double> sum(Communicator& ranks, const std::vector<double>& own) {
    const Tensor total = Tensor::from(own, {std::ssize(own)}, Device{});
    ranks.sum(total);
    return total.to_vector<double>();
}

/// Returns the values of all ranks, concatenated in order of rank.
template <class T>
std::vector<T> gather(Communicator& ranks, const std::vector<T>& own) {
    const std::string bytes(reinterpret_cast<const char*>(own.data()), own.size() * sizeof(T));
    std::vector<T> all;
    for (const std::string& part : ranks.gather(bytes)) {
        const std::size_t before = all.size();
        all.resize(before + part.size() / sizeof(T));
        if (!part.empty()) std::memcpy(all.data() + before, part.data(), part.size());
    }
    return all;
}

/// Replaces `values` by the values of all ranks, with the samples rearranged by `order`. A sample may have several
/// values, such as the elements of its feature.
template <class T>
void merge(Communicator& ranks, std::vector<T>& values, const std::vector<std::size_t>& order) {
    const std::vector<T> all = gather(ranks, values);
    const std::size_t width = order.empty() ? 0 : all.size() / order.size();
    values.clear();
    for (const std::size_t i : order)
        values.insert(values.end(), all.begin() + static_cast<std::ptrdiff_t>(i * width),
                      all.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
}

}  // namespace

Evaluation evaluate(Layer& model, Loss& loss, data::Loader& loader, Device device, const EvaluateOptions& options) {
    const NoGrad no_grad;
    const EvalMode model_mode(model), loss_mode(loss);
    Evaluation result;
    result.classes = loader.dataset().classes();
    Results results(loader.dataset().size(), loader.batches(), device);
    ScoreCollector scores;
    const Tensor prototypes = loss.prototypes();
    const auto logits_of = [&](const Tensor& images) {
        return loss.logits(feature_of(model, images.to(device), options.precision));
    };
    loader.start(0);
    while (const auto batch = loader.next()) {
        if (options.stop && options.stop()) {
            Evaluation given_up;
            given_up.whole = false;
            return given_up;
        }
        const bool classes = data::are_classes(batch->labels);
        if (classes) {
            const auto truths = batch->labels.values<std::int64_t>();
            result.labels.insert(result.labels.end(), truths.begin(), truths.end());
        }
        result.samples.insert(result.samples.end(), batch->indices.begin(), batch->indices.end());
        const Tensor feature = feature_of(model, batch->images.to(device), options.precision);
        const Tensor labels = batch->labels.to(device);
        const Tensor plain = classes ? loss.logits(feature) : Tensor{};
        const Tensor logits = classes ? mean_logits(options.views, batch->images, plain, logits_of) : Tensor{};
        if (classes && result.classes == 0) result.classes = logits.size(1);
        results.add(loss.forward(feature, labels), loss.batch_weight(labels), labels, logits);
        if (classes && options.keep_scores) scores.add(scores_of(loss, feature, plain));
        const Tensor placed = loss.in_prototype_space(feature);
        if (options.keep_features) results.add_features(placed);
        if (classes && prototypes.defined() && result.classes > 1)
            results.add_distances(prototype_distances(placed, prototypes, labels, result.classes));
    }
    results.read(result);
    result.scores = scores.read();
    return result;
}

Evaluation merge_evaluations(Communicator& ranks, const Evaluation& own) {
    if (ranks.size() == 1) return own;
    Evaluation whole = own;
    const std::vector<double> sums = sum(
        ranks, {own.loss * own.weight, own.weight, static_cast<double>(own.total), static_cast<double>(own.correct)});
    whole.weight = sums[1];
    whole.total = std::llround(sums[2]);
    whole.correct = std::llround(sums[3]);
    whole.loss = whole.weight > 0 ? sums[0] / whole.weight : 0;
    const std::vector<std::int64_t> samples = gather(ranks, own.samples);
    std::vector<std::size_t> order(samples.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return samples[a] < samples[b]; });
    for (std::vector<std::int64_t>* const values :
         {&whole.labels, &whole.samples, &whole.predicted, &whole.label_ranks})
        merge(ranks, *values, order);
    for (std::vector<float>* const values :
         {&whole.features, &whole.confidences, &whole.own_distances, &whole.nearest_distances})
        merge(ranks, *values, order);
    return whole;
}

std::vector<SampleScore> score_samples(Layer& model, Loss& loss, data::Loader& loader, Device device,
                                       Precision precision) {
    const NoGrad no_grad;
    const EvalMode model_mode(model), loss_mode(loss);
    ScoreCollector scores;
    loader.start(0);
    while (const auto batch = loader.next()) {
        const Tensor feature = feature_of(model, batch->images.to(device), precision);
        scores.add(scores_of(loss, feature, loss.logits(feature)));
    }
    return scores.read();
}

double Evaluation::accuracy() const {
    if (total > 0 && labels.empty()) return std::numeric_limits<double>::quiet_NaN();
    return total > 0 ? static_cast<double>(correct) / static_cast<double>(total) : 0;
}

double Evaluation::top_accuracy(std::int64_t k) const {
    if (total > 0 && labels.empty()) return std::numeric_limits<double>::quiet_NaN();
    const auto found =
        std::count_if(label_ranks.begin(), label_ranks.end(), [k](std::int64_t rank) { return rank < k; });
    return total > 0 ? static_cast<double>(found) / static_cast<double>(total) : 0;
}

std::vector<Mistake> worst_mistakes(const Evaluation& evaluation, std::size_t count) {
    std::vector<Mistake> mistakes;
    for (std::size_t i = 0; i < evaluation.predicted.size(); ++i) {
        if (evaluation.predicted[i] == evaluation.labels[i]) continue;
        const float confidence = evaluation.confidences[i];
        mistakes.push_back({.sample = evaluation.samples[i],
                            .truth = evaluation.labels[i],
                            .predicted = evaluation.predicted[i],
                            .confidence = std::isfinite(confidence) ? confidence : 0});
    }
    std::stable_sort(mistakes.begin(), mistakes.end(),
                     [](const Mistake& a, const Mistake& b) { return a.confidence > b.confidence; });
    if (mistakes.size() > count) mistakes.resize(count);
    return mistakes;
}

Confusion::Confusion(std::span<const std::int64_t> truths, std::span<const std::int64_t> predicted,
                     std::int64_t classes)
    : classes_(classes), rows_(static_cast<std::size_t>(classes) + 1, 0) {
    RADIAL_CHECK(truths.size() == predicted.size(), "confusion: {} true classes and {} predicted ones", truths.size(),
                 predicted.size());
    std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
    pairs.reserve(truths.size());
    for (std::size_t i = 0; i < truths.size(); ++i) {
        for (const std::int64_t c : {truths[i], predicted[i]})
            RADIAL_CHECK(c >= 0 && c < classes, "confusion: class {} is outside [0, {})", c, classes);
        pairs.emplace_back(truths[i], predicted[i]);
    }
    std::ranges::sort(pairs);
    for (const auto& [truth, guess] : pairs) {
        if (cells_.empty() || cells_.back().truth != truth || cells_.back().predicted != guess) {
            cells_.push_back({.truth = truth, .predicted = guess, .count = 0});
            ++rows_[static_cast<std::size_t>(truth) + 1];
        }
        ++cells_.back().count;
    }
    for (std::size_t row = 1; row < rows_.size(); ++row) rows_[row] += rows_[row - 1];
}

std::span<const Confusion::Cell> Confusion::row(std::int64_t truth) const {
    RADIAL_CHECK(truth >= 0 && truth < classes_, "confusion: class {} is outside [0, {})", truth, classes_);
    const auto at = static_cast<std::size_t>(truth);
    return std::span(cells_).subspan(rows_[at], rows_[at + 1] - rows_[at]);
}

std::int64_t Confusion::total(std::int64_t truth) const {
    std::int64_t sum = 0;
    for (const Cell& cell : row(truth)) sum += cell.count;
    return sum;
}

std::int64_t Confusion::count(std::int64_t truth, std::int64_t predicted) const {
    const std::span<const Cell> cells = row(truth);
    const auto found = std::ranges::lower_bound(cells, predicted, {}, &Cell::predicted);
    return found != cells.end() && found->predicted == predicted ? found->count : 0;
}

std::vector<double> balanced_weights(const Tensor& labels, std::int64_t classes) {
    std::vector<double> weights(static_cast<std::size_t>(classes), 0.0);
    for (const std::int64_t label : labels.values<std::int64_t>()) {
        RADIAL_CHECK(label >= 0 && label < classes, "class weights: label {} is outside [0, {})", label, classes);
        ++weights[static_cast<std::size_t>(label)];
    }
    double sum = 0, present = 0;
    for (double& weight : weights) {
        if (weight == 0) continue;
        weight = 1 / weight;
        sum += weight;
        ++present;
    }
    for (double& weight : weights) weight *= sum > 0 ? present / sum : 0;
    return weights;
}

}  // namespace radial::train
