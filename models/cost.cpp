// Counts a network's arithmetic by observing the ops of a forward pass.
#include "radial/models/cost.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/tensor/random.h"

#include <map>
#include <set>
#include <utility>

namespace radial {
namespace {

/// Identifies the memory of a tensor; a view that begins at the same element has the same place.
using Place = std::pair<const Storage*, std::int64_t>;
Place place_of(const Tensor& x) { return {x.impl()->storage.get(), x.impl()->offset}; }

/// Turns observed ops into costs.
class Counter {
public:
    explicit Counter(const Layer& model) {
        for (const auto& [name, tensor] : model.named_parameters()) names_[place_of(tensor)] = name;
    }

    void count(const OpCall& call) {
        const auto& [op, inputs, output, attributes] = call;
        LayerCost cost{std::string(op), "", output.shape(), 0, 0, 0, false};
        for (const Tensor& input : inputs) {
            if (!input.defined()) continue;
            const auto found = names_.find(place_of(input));
            if (found == names_.end()) continue;
            if (cost.module.empty()) cost.module = found->second.substr(0, found->second.rfind('.'));
            if (counted_.insert(found->first).second) cost.parameters += input.numel();
        }
        if (op == "conv2d" || op == "linear") {
            const Tensor& weight = inputs[1];
            cost.bias = inputs[2].defined();
            cost.activations = output.numel();
            cost.multiply_adds = output.numel() * (weight.numel() / weight.size(0) + (cost.bias ? 1 : 0));
        }
        costs_.push_back(std::move(cost));
    }

    std::vector<LayerCost> take() { return std::move(costs_); }

private:
    std::map<Place, std::string> names_;
    std::set<Place> counted_;
    std::vector<LayerCost> costs_;
};

}  // namespace

std::vector<LayerCost> layer_costs(Layer& model, const Shape& image) {
    RADIAL_CHECK(image.rank() == 3, "layer_costs: image is {}, expected [C, H, W]", image.str());
    const EvalMode mode(model);
    const NoGrad no_grad;
    const std::vector<Tensor> parameters = model.parameters();
    Tensor x = Tensor::zeros({1, image[0], image[1], image[2]});
    if (!parameters.empty()) x = x.to(parameters.front().dtype()).to(parameters.front().device());
    Counter counter(model);
    const ObserveOps observer([&](const OpCall& call) { counter.count(call); });
    model.forward(std::move(x));
    return counter.take();
}

ModelCost model_cost(Layer& model, const Shape& image, std::int64_t dim, std::int64_t classes) {
    const std::int64_t classifier = (dim + 1) * classes;
    ModelCost total{model.parameter_count() + classifier, classifier, classes};
    for (const LayerCost& layer : layer_costs(model, image)) {
        total.multiply_adds += layer.multiply_adds;
        total.activations += layer.activations;
    }
    return total;
}

ModelCost model_cost(const ModelInfo& info, std::int64_t dim, std::int64_t classes, std::int64_t side) {
    Generator& generator = default_generator();
    const std::uint64_t seed = generator.seed(), counter = generator.counter();
    const SkipRandomFill skip;  // costs do not depend on the weights
    const std::unique_ptr<Layer> model = make_model(info, dim);
    generator.restore(seed, counter);  // counting must not change later random numbers
    return model_cost(*model, {info.image[0], side, side}, dim, classes);
}

}  // namespace radial
