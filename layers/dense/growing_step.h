// One layer of a growing image: forward and backward of a densely connected layer, a few images at a time, so that the
// intermediate results between the growing image and a convolution stay in the cache.
//
// Every layer normalises the same channels with the same statistics, so these are computed once, when a channel is
// appended. A batch norm's input gradient is factor * g + constant + slope * (x - mean), where constant and slope
// follow from sums over all of g. The first term is added to the image's gradient at once. The other two are
// accumulated per channel (`Owed`) and added when backward reaches the layer that made the channel. This saves a pass
// over all channels in each layer.
//
// An image in bfloat16 and the bottlenecks' results, which all layers keep for backward, are stored in bfloat16. The
// gradient of the image is float32 for both types, because each layer adds to it. There is only one such gradient at a
// time, which is small compared with the bottlenecks' results.
#pragma once

#include "radial/core/autograd/autograd.h"
#include "radial/layers/dense/bottleneck.h"
#include "radial/layers/dense/growing_image.h"
#include "radial/layers/dense/growing_norm.h"
#include "radial/layers/dense/kernels.h"

#include <atomic>
#include <memory>
#include <utility>

namespace radial::growing {

/// One layer of a growing image of T (float or bfloat16): its computation, and the data that backward needs.
template <class T>
class Step {
public:
    Step(std::shared_ptr<GrowingImage::State> state, const DenseLayerTensors& layer)
        : state_(std::move(state)),
          tensors_(layer),
          channels_(layer.norm.scale.numel()),
          outer_(layer.norm, state_->training ? state_->mean : values_of(layer.norm.running_mean),
                 state_->training ? state_->variance : values_of(layer.norm.running_variance)) {
        const std::pair<const char*, const Tensor*> kept[] = {{"image", &state_->buffer},
                                                              {"scale", &tensors_.norm.scale},
                                                              {"shift", &tensors_.norm.shift},
                                                              {"bottleneck", &tensors_.bottleneck},
                                                              {"inner scale", &tensors_.inner_norm.scale},
                                                              {"inner shift", &tensors_.inner_norm.shift},
                                                              {"weight", &tensors_.conv}};
        for (const auto& [what, tensor] : kept) kept_.emplace_back(*tensor, "dense_layer", what);
    }

    /// Returns the layer's new channels.
    Tensor forward() {
        if (state_->training) move_running(tensors_.norm, state_->mean, state_->variance, rows());
        if (!tensors_.bottleneck.defined()) {
            const Tensor made = image(state_->buffer.shape(), tensors_.conv.size(0));
            each_normalised([&](std::int64_t first, std::int64_t last, const Tensor& x) {
                backend().conv_forward(x, tensors_.conv, {}, same_3x3, made.rows(first, last));
            });
            return dense_kernels::rounded<T>(made);
        }
        const Tensor made = image(state_->buffer.shape(), tensors_.conv.size(0), type);
        narrow_ = image(state_->buffer.shape(), tensors_.bottleneck.size(0), type);
        multiply_bottleneck();
        backend(type).conv_forward(normalise_narrow<T>(), tensors_.conv.to(type), {}, same_3x3, made);
        if (!state_->training) narrow_ = Tensor();
        return made;
    }

    /// Returns the gradients of the inputs of the layer. `gradient` is that of the whole image, to which the gradient
    /// that flows through this layer is added.
    Grads backward(const Tensor& gradient) {
        for (const Saved& saved : kept_) saved.get();  // throws if the tensor has been written to
        const Tensor upstream = settled(*state_, gradient, channels_, tensors_.conv.size(0));
        Grads grads{gradient, Tensor::empty_like(tensors_.norm.scale), Tensor::empty_like(tensors_.norm.shift),
                    Tensor::zeros_like(tensors_.conv)};
        dense_kernels::GradientSums sums(absorbed());
        if (tensors_.bottleneck.defined())
            through_bottleneck(upstream, gradient, grads, sums);
        else
            through_conv(upstream, gradient, grads, sums);
        close(sums, grads[1], grads[2]);
        return grads;
    }

    /// The gradient of `count` channels from `first` on, including the deferred terms of batch norms (`Owed`).
    static Tensor settled(const GrowingImage::State& state, const Tensor& gradient, std::int64_t first,
                          std::int64_t count) {
        const Tensor result = image(state.buffer.shape(), count);
        dense_kernels::settle({gradient.data<float>(), state.capacity(), count}, state.template columns<T>(0, count),
                              state.owed(), state.rows(), first, count, result.data<float>());
        return result;
    }

private:
    static constexpr DType type = dtype_of<T>;
    /// Whether the products of tiles are stored without rounding.
    static constexpr bool direct = std::is_same_v<T, float>;

