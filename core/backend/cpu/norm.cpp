// Batch normalisation on the CPU with our own loops, because oneDNN cannot fuse SiLU, or a residual in training.
#include "radial/core/backend/cpu/norm_kernels.h"
#include "radial/core/backend/cpu/onednn_backend.h"
#include "radial/core/kernels/bfloat16.h"

#include <algorithm>
#include <cmath>
#include <type_traits>
#include <utility>

namespace radial {
namespace {

using norm_kernels::Fold;

Fold fold_of(const Tensor& x) { return {x.numel() / x.size(1), x.size(1)}; }

std::vector<float> factors_of(const Tensor& scale, const Tensor& variances, double epsilon) {
    std::vector<float> factors(static_cast<std::size_t>(scale.numel()));
    for (std::size_t c = 0; c < factors.size(); ++c) {
        const double deviation = std::sqrt(static_cast<double>(variances.data<float>()[c]) + epsilon);
        factors[c] = static_cast<float>(static_cast<double>(scale.data<float>()[c]) / deviation);
    }
    return factors;
}

/// (v - mean) * factor + shift, with the vectors repeated to the width of a long row.
struct Affine {
    std::vector<float> mean, factor, shift;

    Affine(const Fold& fold, const Tensor& scale, const Tensor& offset, const Tensor& means, const Tensor& variances,
           double epsilon) {
        const std::vector<float> factors = factors_of(scale, variances, epsilon);
        mean = norm_kernels::repeated(means.data<float>(), fold);
        factor = norm_kernels::repeated(factors.data(), fold);
        shift = norm_kernels::repeated(offset.data<float>(), fold);
    }
};

/// Calls f(integral_constant<Activation, activation>).
template <class F>
void dispatch(Activation activation, const F& f) {
    switch (activation) {
        case Activation::none:
            return f(std::integral_constant<Activation, Activation::none>{});
        case Activation::relu:
            return f(std::integral_constant<Activation, Activation::relu>{});
        case Activation::silu:
            return f(std::integral_constant<Activation, Activation::silu>{});
        case Activation::gelu:
            return f(std::integral_constant<Activation, Activation::gelu>{});
        case Activation::relu6:
            return f(std::integral_constant<Activation, Activation::relu6>{});
        case Activation::hard_swish:
            return f(std::integral_constant<Activation, Activation::hard_swish>{});
    }
}

/// Calls f(T{}), where T is the type of x: float or bfloat16.
template <class F>
void with_type(const Tensor& x, const F& f) {
    if (x.dtype() == DType::bfloat16) return f(bfloat16{});
    f(float{});
}

/// Writes the mean and variance of the batch.
template <class T>
void statistics(const Tensor& x, const Fold& fold, const Tensor& mean, const Tensor& variance) {
    const T* const in = x.data<T>();
    const std::vector<float> origin = norm_kernels::repeated(in, fold);
    std::vector<double> distances, squares;
    norm_kernels::column_sums(fold, norm_kernels::Distance<T>{in, origin.data()}, distances, squares);
    norm_kernels::write_statistics(origin.data(), fold.rows, distances, squares, mean.data<float>(),
                                   variance.data<float>());
}

template <class T, Activation activation>
void normalise(const Tensor& x, const Fold& fold, const Affine& affine, const Tensor& residual, const Tensor& y) {
    const T* const in = x.data<T>();
    const float *const mean = affine.mean.data(), *const factor = affine.factor.data(),
                       *const shift = affine.shift.data();
    T* const out = y.data<T>();
    if (residual.defined()) {
        const T* const more = residual.data<T>();
        norm_kernels::each_row(fold, [=](std::int64_t row, std::int64_t count) {
            const T *const v = in + row, *const r = more + row;
            norm_kernels::write_row(out + row, count, [=](std::int64_t i) {
                return norm_kernels::activated<activation>((static_cast<float>(v[i]) - mean[i]) * factor[i] + shift[i] +
                                                           static_cast<float>(r[i]));
            });
        });
        return;
    }
    norm_kernels::each_row(fold, [=](std::int64_t row, std::int64_t count) {
        const T* const v = in + row;
        norm_kernels::write_row(out + row, count, [=](std::int64_t i) {
            return norm_kernels::activated<activation>((static_cast<float>(v[i]) - mean[i]) * factor[i] + shift[i]);
        });
    });
}

/// dx = a * gradient + b * (x - mean) + c, with one of each coefficient per channel. Computed from the sums of the
/// gradient with respect to the activation's input, and of its product with x - mean. Also writes dscale and dshift.
struct GradientAffine {
    std::vector<float> a, b, c;

