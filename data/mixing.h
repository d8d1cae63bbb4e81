// Mixing of the images and labels of a batch in pairs.
#pragma once

#include "radial/core/tensor/random.h"
#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <span>

namespace radial::data {

/// Options of mix(). An alpha of 0 disables a method. If both are enabled, each batch uses one of them, chosen with
/// equal probability.
struct MixingOptions {
    double mixup = 0;   ///< alpha of Beta(alpha, alpha), from which the share is drawn (Zhang et al. 2018, "mixup")
    double cutmix = 0;  ///< alpha of the same for CutMix (Yun et al. 2019, "CutMix")

    /// Whether a method is enabled.
    bool on() const { return mixup > 0 || cutmix > 0; }
};

/// Throws Error unless both alphas are finite numbers of at least 0.
void check(const MixingOptions& options);

/// Mixes each image of float32 [N, C, H, W] with image number partners[i], in place, and returns the share of its own
/// content that it keeps. Mixup computes share * own + (1 - share) * partner. CutMix copies a rectangle of the partner,
/// with sides sqrt(1 - share) times those of the image before it is clipped at the image's edge.
double mix(const Tensor& images, std::span<const std::int64_t> partners, const MixingOptions& options,
           Generator& random);

}  // namespace radial::data
