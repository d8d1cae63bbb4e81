// Sixteen channels at a time: each row of the kernel keeps its sums in registers while it walks along a row of the
// image.
#include "radial/core/backend/cpu/depthwise.h"

#include "radial/core/backend/cpu/vectors.h"

#include <algorithm>

namespace radial {
namespace {

constexpr std::int64_t lanes = 16;
using Lanes = vectors::Vector<lanes>;

struct Extents {
    std::int64_t images, channels, in_height, in_width, height, width;
};

/// Sums over one row of results: sums[s] += x[.., w * stride + s - pad] * dy[.., w].
template <int kernel>
void along_row(const float* x_row, const float* dy_row, const Extents& e, std::int64_t stride, std::int64_t pad,
               Lanes* sums) {
    Lanes own[kernel];
#pragma GCC unroll 8
    for (int s = 0; s < kernel; ++s) own[s] = sums[s];
    for (std::int64_t w = 0; w < e.width; ++w) {
        const std::int64_t first = w * stride - pad;
        const Lanes gradient = vectors::load<lanes>(dy_row + w * e.channels);
        const float* const x = x_row + first * e.channels;
        if (first >= 0 && first + kernel <= e.in_width) {
#pragma GCC unroll 8
            for (int s = 0; s < kernel; ++s) own[s] += gradient * vectors::load<lanes>(x + s * e.channels);
        } else {
#pragma GCC unroll 8
            for (int s = 0; s < kernel; ++s)
                if (first + s >= 0 && first + s < e.in_width)
                    own[s] += gradient * vectors::load<lanes>(x + s * e.channels);
        }
    }
#pragma GCC unroll 8
    for (int s = 0; s < kernel; ++s) sums[s] = own[s];
}

template <int kernel>
void backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& g, const Tensor& dw) {
    const Extents e{x.size(0), x.size(1), x.size(2), x.size(3), dy.size(2), dy.size(3)};
    const float *const in = x.data<float>(), *const up = dy.data<float>();
    float* const out = dw.data<float>();
#pragma omp parallel for schedule(static)
    for (std::int64_t block = 0; block < e.channels / lanes; ++block) {
        const std::int64_t channel = block * lanes;
        double total[kernel * kernel][lanes] = {};
        for (std::int64_t n = 0; n < e.images; ++n) {
            Lanes sums[kernel][kernel] = {};
            for (std::int64_t h = 0; h < e.height; ++h) {
                const float* const dy_row = up + (n * e.height + h) * e.width * e.channels + channel;
                for (int r = 0; r < kernel; ++r) {
                    const std::int64_t row = h * g.stride_h + r - g.pad_h;
                    if (row < 0 || row >= e.in_height) continue;
                    const float* const x_row = in + (n * e.in_height + row) * e.in_width * e.channels + channel;
                    along_row<kernel>(x_row, dy_row, e, g.stride_w, g.pad_w, sums[r]);
                }
            }
            for (int tap = 0; tap < kernel * kernel; ++tap)
                for (int c = 0; c < lanes; ++c)
                    total[tap][c] += static_cast<double>(sums[tap / kernel][tap % kernel][c]);
        }
        for (int tap = 0; tap < kernel * kernel; ++tap)
            for (int c = 0; c < lanes; ++c)
                out[(channel + c) * kernel * kernel + tap] = static_cast<float>(total[tap][c]);
    }
}

}  // namespace

bool depthwise_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& g, const Tensor& dw) {
    const std::int64_t channels = x.size(1), kernel = dw.size(2);
    const bool depthwise = g.groups == channels && dw.size(0) == channels && channels % lanes == 0;
    if (!depthwise || dw.size(3) != kernel || g.dilation_h != 1 || g.dilation_w != 1) return false;
    if (kernel == 3) {
        backward_weights<3>(x, dy, g, dw);
    } else if (kernel == 5) {
        backward_weights<5>(x, dy, g, dw);
    } else {
        return false;
    }
    return true;
}

}  // namespace radial