    GradientAffine(const BatchNormSaved& saved, const Fold& fold, const std::vector<double>& sums,
                   const std::vector<double>& products, const Tensor& dscale, const Tensor& dshift)
        : a(sums.size()), b(sums.size()), c(sums.size()) {
        const auto rows = static_cast<double>(fold.rows);
        for (std::size_t i = 0; i < sums.size(); ++i) {
            const double variance = static_cast<double>(saved.variance.data<float>()[i]);
            const double inverse = 1 / std::sqrt(variance + saved.epsilon), projection = products[i] * inverse;
            const double factor = static_cast<double>(saved.scale.data<float>()[i]) * inverse;
            dshift.data<float>()[i] = static_cast<float>(sums[i]);
            dscale.data<float>()[i] = static_cast<float>(projection);
            a[i] = static_cast<float>(factor);
            b[i] = static_cast<float>(-factor * inverse * projection / rows);
            c[i] = static_cast<float>(-factor * sums[i] / rows);
        }
    }
    /// Repeats the coefficients to the width of a long row.
    GradientAffine repeated(const Fold& fold) && {
        a = norm_kernels::repeated(a.data(), fold);
        b = norm_kernels::repeated(b.data(), fold);
        c = norm_kernels::repeated(c.data(), fold);
        return std::move(*this);
    }
};

/// Computes the coefficients of dx when the activation's gradient can be computed from x alone.
template <class T, Activation activation>
GradientAffine gradient_of(const BatchNormSaved& saved, const Fold& fold, const Affine& affine, const Tensor& dy,
                           const Tensor& dscale, const Tensor& dshift) {
    const T *const in = saved.x.data<T>(), *const up = dy.data<T>();
    const float *const mean = affine.mean.data(), *const factor = affine.factor.data(),
                       *const shift = affine.shift.data();
    std::vector<double> sums, products;
    norm_kernels::column_sums(
        fold,
        [=](std::int64_t e, std::int64_t i, float& sum, float& product) {
            const float upstream = static_cast<float>(up[e]), distance = static_cast<float>(in[e]) - mean[i];
            const float grad = norm_kernels::behind<activation>(upstream, distance * factor[i] + shift[i]);
            sum += grad;
            product += grad * distance;
        },
        sums, products);
    return {saved, fold, sums, products, dscale, dshift};
}

template <class T, Activation activation>
void backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) {
    const Fold fold = fold_of(saved.x);
    const Affine affine(fold, saved.scale, saved.shift, saved.mean, saved.variance, saved.epsilon);
    const GradientAffine made =
        gradient_of<T, activation>(saved, fold, affine, dy, grads.dscale, grads.dshift).repeated(fold);
    const T *const in = saved.x.data<T>(), *const up = dy.data<T>();
    const float *const mean = affine.mean.data(), *const factor = affine.factor.data(),
                       *const shift = affine.shift.data();
    const float *const a = made.a.data(), *const b = made.b.data(), *const c = made.c.data();
    T* const out = grads.dx.data<T>();
    norm_kernels::each_row(fold, [=](std::int64_t row, std::int64_t count) {
        const T *const v = in + row, *const g = up + row;
        norm_kernels::write_row(out + row, count, [=](std::int64_t i) {
            const float upstream = static_cast<float>(g[i]), distance = static_cast<float>(v[i]) - mean[i];
            const float grad = norm_kernels::behind<activation>(upstream, distance * factor[i] + shift[i]);
            return a[i] * grad + (b[i] * distance + c[i]);
        });
    });
}

/// Computes the gradients when a residual is added before a ReLU. Whether the ReLU passed an element can only be
/// determined from y. The gradient of the sum is also that of the residual.
template <class T>
void backward_to_residual(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) {
    const Fold fold = fold_of(saved.x);
    const std::vector<float> means = norm_kernels::repeated(saved.mean.data<float>(), fold);
    const T *const in = saved.x.data<T>(), *const up = dy.data<T>(), *const result = saved.y.data<T>();
    const float* const mean = means.data();
    T* const passed = grads.dresidual.data<T>();
    std::vector<double> sums, products;
    norm_kernels::column_sums(
        fold,
        [=](std::int64_t e, std::int64_t i, float& sum, float& product) {
            const float upstream = static_cast<float>(up[e]);
            const float grad = norm_kernels::behind<Activation::relu>(upstream, static_cast<float>(result[e]));
            passed[e] = static_cast<T>(grad);
            sum += grad;
            product += grad * (static_cast<float>(in[e]) - mean[i]);
        },
        sums, products);
    const GradientAffine made = GradientAffine(saved, fold, sums, products, grads.dscale, grads.dshift).repeated(fold);
    const float *const a = made.a.data(), *const b = made.b.data(), *const c = made.c.data();
    T* const out = grads.dx.data<T>();
    norm_kernels::each_row(fold, [=](std::int64_t row, std::int64_t count) {
        const T *const v = in + row, *const g = passed + row;
        norm_kernels::write_row(out + row, count, [=](std::int64_t i) {
            return a[i] * static_cast<float>(g[i]) + (b[i] * (static_cast<float>(v[i]) - mean[i]) + c[i]);
        });
    });
}

}  // namespace

