// How the plain loops see tensors: [N, C, H, W] by strides whatever the layout.
#pragma once

#include "radial/core/kernels/host_device.h"
#include "radial/core/tensor/tensor.h"

#include <cstdint>

namespace radial::ref {

/// Extents and elements of a tensor read as [N, C, H, W]; a matrix [N, C] counts as H = W = 1.
template <class T>
struct Strided {
    T* elements;
    std::int64_t N, C, H = 1, W = 1;
    std::int64_t stride_n, stride_c, stride_h, stride_w;

    explicit Strided(const Tensor& tensor) : elements(tensor.data<T>()), N(tensor.size(0)), C(tensor.size(1)) {
        if (tensor.rank() > 2) {
            H = tensor.size(2);
            W = tensor.size(3);
        }
        const bool channels_last = tensor.layout() == Layout::channels_last;
        stride_n = C * H * W;
        stride_c = channels_last ? 1 : H * W;
        stride_h = channels_last ? W * C : W;
        stride_w = channels_last ? C : 1;
    }
    RADIAL_HD T& operator()(std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) const {
        return elements[n * stride_n + c * stride_c + h * stride_h + w * stride_w];
    }
};

/// Whether `position` lies in [0, extent).
RADIAL_HD inline bool inside(std::int64_t position, std::int64_t extent) { return position >= 0 && position < extent; }

}  // namespace radial::ref
