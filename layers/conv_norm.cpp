// ConvNorm: when to fold, and the folded weights.
#include "radial/layers/conv_norm.h"

#include "radial/core/autograd/observe.h"
#include "radial/core/ops.h"
#include "radial/core/ops/conv.h"
#include "radial/layers/input_check.h"

#include <array>
#include <utility>

namespace radial {

/// The folded weights and what they were made from, to see when that has changed.
struct ConvNorm::Folded {
    struct Source {
        const void* data = nullptr;
        std::uint64_t version = 0;
        friend bool operator==(const Source&, const Source&) = default;
    };
    std::array<Source, 6> sources{};
    Tensor weight, bias;

    static Source source_of(const Tensor& x) { return x.defined() ? Source{x.raw(), x.version()} : Source{}; }
    void refresh(const Conv2d& conv, const BatchNorm2d& norm) {
        const std::array<Source, 6> now{source_of(conv.weight()),       source_of(conv.bias()),
                                        source_of(norm.weight()),       source_of(norm.bias()),
                                        source_of(norm.running_mean()), source_of(norm.running_var())};
        if (weight.defined() && now == sources) return;
        const Tensor factor = norm.weight() / sqrt(norm.running_var() + norm.options().epsilon);
        const Tensor offset = conv.bias().defined() ? conv.bias() - norm.running_mean() : -norm.running_mean();
        weight = conv.weight() * reshape(factor, {factor.numel(), 1, 1, 1});
        bias = norm.bias() + offset * factor;
        sources = now;
    }
};

ConvNorm::ConvNorm(std::shared_ptr<Conv2d> conv, std::shared_ptr<BatchNorm2d> norm)
    : conv_(std::move(conv)), norm_(std::move(norm)), folded_(std::make_shared<Folded>()) {
    RADIAL_CHECK(conv_ != nullptr && norm_ != nullptr, "ConvNorm: the convolution or the norm is null");
    RADIAL_CHECK(conv_->weight().size(0) == norm_->options().channels,
                 "ConvNorm: the convolution gives {} channels, the norm takes {}", conv_->weight().size(0),
                 norm_->options().channels);
}

Tensor ConvNorm::forward(const Tensor& x, const Tensor& residual) const {
    if (norm_->training() || grad_enabled() || ops_observed()) return norm_->forward(conv_->forward(x), residual);
    check_image_input("ConvNorm", x);
    folded_->refresh(*conv_, *norm_);
    return conv2d_activated(x, folded_->weight, folded_->bias, conv_->geometry(), norm_->options().activation,
                            residual);
}

}  // namespace radial
