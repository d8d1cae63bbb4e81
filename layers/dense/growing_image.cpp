// GrowingImage: checks, and the recording of its layers on the tape.
#include "radial/layers/dense/growing_image.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/backend/reference/reference_backend.h"
#include "radial/core/distributed/communicator.h"
#include "radial/core/util/error.h"
#include "radial/layers/dense/growing_norm.h"
#include "radial/layers/dense/growing_step.h"

#include <memory>
#include <utility>

namespace radial {

bool GrowingImage::takes(const Tensor& x, bool training) {
    if (!x.defined() || x.device().kind != Device::Kind::cpu) return false;
    if (x.dtype() != DType::float32 && x.dtype() != DType::bfloat16) return false;
    if (training && batch_norm_ranks() != nullptr) return false;
    return &growing::backend() != &reference_backend() && !ops_observed() && (training || may_fuse());
}

GrowingImage::GrowingImage(const Tensor& x, std::int64_t channels, bool training) : state_(std::make_shared<State>()) {
    RADIAL_CHECK(x.defined() && x.rank() == 4 && x.size(1) <= channels && x.numel() > 0,
                 "GrowingImage: input is {}, expected [N, C, H, W] of at most {} channels", x.str(), channels);
    RADIAL_CHECK(!training || batch_norm_ranks() == nullptr,
                 "GrowingImage: its batch norms cannot take statistics over ranks; run its layers one by one");
    RADIAL_CHECK(takes(x, training),
                 "GrowingImage: input is {} on {}, expected float32 or bfloat16 on the CPU "
                 "and no gradient outside training",
                 x.str(), x.device().str());
    RADIAL_CHECK(!training || x.numel() > x.size(1),
                 "GrowingImage: input {} has a single value a channel, too few to "
                 "train on",
                 x.shape().str());
    state_->buffer = growing::image(x.shape(), channels, x.dtype());
    state_->training = training;
    state_->append(x.to(Layout::channels_last));
    image_ = record("dense_input", state_->buffer.detach(), {x},
                    [state = state_, count = x.size(1)](const Tensor& gradient, Needs) -> Grads {
                        const Tensor wide = gradient.to(DType::float32).to(Layout::channels_last);
                        return growing::with_type(state->buffer.dtype(), [&]<class T>(T) -> Grads {
                            return {dense_kernels::rounded<T>(growing::Step<T>::settled(*state, wide, 0, count))};
                        });
                    });
}

void GrowingImage::grow(const DenseLayerTensors& layer) {
    const std::int64_t channels = state_->filled, growth = layer.conv.size(0);
    RADIAL_CHECK(layer.norm.scale.numel() == channels, "GrowingImage: the layer's norm takes {} channels, there are {}",
                 layer.norm.scale.numel(), channels);
    const bool narrow = layer.bottleneck.defined();
    const std::int64_t width = narrow ? layer.bottleneck.size(0) : channels;
    RADIAL_CHECK(!narrow || layer.bottleneck.shape() == Shape({width, channels, 1, 1}),
                 "GrowingImage: bottleneck is {}, expected [B, {}, 1, 1]", layer.bottleneck.str(), channels);
    RADIAL_CHECK(layer.conv.shape() == Shape({growth, width, 3, 3}),
                 "GrowingImage: weight is {}, expected [K, {}, 3, 3]", layer.conv.shape().str(), width);
    RADIAL_CHECK(layer.conv.dtype() == DType::float32 && (!narrow || layer.bottleneck.dtype() == DType::float32),
                 "GrowingImage: weight is {}, expected float32", layer.conv.str());
    RADIAL_CHECK(channels + growth <= state_->capacity(), "GrowingImage: {} and {} more channels, room for {}",
                 channels, growth, state_->capacity());
    growing::with_type(state_->buffer.dtype(), [&]<class T>(T) { grow_as<T>(layer); });
}

template <class T>
void GrowingImage::grow_as(const DenseLayerTensors& layer) {
    auto step = std::make_shared<growing::Step<T>>(state_, layer);
    const NormTensors &outer = layer.norm, &inner = layer.inner_norm;
    const bool narrow = layer.bottleneck.defined();
    const Tensor made = step->forward();
    state_->append(made);
    image_ = record("dense_layer", state_->buffer.detach(),
                    {image_, outer.scale, outer.shift, layer.conv, layer.bottleneck, narrow ? inner.scale : Tensor(),
                     narrow ? inner.shift : Tensor()},
                    [step](Tensor gradient, Needs) -> Grads {
                        gradient = gradient.to(DType::float32).to(Layout::channels_last);
                        // backward() adds this layer's contribution to the gradient in place, so a shared gradient is
                        // copied first.
                        return step->backward(gradient.exclusive() ? gradient : gradient.clone());
                    });
}

Tensor GrowingImage::result() const {
    RADIAL_CHECK(state_->filled == state_->capacity(), "GrowingImage: {} of {} channels are there", state_->filled,
                 state_->capacity());
    return image_;
}

}  // namespace radial
