// The matrix products of a densely connected layer's bottleneck, a tile of rows (pixels) at a time on one thread, by
// kernels of our own, which ask for the rows of the next tile meanwhile, or by oneDNN's for shapes that those do not
// take.
#pragma once

#include "radial/core/backend/cpu/small_products.h"
#include "radial/layers/dense/kernels.h"

#include <dnnl.hpp>

namespace radial::dense_kernels {

/// A weight [width, channels, 1, 1] in the form that one way through it wants.
class Bottleneck {
public:
    using Rows = std::span<const Columns<const float>>;
    enum class Way : std::uint8_t { forward, backward };

    Bottleneck(const Tensor& weight, Way way)
        : width_(weight.size(0)),
          channels_(weight.size(1)),
          own_(width_ % small_products::lanes == 0 && channels_ % 4 == 0),
          matrix_(way == Way::forward ? transposed(weight) : padded(weight)) {}

    std::int64_t width() const { return width_; }
    /// From one row of a tile's channels to the next: whole vectors.
    std::int64_t stride() const { return small_products::whole_vectors(channels_); }
    /// Rows of a tile: for oneDNN as many as a core's cache holds, for our own few, as it also holds what is asked for.
    std::int64_t tile_rows() const {
        constexpr std::int64_t cache = 1 << 16, least = 64;  // numbers; rows
        return own_ ? 96 : std::max(least, cache / channels_);
    }

    // All matrices are row-major: x and dx [rows, channels] from row to row stride() apart, y and dy [rows, width] and
    // sum dense. Each product asks for as many rows of `next` meanwhile, and returns oneDNN's status.

    /// y [rows, width] = x W'.
    dnnl::status forward(std::int64_t rows, const float* x, float* y, Rows next) const {
        const float* const w = matrix_.data<float>();
        if (!own_) return dnnl::sgemm('N', 'N', rows, width_, channels_, 1, x, stride(), w, width_, 0, y, width_);
        Prefetch ask(next, rows, small_products::tiles(rows, width_));
        small_products::multiply(rows, width_, channels_, {x, stride()}, {w, width_}, {y, width_}, [&] { ask(); });
        return dnnl::status::success;
    }
    /// sum [channels, width] += x' dy: the weight's gradient, transposed.
    dnnl::status add_gradient(std::int64_t rows, const float* x, const float* dy, float* sum, Rows next) const {
        if (!own_) return dnnl::sgemm('T', 'N', channels_, width_, rows, 1, x, stride(), dy, width_, 1, sum, width_);
        Prefetch ask(next, rows, small_products::tiles(channels_, width_));
        small_products::add_transposed(channels_, width_, rows, {x, stride()}, {dy, width_}, {sum, width_},
                                       [&] { ask(); });
        return dnnl::status::success;
    }
    /// dx [rows, channels] = dy W.
    dnnl::status backward(std::int64_t rows, const float* dy, float* dx, Rows next) const {
        const float* const w = matrix_.data<float>();
        if (!own_) return dnnl::sgemm('N', 'N', rows, channels_, width_, 1, dy, width_, w, stride(), 0, dx, stride());
        Prefetch ask(next, rows, small_products::tiles(rows, stride()));
        small_products::multiply(rows, stride(), width_, {dy, width_}, {w, stride()}, {dx, stride()}, [&] { ask(); });
        return dnnl::status::success;
    }
    /// dweight [width, channels] += the sum of `parts` such sums.
    void write_gradient(const Tensor& sums, const Tensor& dweight) const {
        const float* const from = sums.data<float>();
        float* const to = dweight.data<float>();
        const std::int64_t parts = sums.size(0), count = sums.size(1);
#pragma omp parallel for schedule(static)
        for (std::int64_t k = 0; k < width_; ++k)
            for (std::int64_t c = 0; c < channels_; ++c)
                for (std::int64_t p = 0; p < parts; ++p) to[k * channels_ + c] += from[p * count + c * width_ + k];
    }

private:
    Tensor transposed(const Tensor& weight) const {
        const Tensor made = Tensor::empty(Shape{channels_, width_}, DType::float32, Device{});
        copy(weight, made, 1, width_);
        return made;
    }
    Tensor padded(const Tensor& weight) const {
        if (stride() == channels_) return weight;
        const Tensor made = Tensor::zeros(Shape{width_, stride()}, DType::float32, Device{});
        copy(weight, made, stride(), 1);
        return made;
    }
    void copy(const Tensor& weight, const Tensor& made, std::int64_t row_step, std::int64_t column_step) const {
        const float* const from = weight.data<float>();
        float* const to = made.data<float>();
        for (std::int64_t k = 0; k < width_; ++k)
            for (std::int64_t c = 0; c < channels_; ++c) to[k * row_step + c * column_step] = from[k * channels_ + c];
    }

    std::int64_t width_, channels_;
    bool own_;
    Tensor matrix_;
};

}  // namespace radial::dense_kernels