    double rows() const { return static_cast<double>(state_->rows()); }

    /// Computes narrow_, and in training its statistics.
    void multiply_bottleneck() {
        const Bottleneck<T> bottleneck(tensors_.bottleneck, Bottleneck<T>::Way::forward);
        const std::int64_t width = bottleneck.width(), tile = bottleneck.tile_rows() * width;
        T* const out = narrow_.data<T>();
        // Products of tiles before they are rounded. Unused for float, whose products are written directly to `out`.
        const Tensor tiles = Tensor::empty({direct ? 0 : dense_kernels::Parts::most, tile}, DType::float32, {});
        const bool training = state_->training;
        dense_kernels::Moments moments(training ? first_row(bottleneck) : Floats());
        each_tile(bottleneck, [&](std::int64_t part, std::int64_t row, std::int64_t rows, float* x) {
            const Lines next[] = {next_rows(row, rows)};
            T* const to = out + row * width;
            if constexpr (direct) {
                const dnnl::status status = bottleneck.forward(rows, x, to, next);
                if (training) moments.add(part, to, rows);
                return status;
            } else {
                float* const y = tiles.data<float>() + part * tile;
                const dnnl::status status = bottleneck.forward(rows, x, y, next);
                norm_kernels::write_row(to, rows * width, [=](std::int64_t i) { return y[i]; });
                if (training) moments.add(part, to, rows);
                return status;
            }
        });
        if (!training) return;
        inner_mean_ = Tensor::empty_like(tensors_.inner_norm.scale);
        inner_variance_ = Tensor::empty_like(tensors_.inner_norm.scale);
        moments.write(state_->rows(), inner_mean_, inner_variance_);
        move_running(tensors_.inner_norm, values_of(inner_mean_), values_of(inner_variance_), rows());
    }

    /// The result of the bottleneck for the first pixel, which the moments use as their origin.
    Floats first_row(const Bottleneck<T>& bottleneck) const {
        Floats x(static_cast<std::size_t>(bottleneck.stride())), y(static_cast<std::size_t>(bottleneck.width()));
        bottleneck.read(state_->template columns<T>(0, channels_), outer_.affine(), 1, x.data());
        const dnnl::status status = bottleneck.forward(1, x.data(), y.data(), {});
        RADIAL_CHECK(status == dnnl::status::success, "dense_layer: oneDNN failed (status {})",
                     static_cast<int>(status));
        return y;
    }

    /// The image's rows after a tile, or its last `rows` rows if fewer than `rows` follow.
    Columns<const T> next_rows(std::int64_t row, std::int64_t rows) const {
        return state_->template columns<T>(std::min(row + rows, state_->rows() - rows), channels_);
    }

    /// Calls body(part, first row, rows, x) for tiles of the bottleneck's size, where x contains the pixels of the tile
    /// after the batch norm and ReLU, as written by Bottleneck::read(). body may overwrite x and returns oneDNN's
    /// status. Throws Error unless every status is success.
    template <class Body>
    void each_tile(const Bottleneck<T>& bottleneck, const Body& body) const {
        const std::int64_t tile = bottleneck.tile_rows(), stride = bottleneck.stride();
        const dense_kernels::Parts parts(state_->rows());
        // Allocated from the allocator's cache before the threads start, because an exception must not leave a thread.
        const Tensor held = Tensor::empty({parts.count, tile * stride}, DType::float32, {});
        std::atomic<int> failed{0};
#pragma omp parallel for schedule(dynamic)
        for (std::int64_t p = 0; p < parts.count; ++p) {
            float* const x = held.data<float>() + p * tile * stride;
            for (std::int64_t row = parts.begin(p); row < parts.end(p); row += tile) {
                const std::int64_t rows = std::min(tile, parts.end(p) - row);
                bottleneck.read(state_->template columns<T>(row, channels_), outer_.affine(), rows, x);
                const dnnl::status status = body(p, row, rows, x);
                if (status != dnnl::status::success) failed = static_cast<int>(status);
            }
        }
        RADIAL_CHECK(failed == 0, "dense_layer: oneDNN failed (status {})", failed.load());
    }

