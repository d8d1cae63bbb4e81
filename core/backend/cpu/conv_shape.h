// What several kernels of convolutions ask of a convolution.
#pragma once

#include "radial/core/backend/backend.h"

namespace radial {

/// Whether weights [K, C, R, S] with this geometry are square, ungrouped, undilated and of stride 1.
inline bool is_plain(const Tensor& w, const ConvGeometry& g) {
    return w.size(2) == w.size(3) && g.stride_h == 1 && g.stride_w == 1 && g.dilation_h == 1 && g.dilation_w == 1 &&
           g.groups == 1;
}

}  // namespace radial
