// Densely connected layers that append to one image, for the CPU in float32 and bfloat16. Concatenations are never
// copied, and backward recomputes the results of batch norms and ReLUs, which are not stored.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <memory>

namespace radial {

/// Parameters and running statistics of a batch norm, each [C].
struct NormTensors {
    Tensor scale, shift, running_mean, running_variance;
    double momentum = 0.1, epsilon = 1e-5;
};

/// The float32 tensors of one layer (Huang et al. 2017, "Densely Connected Convolutional Networks", Sec. 3):
/// conv(relu(norm(x))), or with a bottleneck conv(relu(inner_norm(bottleneck(relu(norm(x)))))). No biases; `conv` is
/// 3x3 with stride 1 and padding 1.
struct DenseLayerTensors {
    NormTensors norm;        ///< of the C channels so far
    Tensor bottleneck;       ///< [B, C, 1, 1]; undefined without a bottleneck
    NormTensors inner_norm;  ///< of the B channels of the bottleneck; ignored without one
    Tensor conv;             ///< [growth, B or C, 3, 3]
};

/// The image [N, C, H, W] that a dense block builds up. Its tensors on the tape have the type of the input, but the
/// gradients that flow between its layers are float32.
class GrowingImage {
public:
    /// Whether a growing image can be used. This requires an `x` in float32 or bfloat16 on the CPU, a backend other
    /// than the reference backend, and either training or no gradients. It is not possible while ops are observed
    /// (core/autograd/autograd.h) or when batch norms in training take statistics over several ranks
    /// (core/distributed/communicator.h).
    static bool takes(const Tensor& x, bool training);

    /// Starts with x [N, C, H, W] and allocates memory for `channels` channels. Throws Error when x is not of rank 4,
    /// is empty or has more channels, when takes() is false, and in training when there is only one value per channel.
    GrowingImage(const Tensor& x, std::int64_t channels, bool training);
    /// Applies the layer to all channels so far and appends its result. Training updates the layer's running
    /// statistics. Throws Error when a shape does not fit or there is no room for the new channels.
    void grow(const DenseLayerTensors& layer);
    /// The image, [N, channels, H, W], recorded on the tape. Throws Error before all channels have been appended.
    Tensor result() const;

    struct State;

private:
    template <class T>
    void grow_as(const DenseLayerTensors& layer);

    std::shared_ptr<State> state_;
    Tensor image_;  ///< result of the last layer; all results have the full shape and share their elements
};

}  // namespace radial
