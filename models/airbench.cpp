// The airbench network: its blocks, its initial weights, and its forward pass.
#include "radial/models/airbench.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace radial {
namespace {

constexpr double norm_epsilon = 1e-12;

std::shared_ptr<Conv2d> conv(std::int64_t in, std::int64_t out) {
    auto layer = std::make_shared<Conv2d>(
        Conv2dOptions{.in_channels = in, .out_channels = out, .kernel = 3, .padding = 1, .bias = false});
    init::dirac_(layer->weight());
    return layer;
}

std::shared_ptr<BatchNorm2d> norm(std::int64_t channels, double momentum) {
    return std::make_shared<BatchNorm2d>(BatchNorm2dOptions{.channels = channels,
                                                            .momentum = momentum,
                                                            .epsilon = norm_epsilon,
                                                            .activation = Activation::gelu,
                                                            .scale = false});
}

}  // namespace

/// Convolution, pool and norm, then convolution and norm; the norms include the GELU.
class Airbench::Block : public Layer {
public:
    Block(std::int64_t in, std::int64_t out, double momentum)
        : conv1_(register_module("conv1", conv(in, out))),
          norm1_(register_module("norm1", norm(out, momentum))),
          second_(register_module("conv2", conv(out, out)), register_module("norm2", norm(out, momentum))) {}

    Tensor forward(Tensor x) override {
        return second_.forward(norm1_->forward(max_pool2d(conv1_->forward(std::move(x)))));
    }
    bool is_segment() const override { return true; }

private:
    std::shared_ptr<Conv2d> conv1_;
    std::shared_ptr<BatchNorm2d> norm1_;
    ConvNorm second_;
};

const std::vector<std::string>& airbench_names() {
    static const std::vector<std::string> names = {"airbench94"};
    return names;
}

std::optional<AirbenchOptions> airbench_options(std::string_view name) {
    if (name != airbench_names().front()) return std::nullopt;
    return AirbenchOptions{};
}

Airbench::Airbench(const AirbenchOptions& options) : options_(options) {
    RADIAL_CHECK(!options_.widths.empty() && options_.in_channels >= 1 &&
                     std::all_of(options_.widths.begin(), options_.widths.end(), [](auto w) { return w >= 1; }),
                 "Airbench: widths [{}] and in_channels {}, expected one width or more, all at least 1",
                 fmt::join(options_.widths, ", "), options_.in_channels);
    whiten_ = register_module(
        "whiten", std::make_shared<WhiteningConv2d>(WhiteningConv2dOptions{.in_channels = options_.in_channels}));
    std::int64_t channels = whiten_->out_channels();
    for (const std::int64_t width : options_.widths) {
        blocks_.push_back(register_module(fmt::format("block{}", blocks_.size() + 1),
                                          std::make_shared<Block>(channels, width, options_.norm_momentum)));
        channels = width;
    }
}

Tensor Airbench::forward(Tensor x) {
    const std::int64_t least = 1 + (std::int64_t{1} << blocks_.size());
    RADIAL_CHECK(
        x.defined() && x.rank() == 4 && x.size(1) == options_.in_channels && x.size(2) >= least && x.size(3) >= least,
        "Airbench: input {}, expected [N, {}, H, W] with H and W of at least {}",
        x.defined() ? "has shape " + x.shape().str() : "is undefined", options_.in_channels, least);
    x = gelu(whiten_->forward(std::move(x)));
    for (const std::shared_ptr<Block>& block : blocks_)
        x = recomputes() ? recompute(*block, x) : block->forward(std::move(x));
    const std::int64_t height = x.size(2), width = x.size(3);
    x = max_pool2d(x, {.window_h = height, .window_w = width, .stride_h = height, .stride_w = width});
    return options_.feature_scale * flatten(x);
}

}  // namespace radial