    /// Calls body(first image, one past the last, those images after the batch norm and ReLU).
    template <class Body>
    void each_normalised(const Body& body) const {
        state_->each_part(channels_, [&](std::int64_t first, std::int64_t last) {
            const Tensor x = image({last - first, 0, state_->buffer.size(2), state_->buffer.size(3)}, channels_);
            const dense_kernels::Parts parts((last - first) * state_->pixels());
#pragma omp parallel for schedule(static)
            for (std::int64_t p = 0; p < parts.count; ++p) {
                const std::int64_t begin = parts.begin(p);
                dense_kernels::normalise(state_->template columns<T>(first * state_->pixels() + begin, channels_),
                                         outer_.affine(), parts.end(p) - begin,
                                         Columns<float>{x.data<float>() + begin * channels_, channels_, channels_});
            }
            body(first, last, x);
        });
    }

    /// The bottleneck's result after its batch norm and ReLU, in type Out. Backward recomputes it.
    template <class Out>
    Tensor normalise_narrow() const {
        const NormTensors& norm = tensors_.inner_norm;
        const Tensor y = image(narrow_.shape(), narrow_.size(1), dtype_of<Out>);
        const Tensor &mean = state_->training ? inner_mean_ : norm.running_mean,
                     &variance = state_->training ? inner_variance_ : norm.running_variance;
        if constexpr (std::is_same_v<T, Out>) {
            backend().batch_norm_apply(narrow_, norm.scale, norm.shift, {}, mean, variance, norm.epsilon,
                                       Activation::relu, y);
        } else {
            const Normaliser inner(norm, values_of(mean), values_of(variance));
            const std::int64_t width = narrow_.size(1);
            const dense_kernels::Parts parts(state_->rows());
#pragma omp parallel for schedule(static)
            for (std::int64_t p = 0; p < parts.count; ++p) {
                const std::int64_t begin = parts.begin(p) * width;
                dense_kernels::normalise(Columns<const T>{narrow_.data<T>() + begin, width, width}, inner.affine(),
                                         parts.end(p) - parts.begin(p),
                                         Columns<Out>{y.data<Out>() + begin, width, width});
            }
        }
        return y;
    }

    void through_bottleneck(const Tensor& upstream, const Tensor& gradient, Grads& grads,
                            dense_kernels::GradientSums& sums) {
        const NormTensors& norm = tensors_.inner_norm;
        const Tensor narrow_gradient = Tensor::empty_like(narrow_), dscale = Tensor::empty_like(norm.scale),
                     dshift = Tensor::empty_like(norm.shift);
        // The weight's gradient is computed in float32 for both types: that is not slower than oneDNN's bfloat16
        // kernels for the few channels here, and does not depend on the number of threads.
        backend().conv_backward_weights(normalise_narrow<float>(), upstream, same_3x3, grads[3], {});
        backend(type).conv_backward_data(dense_kernels::rounded<T>(upstream), tensors_.conv.to(type), same_3x3,
                                         narrow_gradient);
        const ReluNormGradient inner = relu_norm_gradient({.x = narrow_,
                                                           .scale = norm.scale,
                                                           .shift = norm.shift,
                                                           .mean = inner_mean_,
                                                           .variance = inner_variance_,
                                                           .y = {},
                                                           .workspace = {},
                                                           .epsilon = norm.epsilon,
                                                           .activation = Activation::relu},
                                                          narrow_gradient, dscale, dshift);
        grads.push_back(Tensor::zeros_like(tensors_.bottleneck));
        grads.push_back(dscale);
        grads.push_back(dshift);
        through_product(inner, narrow_gradient, gradient, grads[4], sums);
        narrow_ = Tensor();
    }

    /// Computes the gradients of the bottleneck's weight and of the image from `upstream`, the gradient of the result
    /// of the ReLU after the inner norm.
    void through_product(const ReluNormGradient& inner, const Tensor& upstream, const Tensor& gradient,
                         const Tensor& dweight, dense_kernels::GradientSums& sums) const {
        const Bottleneck<T> bottleneck(tensors_.bottleneck, Bottleneck<T>::Way::backward);
        const std::int64_t width = bottleneck.width(), stride = bottleneck.stride();
        const T *const up = upstream.data<T>(), *const narrow = narrow_.data<T>();
        // One sum per part, so that the result does not depend on the number of threads.
        const dense_kernels::Parts parts(state_->rows());
        const Tensor partial = Tensor::empty({parts.count, dweight.numel()}, DType::float32, {});
        const Tensor tiles = Tensor::empty({parts.count, bottleneck.narrow_numbers()}, DType::float32, {});
        each_tile(bottleneck, [&](std::int64_t part, std::int64_t row, std::int64_t rows, float* x) {
            float* const dy = tiles.data<float>() + part * bottleneck.narrow_numbers();
            dense_kernels::behind_relu_norm(inner, narrow + row * width, up + row * width, rows, width, dy);
            bottleneck.round(rows, dy);
            float* const sum = partial.data<float>() + part * dweight.numel();
            if (row == parts.begin(part)) std::fill_n(sum, dweight.numel(), 0.0F);
            const std::int64_t after = std::min(row + rows, state_->rows() - rows) * width;
            const Lines here[] = {rows_of(gradient, row)},
                        next[] = {next_rows(row, rows), Columns<const T>{narrow + after, width, width},
                                  Columns<const T>{up + after, width, width}};
            const dnnl::status status = bottleneck.add_gradient(rows, x, dy, sum, here);
            if (status != dnnl::status::success) return status;
            const dnnl::status again = bottleneck.backward(rows, dy, x, next);  // x is no longer needed
            absorb(part, row, rows, {x, stride, channels_}, gradient, sums);
            return again;
        });
        bottleneck.write_gradient(partial, dweight);
    }

