// The network of airbench94, which is trained on CIFAR-10 to 94% in a few epochs.
#pragma once

#include "radial/layers/conv.h"
#include "radial/layers/whitening.h"
#include "radial/models/common.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// Options of Airbench.
struct AirbenchOptions {
    std::vector<std::int64_t> widths = {64, 256, 256};  ///< channels of each block
    double norm_momentum = 0.4;                         ///< weight of a new batch in the norms' running statistics
    double feature_scale = 1.0 / 9;                     ///< factor of the feature, to make the first logits small
    std::int64_t in_channels = 3;                       ///< channels of the images

    /// The feature dimension.
    std::int64_t feature_dim() const { return widths.back(); }

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("norm-momentum", self.norm_momentum, "weight of a new batch in the norms' running statistics, in [0, 1]");
        visit("feature-scale", self.feature_scale, "factor of the feature, which makes the first logits small");
    }
};

/// The names of the networks of this family: airbench94.
const std::vector<std::string>& airbench_names();
/// The options of one of these networks; empty for any other name.
std::optional<AirbenchOptions> airbench_options(std::string_view name);

/// The network of Jordan 2024, "94% on CIFAR-10 in 3.29 Seconds on a Single GPU" (3.1 and 3.2): a whitening convolution
/// of 2x2 pixels and a GELU; blocks of a 3x3 convolution, a 2x2 max pool, a norm with GELU, another 3x3 convolution and
/// a norm with GELU; the maximum over the remaining pixels, times `feature_scale`. Norms have a bias and no scale, and
/// an epsilon of 1e-12; convolutions have no bias. A convolution with as many outputs as inputs or more starts with
/// kernels that copy its inputs (init::dirac_()); the other kernels are uniform in +-1 / sqrt(fan_in).
///
/// x [N, in_channels, H, W] with H and W of at least 1 + 2^blocks, such as 9 for three blocks; the result is [N,
/// feature_dim()]. Parameters: "whiten.bias", "block1.conv1.weight", "block1.norm1.bias", "block1.conv2.weight",
/// "block1.norm2.bias", "block2...". Buffers: those of WhiteningConv2d and BatchNorm2d.
class Airbench : public Layer {
public:
    using Options = AirbenchOptions;  ///< for Sequential::add()

    /// Throws Error when there are no blocks, or when a width or in_channels is below 1.
    explicit Airbench(const AirbenchOptions& options = {});
    /// Throws Error when x is not [N, in_channels, H, W] or is too small.
    Tensor forward(Tensor x) override;
    /// The feature dimension.
    std::int64_t feature_dim() const { return options_.feature_dim(); }

private:
    class Block;

    AirbenchOptions options_;
    std::shared_ptr<WhiteningConv2d> whiten_;
    std::vector<std::shared_ptr<Block>> blocks_;
};

}  // namespace radial
