// Accuracy, mean loss, confusion matrix and features of a data set.
#include "radial/apps/common/evaluate.h"

#include "radial/core/autograd.h"
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

void count_batch(Evaluation& result, const Tensor& predicted, const Tensor& labels) {
    const auto guesses = predicted.values<std::int64_t>(), truths = labels.values<std::int64_t>();
    for (std::size_t i = 0; i < truths.size(); ++i) {
        result.correct += guesses[i] == truths[i] ? 1 : 0;
        ++result.confusion[static_cast<std::size_t>(truths[i] * result.classes + guesses[i])];
    }
    result.total += static_cast<std::int64_t>(truths.size());
}

}  // namespace

Evaluation evaluate(Layer& model, Loss& loss, data::Loader& loader, Device device, bool keep_features) {
    const NoGrad no_grad;
    const EvalMode model_mode(model), loss_mode(loss);
    Evaluation result;
    result.classes = loader.dataset().classes();
    result.confusion.assign(static_cast<std::size_t>(result.classes * result.classes), 0);
    double loss_sum = 0;
    loader.start(0);
    while (const auto batch = loader.next()) {
        const Tensor labels = batch->labels.to(device);
        const Tensor feature = model.forward(batch->images.to(device));
        loss_sum += loss.forward(feature, labels).item() * static_cast<double>(labels.numel());
        count_batch(result, argmax(loss.logits(feature)).to(Device{}), batch->labels);
        if (!keep_features) continue;
        const std::vector<float> values = feature.to_vector<float>();
        result.features.insert(result.features.end(), values.begin(), values.end());
        const auto truths = batch->labels.values<std::int64_t>();
        result.labels.insert(result.labels.end(), truths.begin(), truths.end());
    }
    if (result.total > 0) result.loss = loss_sum / static_cast<double>(result.total);
    return result;
}

std::int64_t count_equal(const Tensor& predicted, const Tensor& labels) {
    const auto guesses = predicted.values<std::int64_t>(), truths = labels.values<std::int64_t>();
    std::int64_t equal = 0;
    for (std::size_t i = 0; i < truths.size(); ++i) equal += guesses[i] == truths[i] ? 1 : 0;
    return equal;
}

}  // namespace radial::apps
