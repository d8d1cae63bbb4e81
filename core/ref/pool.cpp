// Reference pooling. Positions outside the image take no part: neither in a maximum nor in an average's count.
#include "radial/core/dispatch.h"
#include "radial/core/ref/reference_backend.h"
#include "radial/core/ref/strided.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace radial {
namespace {

using ref::Strided;

/// The part of a window along one dimension that lies inside the image: [begin, end).
struct Window {
    std::int64_t begin, end;
    Window(std::int64_t position, std::int64_t window, std::int64_t stride, std::int64_t pad, std::int64_t extent)
        : begin(std::max<std::int64_t>(0, position * stride - pad)),
          end(std::min(extent, position * stride - pad + window)) {}
    std::int64_t length() const { return end - begin; }
};

Window rows_of(std::int64_t i, const PoolGeometry& g, std::int64_t height) {
    return {i, g.window_h, g.stride_h, g.pad_h, height};
}
Window columns_of(std::int64_t j, const PoolGeometry& g, std::int64_t width) {
    return {j, g.window_w, g.stride_w, g.pad_w, width};
}

/// f(n, c, i, j) for every element of `y`.
template <class T, class F>
void for_each(const Strided<T>& y, const F& f) {
#pragma omp parallel for collapse(2) schedule(static)
    for (std::int64_t n = 0; n < y.N; ++n) {
        for (std::int64_t c = 0; c < y.C; ++c) {
            for (std::int64_t i = 0; i < y.H; ++i) {
                for (std::int64_t j = 0; j < y.W; ++j) f(n, c, i, j);
            }
        }
    }
}

template <class T>
void max_forward(const Tensor& input, const PoolGeometry& g, const Tensor& output, const Tensor& winners) {
    const Strided<T> x(input), y(output);
    const Strided<std::int32_t> winner(winners);
    for_each(y, [&](std::int64_t n, std::int64_t c, std::int64_t i, std::int64_t j) {
        const Window rows = rows_of(i, g, x.H), columns = columns_of(j, g, x.W);
        T best = -std::numeric_limits<T>::infinity();
        std::int64_t place = rows.begin * x.W + columns.begin;
        for (std::int64_t h = rows.begin; h < rows.end; ++h) {
            for (std::int64_t w = columns.begin; w < columns.end; ++w) {
                const T value = x(n, c, h, w);
                // A NaN wins over any number; the first of equals keeps its place.
                if (value > best || (std::isnan(value) && !std::isnan(best))) {
                    best = value;
                    place = h * x.W + w;
                }
            }
        }
        y(n, c, i, j) = best;
        winner(n, c, i, j) = static_cast<std::int32_t>(place);
    });
}

template <class T>
void average_forward(const Tensor& input, const PoolGeometry& g, const Tensor& output) {
    const Strided<T> x(input), y(output);
    for_each(y, [&](std::int64_t n, std::int64_t c, std::int64_t i, std::int64_t j) {
        const Window rows = rows_of(i, g, x.H), columns = columns_of(j, g, x.W);
        double total = 0;
        for (std::int64_t h = rows.begin; h < rows.end; ++h) {
            for (std::int64_t w = columns.begin; w < columns.end; ++w) total += x(n, c, h, w);
        }
        y(n, c, i, j) = static_cast<T>(total / static_cast<double>(rows.length() * columns.length()));
    });
}

// Windows that overlap add into the same elements of dx, but never across images or channels, so that the parallel
// loop over these is safe.

template <class T>
void max_backward(const Tensor& grad, const Tensor& winners, const Tensor& result) {
    const Strided<T> dy(grad), dx(result);
    const Strided<std::int32_t> winner(winners);
    for_each(dy, [&](std::int64_t n, std::int64_t c, std::int64_t i, std::int64_t j) {
        const std::int64_t place = winner(n, c, i, j);
        dx(n, c, place / dx.W, place % dx.W) += dy(n, c, i, j);
    });
}

template <class T>
void average_backward(const Tensor& grad, const PoolGeometry& g, const Tensor& result) {
    const Strided<T> dy(grad), dx(result);
    for_each(dy, [&](std::int64_t n, std::int64_t c, std::int64_t i, std::int64_t j) {
        const Window rows = rows_of(i, g, dx.H), columns = columns_of(j, g, dx.W);
        const T share = dy(n, c, i, j) / static_cast<T>(rows.length() * columns.length());
        for (std::int64_t h = rows.begin; h < rows.end; ++h) {
            for (std::int64_t w = columns.begin; w < columns.end; ++w) dx(n, c, h, w) += share;
        }
    });
}

}  // namespace

Tensor ReferenceBackend::pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                      bool training) {
    if (kind == PoolKind::average) {
        dispatch_floating(x.dtype(), "reference pooling", [&]<class T>(T) { average_forward<T>(x, geometry, y); });
        return {};
    }
    const Tensor winners = Tensor::empty(y.shape(), DType::int32, y.device(), y.layout());
    dispatch_floating(x.dtype(), "reference pooling", [&]<class T>(T) { max_forward<T>(x, geometry, y, winners); });
    return training ? winners : Tensor{};
}

void ReferenceBackend::pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace,
                                     const PoolGeometry& geometry, const Tensor& dx) {
    dx.fill_(0.0);
    dispatch_floating(dy.dtype(), "reference pooling", [&]<class T>(T) {
        if (kind == PoolKind::max) {
            max_backward<T>(dy, workspace, dx);
        } else {
            average_backward<T>(dy, geometry, dx);
        }
    });
}

}  // namespace radial
