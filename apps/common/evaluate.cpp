// Accuracy, mean loss, confusion matrix and features of a data set.
#include "radial/apps/common/evaluate.h"

#include "radial/core/autograd.h"
#include "radial/core/memory/transfer.h"
#include "radial/core/ops.h"

namespace radial::apps {
namespace {

/// Puts a module into evaluation mode for as long as it lives.
class EvalMode {
public:
    explicit EvalMode(Module& module) : module_(module), was_training_(module.training()) { module_.eval(); }
    ~EvalMode() { module_.train(was_training_); }
    EvalMode(const EvalMode&) = delete;
    EvalMode& operator=(const EvalMode&) = delete;

private:
    Module& module_;
    bool was_training_;
};

/// What batches came to, on the device until the end.
class Results {
public:
    Results(std::int64_t samples, std::int64_t batches, Device device)
        : predicted_(Tensor::empty({samples}, DType::int64, device)),
          losses_(Tensor::empty({batches}, DType::float64, device)) {}

    void add(const Tensor& feature, const Tensor& loss, const Tensor& predicted, bool keep_features) {
        const std::int64_t count = predicted.numel();
        predicted_.rows(samples_, samples_ + count).copy_(predicted);
        const auto batch = static_cast<std::int64_t>(counts_.size());
        losses_.rows(batch, batch + 1).copy_(loss.view({1}));
        if (keep_features) {
            if (!features_.defined())
                features_ = Tensor::empty({predicted_.numel(), feature.size(1)}, DType::float32, feature.device());
            features_.rows(samples_, samples_ + count).copy_(feature);
        }
        samples_ += count;
        counts_.push_back(count);
        // The host is not to run far ahead: each batch that it has uploaded waits in memory of its own.
        constexpr std::size_t most_ahead = 32;
        if (counts_.size() % most_ahead == 0) synchronize(predicted_.device());
    }

    /// Puts all but the labels into `result`, which has those.
    void read(Evaluation& result) const {
        const std::vector<std::int64_t> predicted = predicted_.to_vector<std::int64_t>();
        for (std::size_t i = 0; i < result.labels.size(); ++i) {
            result.correct += predicted[i] == result.labels[i] ? 1 : 0;
            ++result.confusion[static_cast<std::size_t>(result.labels[i] * result.classes + predicted[i])];
        }
        result.total = samples_;
        const std::vector<double> losses = losses_.to_vector<double>();
        for (std::size_t i = 0; i < counts_.size(); ++i) result.loss += losses[i] * static_cast<double>(counts_[i]);
        if (samples_ > 0) result.loss /= static_cast<double>(samples_);
        if (features_.defined()) result.features = features_.rows(0, samples_).to_vector<float>();
    }

private:
    Tensor predicted_, losses_, features_;
    std::int64_t samples_ = 0;
    std::vector<std::int64_t> counts_;  ///< samples of each batch
};

}  // namespace

Evaluation evaluate(Layer& model, Loss& loss, data::Loader& loader, Device device, bool keep_features,
                    Precision precision) {
    const NoGrad no_grad;
    const EvalMode model_mode(model), loss_mode(loss);
    Evaluation result;
    result.classes = loader.dataset().classes();
    result.confusion.assign(static_cast<std::size_t>(result.classes * result.classes), 0);
    Results results(loader.dataset().size(), loader.batches(), device);
    loader.start(0);
    while (const auto batch = loader.next()) {
        const auto truths = batch->labels.values<std::int64_t>();
        result.labels.insert(result.labels.end(), truths.begin(), truths.end());
        const Tensor feature = feature_of(model, batch->images.to(device), precision);
        const Tensor value = loss.forward(feature, batch->labels.to(device));
        results.add(feature, value, argmax(loss.logits(feature)), keep_features);
    }
    results.read(result);
    return result;
}

}  // namespace radial::apps
