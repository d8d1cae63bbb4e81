// What may happen to a batch as a whole: images that are mixed in pairs, and their labels with them.
#pragma once

#include "radial/core/tensor/random.h"
#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <span>

namespace radial::data {

/// An alpha of 0 leaves that way out; of two ways, each batch goes through one, either being equally likely.
struct MixingOptions {
    double mixup = 0;   ///< alpha of Beta(alpha, alpha), from which the share is drawn (Zhang et al. 2018, "mixup")
    double cutmix = 0;  ///< the same (Yun et al. 2019, "CutMix")

    bool on() const { return mixup > 0 || cutmix > 0; }
};

/// Throws Error unless both alphas are finite numbers of at least 0.
void check(const MixingOptions& options);

/// Mixes each image of float32 [N, C, H, W] with that of number partners[i], in place, and returns the share of its own
/// that it keeps: mixup is share * own + (1 - share) * partner; CutMix copies a rectangle of the partner's, whose sides
/// are sqrt(1 - share) of the image's before its edge cuts them off.
double mix(const Tensor& images, std::span<const std::int64_t> partners, const MixingOptions& options,
           Generator& random);

}  // namespace radial::data
