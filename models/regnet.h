// RegNet: networks whose widths and depths follow from a linear rule.
#pragma once

#include "radial/layers/conv.h"
#include "radial/models/common.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// A stage of a RegNet: `depth` blocks of `width` channels, the first with stride 2.
struct RegNetStage {
    std::int64_t depth;        ///< number of blocks
    std::int64_t width;        ///< channels of the blocks
    std::int64_t group_width;  ///< channels of a group of the 3x3 convolutions

    friend bool operator==(const RegNetStage&, const RegNetStage&) = default;
};

/// Options of RegNet: a strided 3x3 stem and stages of residual bottleneck blocks with grouped convolutions.
struct RegNetOptions {
    std::int64_t depth = 22;        ///< number of blocks, d
    std::int64_t initial = 24;      ///< width of the first block, w_0, a multiple of 8
    double slope = 24.48;           ///< growth of the width per block, w_a
    double step = 2.54;             ///< ratio of the widths of two stages, w_m, above 1
    std::int64_t group_width = 16;  ///< channels of a group of the 3x3 convolutions, g
    /// Squeeze-and-excitation reduces to this fraction of a block's input channels; 0 means no squeeze-and-excitation
    /// (RegNetX). RegNetY has 1 / 4.
    double squeeze_ratio = 0;
    std::int64_t stem_width = 32;  ///< channels of the stem
    std::int64_t in_channels = 3;  ///< channels of the images
    /// Initialises the scale of the last batch norm of each block to 0, as in pycls, so that each block initially
    /// computes only its shortcut (Goyal et al. 2017, 5.1).
    bool zero_init_residual = false;

    /// The stages, by the rule of Radosavovic et al. 2020. Block j, counted from 0, has the width
    ///
    ///     u_j = w_0 + w_a j                     (Eq. 2)
    ///     s_j = log(u_j / w_0) / log(w_m)       (Eq. 3)
    ///     w_j = w_0 w_m^round(s_j)              (Eq. 4)
    ///
    /// rounded to a multiple of 8. Blocks of equal width form a stage. If the width of a stage is smaller than the
    /// group width, its group width is reduced to its width; otherwise its width is rounded to a multiple of the group
    /// width. Throws Error when depth, group_width, stem_width or in_channels is below 1, w_0 is not a positive
    /// multiple of 8, w_a is negative, w_m is not above 1, or squeeze_ratio is negative.
    std::vector<RegNetStage> stages() const;
    /// The feature dimension: the width of the last stage. Throws as stages() does.
    std::int64_t feature_dim() const { return stages().back().width; }

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("zero-init-residual", self.zero_init_residual,
              "initialise each block so that it computes only its shortcut");
    }
};

/// The names of the published networks: regnet-x-400mf, -800mf, -1-6gf, -3-2gf, -8gf, -16gf and -32gf, and the same for
/// regnet-y, where 1-6gf means 1.6 * 10^9 multiply-adds.
const std::vector<std::string>& regnet_names();
/// The options of a published network, with torchvision's numbers; empty for any other name.
std::optional<RegNetOptions> regnet_options(std::string_view name);

/// relu(bn(c(se(b(a(x))))) + shortcut(x)): 1x1, grouped and possibly strided 3x3 and 1x1 convolutions, with the
/// squeeze-and-excitation of RegNetY before the last one. The shortcut is a strided 1x1 convolution with a norm where
/// the shape changes. Created by RegNet. Submodules: proj, and f with a, b, se and c.
class RegNetBlock : public Layer {
public:
    /// Constructs a block of `stage` for an input of `in_channels` channels.
    RegNetBlock(const RegNetOptions& options, std::int64_t in_channels, const RegNetStage& stage, std::int64_t stride);
    /// Throws Error when x is not of rank 4 or has another number of channels.
    Tensor forward(Tensor x) override;
    bool is_segment() const override { return true; }

private:
    ConvNorm a_, b_, c_;
    std::optional<ConvNorm> projection_;
    std::shared_ptr<SqueezeExcite> squeeze_;  ///< null in RegNetX
};

/// RegNetX and RegNetY (Radosavovic et al. 2020, "Designing Network Design Spaces") without the classifier. The feature
/// is the mean of the last stage's result over H and W. x [N, in_channels, H, W]; the result is [N, feature_dim()].
/// Parameters and buffers are named as torchvision's: "stem.0.weight", "stem.1.bias",
/// "trunk_output.block1.block1-0.proj.0.weight", "trunk_output.block1.block1-0.f.a.0.weight",
/// "trunk_output.block1.block1-0.f.se.fc1.bias" and so on. The initial weights of convolutions are from N(0, 2 /
/// (out_channels * kernel^2)); the biases of squeeze-and-excitation are those of Conv2d.
class RegNet : public Layer {
public:
    using Options = RegNetOptions;  ///< for Sequential::add()

    /// Throws as RegNetOptions::stages() does.
    explicit RegNet(const RegNetOptions& options);
    /// Throws Error when x is not [N, in_channels, H, W].
    Tensor forward(Tensor x) override;
    /// The feature dimension.
    std::int64_t feature_dim() const { return options_.feature_dim(); }

private:
    RegNetOptions options_;
    ConvNorm stem_;
    std::vector<std::shared_ptr<RegNetBlock>> blocks_;
};

}  // namespace radial
