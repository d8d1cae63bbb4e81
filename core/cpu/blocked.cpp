// Copies between channels-last images and blocks of channels, one pixel's sixteen numbers (a cache line) at a time.
#include "radial/core/cpu/blocked.h"

#include <algorithm>

namespace radial::onednn {
namespace {

/// copy(offset in the channels-last image, offset in blocks) for each pixel and block, in the blocks' order.
template <class Copy>
void each_block(const Tensor& image, const Copy& copy) {
    const std::int64_t batch = image.size(0), channels = image.size(1), pixels = image.size(2) * image.size(3);
    const std::int64_t blocks = channels / channel_block;
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t n = 0; n < batch; ++n) {
        for (std::int64_t b = 0; b < blocks; ++b) {
            const std::int64_t from = n * pixels * channels + b * channel_block;
            const std::int64_t to = (n * blocks + b) * pixels * channel_block;
            for (std::int64_t p = 0; p < pixels; ++p) copy(from + p * channels, to + p * channel_block);
        }
    }
}

void copy_line(const float* from, float* to) {
#pragma omp simd
    for (std::int64_t i = 0; i < channel_block; ++i) to[i] = from[i];
}

}  // namespace

Desc blocked_desc(const Tensor& image) {
    return Desc(Dims(image.shape().begin(), image.shape().end()), memory::data_type::f32, memory::format_tag::aBcd16b);
}

Input::Input(const Tensor& image, bool blocked, const Desc& desc)
    : held_(blocked ? buffer_for(desc) : image), desc_(desc) {
    if (!blocked) return;
    const float* const in = image.data<float>();
    auto* const out = static_cast<float*>(held_.raw());
    each_block(image, [=](std::int64_t from, std::int64_t to) { copy_line(in + from, out + to); });
}

Output::Output(const Tensor& image, bool blocked, const Desc& desc)
    : image_(image), held_(blocked ? buffer_for(desc) : image), blocked_(blocked), desc_(desc) {}

void Output::finish() const {
    if (!blocked_) return;
    const auto* const in = static_cast<const float*>(held_.raw());
    float* const out = image_.data<float>();
    each_block(image_, [=](std::int64_t to, std::int64_t from) { copy_line(in + from, out + to); });
}

}  // namespace radial::onednn
