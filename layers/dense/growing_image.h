// Densely connected layers on one growing image, for the CPU in float32: no concatenation is ever copied, and what a
// batch norm and ReLU make of it is formed again in backward rather than kept.
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

/// One layer (Huang et al. 2017, "Densely Connected Convolutional Networks", Sec. 3): conv(relu(norm(x))), or with a
/// bottleneck conv(relu(inner_norm(bottleneck(relu(norm(x)))))). No biases; `conv` is 3x3 of stride 1 and padding 1.
struct DenseLayerTensors {
    NormTensors norm;        ///< of all channels so far
    Tensor bottleneck;       ///< [B, C, 1, 1]; undefined for none
    NormTensors inner_norm;  ///< [B]; of no matter without a bottleneck
    Tensor conv;             ///< [growth, B or C, 3, 3]
};

/// The image [N, C, H, W] that a dense block builds up.
class GrowingImage {
public:
    /// Whether it can be used: on the CPU in float32, while training, or where no gradient is asked for, unless ops are
    /// watched (core/autograd/autograd.h) or training batch norms look at several ranks
    /// (core/distributed/communicator.h).
    static bool takes(const Tensor& x, bool training);

    /// Begins with x [N, C, H, W] and room for `channels`. Throws Error when x is not rank 4 or has more, and where
    /// takes() says no.
    GrowingImage(const Tensor& x, std::int64_t channels, bool training);
    /// Appends what the layer makes of all channels so far. Training moves its running statistics. Throws Error when a
    /// shape does not fit or there is no room left.
    void grow(const DenseLayerTensors& layer);
    /// The image, [N, channels, H, W], recorded on the tape. Throws Error before it is full.
    Tensor result() const;

    struct State;

private:
    std::shared_ptr<State> state_;
    Tensor image_;  ///< after the last layer; every layer's is of the full shape and shares the elements
};

}  // namespace radial
