// DenseBlock: checks, its layers, and the two ways of computing its result.
#include "radial/layers/dense_block.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/layers/activation.h"
#include "radial/layers/common.h"
#include "radial/layers/conv.h"
#include "radial/layers/dense/growing_image.h"

#include <utility>

namespace radial {

/// One layer of the block: computes `growth` new channels from all channels so far.
class DenseLayer : public Layer {
public:
    DenseLayer(const DenseBlockOptions& options, std::int64_t channels) : drops_(options.dropout > 0) {
        const bool bottleneck = options.bottleneck > 0;
        norm1_ = register_module("norm1", make_norm(channels));
        conv1_ = register_module("conv1", bottleneck ? make_he_conv2d(channels, options.bottleneck, 1)
                                                     : make_he_conv2d(channels, options.growth, 3));
        if (bottleneck) {
            inner_ = {conv1_, register_module("norm2", make_norm(options.bottleneck))};
            conv2_ = register_module("conv2", make_he_conv2d(options.bottleneck, options.growth, 3));
        }
        dropout_ = register_module("dropout", std::make_shared<Dropout>(DropoutOptions{.p = options.dropout}));
    }

    /// The tensors that GrowingImage needs.
    DenseLayerTensors tensors() const {
        const auto of = [](const BatchNorm2d& norm) {
            return NormTensors{norm.weight(),           norm.bias(),           norm.running_mean(), norm.running_var(),
                               norm.options().momentum, norm.options().epsilon};
        };
        if (conv2_ == nullptr)
            return {.norm = of(*norm1_), .bottleneck = {}, .inner_norm = {}, .conv = conv1_->weight()};
        return {.norm = of(*norm1_),
                .bottleneck = conv1_->weight(),
                .inner_norm = of(*inner_.norm()),
                .conv = conv2_->weight()};
    }

    Tensor forward(Tensor x) override {
        x = norm1_->forward(std::move(x));
        if (conv2_ == nullptr) return dropout_->forward(conv1_->forward(std::move(x)));
        x = drops_ && training() ? inner_.norm()->forward(dropout_->forward(conv1_->forward(std::move(x))))
                                 : inner_.forward(x);
        return dropout_->forward(conv2_->forward(std::move(x)));
    }

private:
    static std::shared_ptr<BatchNorm2d> make_norm(std::int64_t channels) {
        return std::make_shared<BatchNorm2d>(BatchNorm2dOptions{.channels = channels, .activation = Activation::relu});
    }

    bool drops_;
    std::shared_ptr<BatchNorm2d> norm1_;
    std::shared_ptr<Conv2d> conv1_, conv2_;  ///< conv2_ is null without a bottleneck
    ConvNorm inner_;                         ///< conv1_ and norm2; empty without a bottleneck
    std::shared_ptr<Dropout> dropout_;
};

DenseBlock::DenseBlock(const DenseBlockOptions& options) : options_(options) {
    RADIAL_CHECK(
        options_.in_channels >= 1 && options_.layers >= 1 && options_.growth >= 1 && options_.bottleneck >= 0,
        "DenseBlock: in_channels {}, layers {} and growth {} must each be at least 1, bottleneck {} at least 0",
        options_.in_channels, options_.layers, options_.growth, options_.bottleneck);
    check_drop_probability("DenseBlock", "dropout", options_.dropout);
    for (std::int64_t i = 0; i < options_.layers; ++i) {
        layers_.push_back(std::make_shared<DenseLayer>(options_, options_.in_channels + i * options_.growth));
        register_module(fmt::format("denselayer{}", i + 1), layers_.back());
    }
}

Tensor DenseBlock::forward(Tensor x) {
    check_image_input("DenseBlock", x);
    check_channels("DenseBlock", x, options_.in_channels);
    const bool drops = options_.dropout > 0 && training();
    const bool wide = layers_.front()->parameters().back().dtype() == DType::float32;
    if (drops || !wide || !GrowingImage::takes(x, training())) {
        for (const auto& layer : layers_) {
            const auto grown = [&layer](const Tensor& input) { return concat({input, layer->forward(input)}, 1); };
            x = recomputes() ? recompute(grown, x, layer->parameters()) : grown(x);
        }
        return x;
    }
    GrowingImage image(x, options_.out_channels(), training());
    for (const auto& layer : layers_) image.grow(layer->tensors());
    return image.result();
}

}  // namespace radial