void channel_statistics(const Tensor& x, const Tensor& mean, const Tensor& variance) {
    with_type(x, [&](auto type) { statistics<decltype(type)>(x, fold_of(x), mean, variance); });
}

ReluNormGradient relu_norm_gradient(const BatchNormSaved& saved, const Tensor& dy, const Tensor& dscale,
                                    const Tensor& dshift) {
    const Fold fold = fold_of(saved.x);
    const Affine affine(fold, saved.scale, saved.shift, saved.mean, saved.variance, saved.epsilon);
    GradientAffine made = [&] {
        if (saved.x.dtype() == DType::bfloat16)
            return gradient_of<bfloat16, Activation::relu>(saved, fold, affine, dy, dscale, dshift);
        return gradient_of<float, Activation::relu>(saved, fold, affine, dy, dscale, dshift);
    }();
    const auto values = [](const Tensor& t) {
        return std::vector<float>(t.data<float>(), t.data<float>() + t.numel());
    };
    return {values(saved.mean),  factors_of(saved.scale, saved.variance, saved.epsilon),
            values(saved.shift), std::move(made.a),
            std::move(made.b),   std::move(made.c)};
}

void channel_sums(const Tensor& x, const Tensor& sums) {
    const float* const in = x.data<float>();
    std::vector<double> totals, unused;
    norm_kernels::column_sums(
        fold_of(x), [=](std::int64_t e, std::int64_t, float& sum, float&) { sum += in[e]; }, totals, unused);
    for (std::size_t c = 0; c < totals.size(); ++c) sums.data<float>()[c] = static_cast<float>(totals[c]);
}

Tensor OneDnnBackend::batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift,
                                         const Tensor& residual, double epsilon, Activation activation,
                                         const Tensor& mean, const Tensor& variance, const Tensor& y) {
    channel_statistics(x, mean, variance);
    batch_norm_apply(x, scale, shift, residual, mean, variance, epsilon, activation, y);
    // Any defined tensor means that y need not be saved: without a residual, the mask of a ReLU can be computed from x.
    return residual.defined() ? Tensor() : mean;
}

void OneDnnBackend::batch_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) {
    with_type(saved.x, [&](auto type) {
        using T = decltype(type);
        if (grads.dresidual.defined()) return backward_to_residual<T>(saved, dy, grads);
        dispatch(saved.activation, [&](auto activation) { backward<T, activation()>(saved, dy, grads); });
    });
}

void OneDnnBackend::batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                                     const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                                     const Tensor& y) {
    const Fold fold = fold_of(x);
    const Affine affine(fold, scale, shift, mean, variance, epsilon);
    with_type(x, [&](auto type) {
        dispatch(activation, [&](auto a) { normalise<decltype(type), a()>(x, fold, affine, residual, y); });
    });
}

}  // namespace radial
