// Registers a new loss and a new network and builds both by name, as the programs' flags do.
#include <radial/radial.h>

#include <cstdio>

using namespace radial;

namespace {

/// Softmax over negative squared distances from one prototype a class.
class NearestPrototype : public Loss {
public:
    NearestPrototype(std::int64_t classes, std::int64_t dim, double scale) : scale_(scale) {
        prototypes_ = register_parameter("prototypes", Tensor::empty({classes, dim}));
        init::xavier_uniform_(prototypes_);
    }
    Tensor forward(const Tensor& feature, const Tensor& labels) override {
        return cross_entropy(logits(feature), labels);
    }
    Tensor logits(const Tensor& feature) override { return -scale_ * squared_distances(feature, prototypes_); }
    Tensor prototypes() const override { return prototypes_; }

private:
    double scale_;
    Tensor prototypes_;
};

LossInfo nearest_prototype() {
    return {.name = "nearest-prototype",
            .formula = "-log softmax_j(-scale |x - w_j|^2)[y]",
            .source = "this program",
            .options = {{.name = "scale", .value = 1.0, .text = "factor of the squared distances"}},
            .make = [](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
                return std::make_unique<NearestPrototype>(classes, dim, settings.at("scale").number());
            }};
}

ModelInfo two_layers() {
    return {.name = "two-layers",
            .family = "two-layers",
            .source = "this program",
            .image = {1, 8, 8},
            .classes = 4,
            .dim = 16,
            .make = [](std::int64_t dim, const ModelSettings&) {
                auto network = std::make_unique<Sequential>();
                network->add<Flatten>()
                    .add<Linear>({.in_features = 64, .out_features = 32})
                    .add<ReLU>()
                    .add<Linear>({.in_features = 32, .out_features = dim});
                return network;
            }};
}

}  // namespace

int main() {
    register_loss(nearest_prototype());
    register_model(two_layers());
    manual_seed(1);
    const auto network = make_model(*find_model("two-layers"), 16);
    const auto loss = make_loss("nearest-prototype + 0.1 * ring", 4, 16, {{"scale", 0.5}});
    const Tensor images = Tensor::full({3, 1, 8, 8}, 0.5),
                 labels = Tensor::from(std::vector<std::int64_t>{0, 1, 3}, {3});
    const Tensor value = loss->forward(network->forward(images), labels);
    value.backward();
    std::printf("loss %.4f\n", value.item());
    return network->parameters().front().grad().defined() && value.item() > 0 ? 0 : 1;
}
