// Images in blocks of sixteen channels, as some of oneDNN's kernels want them: [N, C/16, H, W, 16].
#pragma once

#include "radial/core/cpu/plan.h"

namespace radial::onednn {

/// Channels of a block; the format is for images whose channels it divides.
inline constexpr std::int64_t channel_block = 16;

/// The descriptor of `image` [N, C, H, W] in blocks.
Desc blocked_desc(const Tensor& image);

/// What a primitive reads: a channels-last image, or a copy of it in blocks.
class Input {
public:
    Input(const Tensor& image, bool blocked, const Desc& desc);
    dnnl::memory memory() const { return bind(held_, desc_); }

private:
    Tensor held_;
    Desc desc_;
};

/// What a primitive writes: a channels-last image, or blocks that finish() copies to it.
class Output {
public:
    Output(const Tensor& image, bool blocked, const Desc& desc);
    dnnl::memory memory() const { return bind(held_, desc_); }
    void finish() const;

private:
    Tensor image_, held_;
    bool blocked_;
    Desc desc_;
};

}  // namespace radial::onednn
