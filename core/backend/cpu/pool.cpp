// Pooling on the CPU with our own loops, because oneDNN's maximum drops NaN and raises -infinity to the lowest finite
// number, and its averages are slower. Channels are the innermost dimension, so that the loops over them are
// vectorised.
#include "radial/core/backend/cpu/onednn_backend.h"

#include "radial/core/kernels/host.h"

namespace radial {
namespace {

/// The taps of a window along one dimension that are inside the image: [begin, end). Tap 0 is at position `origin`.
struct Taps {
    std::int64_t origin, begin, end;
    Taps(std::int64_t position, std::int64_t window, std::int64_t stride, std::int64_t pad, std::int64_t extent)
        : origin(position * stride - pad),
          begin(std::max<std::int64_t>(0, -origin)),
          end(std::min(window, extent - origin)) {}
    std::int64_t count() const { return end - begin; }
};

/// Calls f(tap, pixel) for each tap of the window at output (i, j) that is inside the image of H x W pixels.
template <class F>
void for_each_tap(const PoolGeometry& g, std::int64_t i, std::int64_t j, std::int64_t H, std::int64_t W, const F& f) {
    const Taps rows(i, g.window_h, g.stride_h, g.pad_h, H), columns(j, g.window_w, g.stride_w, g.pad_w, W);
    for (std::int64_t r = rows.begin; r < rows.end; ++r) {
        for (std::int64_t s = columns.begin; s < columns.end; ++s)
            f(static_cast<std::int32_t>(r * g.window_w + s), (rows.origin + r) * W + columns.origin + s);
    }
}

/// The windows along one dimension that contain a position of the image: [begin, end).
struct Windows {
    std::int64_t begin, end;
    Windows(std::int64_t position, std::int64_t window, std::int64_t stride, std::int64_t pad, std::int64_t count)
        : begin(std::max<std::int64_t>(0, (position + pad - window + stride) / stride)),
          end(std::min(count, (position + pad) / stride + 1)) {}
};

/// to += factor * v, where `to` is first set to 0 if `first` is set.
void take_share(const float* v, float factor, bool first, std::int64_t channels, float* to) {
    if (first) std::fill_n(to, channels, 0.0F);
#pragma omp simd
    for (std::int64_t c = 0; c < channels; ++c) to[c] += factor * v[c];
}

/// For each channel, sets `best` to v and `won` to `tap` if v is larger than `best` or NaN, or if `first` is set.
template <bool keep_taps>
void take_maximum(const float* v, std::int32_t tap, bool first, std::int64_t channels, float* best, std::int32_t* won) {
#pragma omp simd
    for (std::int64_t c = 0; c < channels; ++c) {
        const bool wins = first || v[c] > best[c] || v[c] != v[c];
        best[c] = wins ? v[c] : best[c];
        if constexpr (keep_taps) won[c] = wins ? tap : won[c];
    }
}

template <bool keep_taps>
void forward(const Tensor& x, const PoolGeometry& g, const Tensor& y, std::int32_t* taps) {
    const std::int64_t C = x.size(1), H = x.size(2), W = x.size(3), OH = y.size(2), OW = y.size(3);
    const float* const in = x.data<float>();
    float* const out = y.data<float>();
    kernels::host::rows(y.size(0) * OH, OW * C * g.window_h * g.window_w, [=](std::int64_t row) {
        const float* const image = in + row / OH * H * W * C;
        for (std::int64_t j = 0; j < OW; ++j) {
            const std::int64_t at = (row * OW + j) * C;
            bool first = true;
            for_each_tap(g, row % OH, j, H, W, [&](std::int32_t tap, std::int64_t pixel) {
                take_maximum<keep_taps>(image + pixel * C, tap, first, C, out + at, keep_taps ? taps + at : nullptr);
                first = false;
            });
        }
    });
}

// `taps` receives the index of the maximal tap of each window, counted row by row. The first of equal taps is chosen.

void max_pool_forward(const Tensor& x, const PoolGeometry& geometry, const Tensor& y, const Tensor& taps) {
    if (taps.defined()) {
        forward<true>(x, geometry, y, taps.data<std::int32_t>());
    } else {
        forward<false>(x, geometry, y, nullptr);
    }
}

void max_pool_backward(const Tensor& dy, const Tensor& taps, const PoolGeometry& geometry, const Tensor& dx) {
    const std::int64_t C = dx.size(1), H = dx.size(2), W = dx.size(3), OH = dy.size(2), OW = dy.size(3);
    const float* const grad = dy.data<float>();
    const std::int32_t* const winners = taps.data<std::int32_t>();
    float* const out = dx.data<float>();
    const PoolGeometry g = geometry;
    // Windows may overlap within an image, but not across images, so each image is one task.
    kernels::host::rows(dx.size(0), H * W * C, [=](std::int64_t n) {
        float* const image = out + n * H * W * C;
        std::fill_n(image, H * W * C, 0.0F);
        for (std::int64_t position = 0; position < OH * OW; ++position) {
            const float* const g_in = grad + (n * OH * OW + position) * C;
            const std::int32_t* const won = winners + (n * OH * OW + position) * C;
            for_each_tap(g, position / OW, position % OW, H, W, [&](std::int32_t tap, std::int64_t pixel) {
                float* const target = image + pixel * C;
#pragma omp simd
                for (std::int64_t c = 0; c < C; ++c) target[c] += won[c] == tap ? g_in[c] : 0.0F;
            });
        }
    });
}

void average_pool_forward(const Tensor& x, const PoolGeometry& geometry, const Tensor& y) {
    const std::int64_t C = x.size(1), H = x.size(2), W = x.size(3), OH = y.size(2), OW = y.size(3);
    const float* const in = x.data<float>();
    float* const out = y.data<float>();
    const PoolGeometry g = geometry;
    kernels::host::rows(y.size(0) * OH, OW * C * g.window_h * g.window_w, [=](std::int64_t row) {
        const float* const image = in + row / OH * H * W * C;
        const Taps rows(row % OH, g.window_h, g.stride_h, g.pad_h, H);
        for (std::int64_t j = 0; j < OW; ++j) {
            const Taps columns(j, g.window_w, g.stride_w, g.pad_w, W);
            const float share = 1 / static_cast<float>(rows.count() * columns.count());
            bool first = true;
            for_each_tap(g, row % OH, j, H, W, [&](std::int32_t, std::int64_t pixel) {
                take_share(image + pixel * C, share, first, C, out + (row * OW + j) * C);
                first = false;
            });
        }
    });
}

void average_pool_backward(const Tensor& dy, const PoolGeometry& geometry, const Tensor& dx) {
    const std::int64_t C = dx.size(1), H = dx.size(2), W = dx.size(3), OH = dy.size(2), OW = dy.size(3);
    const float* const grad = dy.data<float>();
    float* const out = dx.data<float>();
    const PoolGeometry g = geometry;
    kernels::host::rows(dx.size(0) * H, W * C, [=](std::int64_t row) {
        const float* const up = grad + row / H * OH * OW * C;
        const Windows down(row % H, g.window_h, g.stride_h, g.pad_h, OH);
        for (std::int64_t w = 0; w < W; ++w) {
            float* const to = out + (row * W + w) * C;
            const Windows across(w, g.window_w, g.stride_w, g.pad_w, OW);
            bool first = true;
            for (std::int64_t i = down.begin; i < down.end; ++i) {
                const std::int64_t rows = Taps(i, g.window_h, g.stride_h, g.pad_h, H).count();
                for (std::int64_t j = across.begin; j < across.end; ++j) {
                    const std::int64_t columns = Taps(j, g.window_w, g.stride_w, g.pad_w, W).count();
                    const float share = 1 / static_cast<float>(rows * columns);
                    take_share(up + (i * OW + j) * C, share, first, C, to);
                    first = false;
                }
            }
            if (first) std::fill_n(to, C, 0.0F);
        }
    });
}

}  // namespace

Tensor OneDnnBackend::pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                   bool training) {
    if (kind == PoolKind::average) {
        average_pool_forward(x, geometry, y);
        return {};
    }
    const Tensor taps = training ? Tensor::empty(y.shape(), DType::int32, y.device(), y.layout()) : Tensor{};
    max_pool_forward(x, geometry, y, taps);
    return taps;
}

void OneDnnBackend::pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace,
                                  const PoolGeometry& geometry, const Tensor& dx) {
    if (kind == PoolKind::average)
        average_pool_backward(dy, geometry, dx);
    else
        max_pool_backward(dy, workspace, geometry, dx);
}

}  // namespace radial