    void through_conv(const Tensor& upstream, const Tensor& gradient, Grads& grads, dense_kernels::GradientSums& sums) {
        const Tensor part = Tensor::empty_like(tensors_.conv);
        const auto total = grads[3].values<float>();
        each_normalised([&](std::int64_t first, std::int64_t last, const Tensor& x) {
            const Tensor dy = upstream.rows(first, last);
            backend().conv_backward_weights(x, dy, same_3x3, part, {});
            const auto more = part.values<float>();
            for (std::size_t i = 0; i < total.size(); ++i) total[i] += more[i];
            backend().conv_backward_data(dy, tensors_.conv, same_3x3, x);  // x is no longer needed
            const dense_kernels::Parts parts((last - first) * state_->pixels());
#pragma omp parallel for schedule(static)
            for (std::int64_t p = 0; p < parts.count; ++p) {
                const std::int64_t begin = parts.begin(p);
                absorb(p, first * state_->pixels() + begin, parts.end(p) - begin,
                       {x.data<float>() + begin * channels_, channels_, channels_}, gradient, sums);
            }
        });
    }

    /// The number of channels that absorb() processes: whole vectors if the image has room for them. Beyond the layer's
    /// channels, absorb() adds zeros to gradients that have been used already.
    std::int64_t absorbed() const {
        const std::int64_t padded = small_products::whole_vectors(channels_);
        return tensors_.bottleneck.defined() && padded <= state_->capacity() ? padded : channels_;
    }

    /// Adds the contribution of `upstream` to the image's gradient. `upstream` [rows, channels] is the gradient of the
    /// normalised pixels from `row` on.
    void absorb(std::int64_t part, std::int64_t row, std::int64_t rows, const Columns<const float>& upstream,
                const Tensor& gradient, dense_kernels::GradientSums& sums) const {
        sums.absorb(part, state_->template columns<T>(row, channels_), outer_.affine(), upstream, rows,
                    rows_of(gradient, row));
    }

    /// The rows from `row` on of the image's gradient, in the channels that the layer reads.
    Columns<float> rows_of(const Tensor& gradient, std::int64_t row) const {
        return {gradient.data<float>() + row * state_->capacity(), state_->capacity(), channels_};
    }

    /// Accumulates the deferred terms of this layer's batch norm (`Owed`), and writes the gradients of its scale and
    /// shift.
    void close(const dense_kernels::GradientSums& all, const Tensor& dscale, const Tensor& dshift) const {
        const std::vector<double> sums = all.sums(), products = all.products();
        for (std::size_t c = 0; c < static_cast<std::size_t>(channels_); ++c) {
            const double inverse = static_cast<double>(outer_.inverse[c]),
                         factor = static_cast<double>(outer_.factor[c]);
            const double projection = products[c] * inverse;
            dshift.data<float>()[c] = static_cast<float>(sums[c]);
            dscale.data<float>()[c] = static_cast<float>(projection);
            state_->constant[c] -= static_cast<float>(factor * sums[c] / rows());
            state_->slope[c] -= static_cast<float>(factor * inverse * projection / rows());
        }
    }

    std::shared_ptr<GrowingImage::State> state_;
    DenseLayerTensors tensors_;
    std::int64_t channels_;
    Normaliser outer_;
    std::vector<Saved> kept_;  ///< the image and the layer's tensors, only to detect whether they have been written to
    Tensor narrow_;            ///< the bottleneck's result
    Tensor inner_mean_, inner_variance_;
};

}  // namespace radial::growing
