// A first convolution whose kernels whiten image patches.
#pragma once

#include "radial/core/nn/first_batch.h"
#include "radial/core/nn/module.h"
#include "radial/layers/common.h"

#include <cstdint>

namespace radial {

/// Computes kernels that whiten the patches of `images` [N, C, H, W], of any floating type: with d = C * kernel.h *
/// kernel.w and the mean M = E[p p^T] over all patches p, the kernels are v_i / sqrt(l_i + epsilon) for the
/// eigenvectors v_i and eigenvalues l_i of M, from the largest eigenvalue to the smallest. The sign of each v_i is such
/// that its element of the largest magnitude is positive. The result is float32 [d, C, kernel.h, kernel.w] on the CPU.
/// Throws Error when images have another rank, are smaller than the kernel, or contain NaN or infinity.
Tensor whitening_kernels(const Tensor& images, Size2d kernel, double epsilon);

/// Options of WhiteningConv2d.
struct WhiteningConv2dOptions {
    std::int64_t in_channels = 3;  ///< channels of the images
    Size2d kernel = 2;             ///< height and width of the patches
    double epsilon = 5e-4;         ///< added to the eigenvalues
};

/// A convolution of stride 1 without padding whose kernels are fixed: those of whitening_kernels(), followed by their
/// negatives, so that an activation after it receives both signs (Page 2018, "How to Train Your ResNet"; Jordan 2024,
/// "94% on CIFAR-10 in 3.29 Seconds on a Single GPU", 3.2). The first batch in training, over all ranks, determines the
/// kernels. x [N, in_channels, H, W]; the result is [N, out_channels(), H - kernel.h + 1, W - kernel.w + 1]. Parameter:
/// bias [out_channels()], initially 0. Buffers: weight [out_channels(), in_channels, kernel.h, kernel.w], which has the
/// initial values of a Conv2d until the first batch, and started [1], which records whether there has been one.
class WhiteningConv2d : public Layer {
public:
    using Options = WhiteningConv2dOptions;  ///< for Sequential::add()

    /// Throws Error when an extent is below 1 or epsilon is not above 0.
    explicit WhiteningConv2d(const WhiteningConv2dOptions& options);
    /// Throws Error when x is not of rank 4, has another number of channels or is smaller than the kernel, and for a
    /// first batch with NaN or infinity.
    Tensor forward(Tensor x) override;
    /// 2 * in_channels * kernel.h * kernel.w.
    std::int64_t out_channels() const { return bias_.numel(); }

private:
    void whiten(const Tensor& x);

    WhiteningConv2dOptions options_;
    Tensor weight_, bias_;
    FirstBatch first_;
};

}  // namespace radial
