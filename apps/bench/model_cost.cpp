// Counts of multiply-adds from the layers' shapes.
#include "radial/apps/bench/model_cost.h"

#include "radial/core/error.h"
#include "radial/models/resnet.h"

namespace radial::bench {
namespace {

std::vector<LayerCost> lenetpp_cost(std::int64_t side, std::int64_t dim) {
    constexpr std::int64_t kernel = 5 * 5;
    std::vector<LayerCost> layers;
    std::int64_t channels = 1;
    for (const std::int64_t width : {32, 64, 128}) {
        for (int i = 0; i < 2; ++i) {
            layers.push_back({side * side * kernel * channels * width, !layers.empty()});
            channels = width;
        }
        side /= 2;
    }
    layers.push_back({channels * side * side * dim, true});
    return layers;
}

/// Follows the size of the image and the number of channels through a residual network.
class ResNetCost {
public:
    ResNetCost(const ResNetOptions& options, std::int64_t side) : options_(options), side_(side) {
        const bool large = options.stem == ResNetOptions::Stem::large;
        channels_ = options.widths.front();
        convolution(options.in_channels, channels_, large ? 7 : 3, large ? 2 : 1);
        if (large) side_ = halved(side_);
        for (std::size_t s = 0; s < options.depths.size(); ++s)
            for (std::int64_t i = 0; i < options.depths[s]; ++i) block(options.widths[s], s > 0 && i == 0 ? 2 : 1);
    }
    const std::vector<LayerCost>& layers() const { return layers_; }

private:
    static std::int64_t halved(std::int64_t side) { return (side + 1) / 2; }

    /// Padded by half its kernel.
    void convolution(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
        if (stride == 2) side_ = halved(side_);
        layers_.push_back({side_ * side_ * kernel * kernel * in * out, !layers_.empty()});
    }

    void block(std::int64_t width, std::int64_t stride) {
        const bool bottleneck = options_.block == ResNetOptions::Block::bottleneck;
        const std::int64_t in = channels_, side = side_;
        channels_ = bottleneck ? 4 * width : width;
        if ((stride != 1 || in != channels_) && options_.shortcut == ResNetOptions::Shortcut::projection) {
            convolution(in, channels_, 1, stride);
            side_ = side;
        }
        if (bottleneck) {
            convolution(in, width, 1, 1);
            convolution(width, width, 3, stride);
            convolution(width, channels_, 1, 1);
        } else {
            convolution(in, width, 3, stride);
            convolution(width, width, 3, 1);
        }
    }

    const ResNetOptions& options_;
    std::int64_t side_, channels_ = 0;
    std::vector<LayerCost> layers_;
};

}  // namespace

std::vector<LayerCost> model_cost(const std::string& model, std::int64_t side, std::int64_t dim, std::int64_t classes) {
    const auto resnet = resnet_options(model);
    RADIAL_CHECK(resnet || model == "lenetpp", "no count of the arithmetic of {}", model);
    std::vector<LayerCost> layers = resnet ? ResNetCost(*resnet, side).layers() : lenetpp_cost(side, dim);
    layers.push_back({dim * classes, true});
    return layers;
}

double training_flops(const std::vector<LayerCost>& layers, std::int64_t batch) {
    double total = 0;
    for (const LayerCost& layer : layers)
        total += 2.0 * static_cast<double>(layer.multiply_adds) * (layer.input_gradient ? 3 : 2);
    return total * static_cast<double>(batch);
}

}  // namespace radial::bench
