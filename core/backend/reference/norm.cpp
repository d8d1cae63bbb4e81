// Reference batch normalisation (Ioffe & Szegedy 2015) on any device: two passes over each channel, in double.
#include "radial/core/backend/reference/reference_backend.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/tensor/types.h"

#include <cmath>

namespace radial {
namespace {

/// The memory layout shared by all activations of a call: element (n, c, p) of N images, C channels and P pixels. In
/// channels_last, where the pixels of all images are equally spaced, the images are treated as one.
struct Planes {
    std::int64_t N, C, P, image, channel, pixel;
    explicit Planes(const Tensor& x) : N(x.size(0)), C(x.size(1)) {
        const bool last = x.layout() == Layout::channels_last;
        P = N == 0 ? 0 : x.numel() / N / C;
        image = C * P;
        channel = last ? 1 : P;
        pixel = last ? C : 1;
        if (!last) return;
        P *= N;
        N = 1;
    }
    RADIAL_HD std::int64_t at(std::int64_t n, std::int64_t c, std::int64_t p) const {
        return n * image + c * channel + p * pixel;
    }
    RADIAL_HD double count() const { return static_cast<double>(N * P); }
};

template <class Team, class F>
RADIAL_HD double channel_sum(const Team& team, const Planes& planes, const F& f) {
    return team.sum(planes.P, [=](std::int64_t p) {
        double total = 0;
        for (std::int64_t n = 0; n < planes.N; ++n) total += f(n, p);
        return total;
    });
}
template <class Team, class F>
RADIAL_HD void each_of_channel(const Team& team, const Planes& planes, const F& f) {
    team.each(planes.P, [=](std::int64_t p) {
        for (std::int64_t n = 0; n < planes.N; ++n) f(n, p);
    });
}

/// Computes the mean and biased variance of channel c.
template <class T>
struct Statistics {
    Planes planes;
    const T* x;
    double *mean, *variance;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t c) const {
        const double centre =
            channel_sum(team, planes,
                        [=, *this](auto n, auto p) { return static_cast<double>(x[planes.at(n, c, p)]); }) /
            planes.count();
        const double squares = channel_sum(team, planes, [=, *this](auto n, auto p) {
            const double deviation = static_cast<double>(x[planes.at(n, c, p)]) - centre;
            return deviation * deviation;
        });
        team.once([&] {
            mean[c] = centre;
            variance[c] = squares / planes.count();
        });
    }
};

/// Computes channel c of y: normalised x, plus the residual if it is not null, followed by a ReLU if `relu`.
template <class T>
struct Normalise {
    Planes planes;
    const T *x, *residual;
    T* y;
    const double *scale, *shift, *mean, *variance;
    double epsilon;
    bool relu;
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t c) const {
        const double factor = scale[c] / std::sqrt(variance[c] + epsilon), centre = mean[c], offset = shift[c];
        each_of_channel(team, planes, [=, *this](auto n, auto p) {
            const std::int64_t at = planes.at(n, c, p);
            const double normal = (static_cast<double>(x[at]) - centre) * factor + offset;
            const double value = residual != nullptr ? normal + static_cast<double>(residual[at]) : normal;
            // Written so that NaN stays NaN.
            y[at] = static_cast<T>(relu && value <= 0 ? 0.0 : value);
        });
    }
};

/// Computes channel c of all gradients. `y` is null without a ReLU. Writes the gradient of the ReLU's input to `masked`
/// unless that is null.
template <class T>
struct Backward {
    Planes planes;
    const T *x, *y, *dy;
    T *dx, *masked;
    const double *scale, *mean, *variance;
    double *dscale, *dshift;
    double epsilon;

    RADIAL_HD double gradient(std::int64_t at) const {
        const double upstream = static_cast<double>(dy[at]);
        return y == nullptr || static_cast<double>(y[at]) > 0 ? upstream : 0.0;
    }
    template <class Team>
    RADIAL_HD void operator()(const Team& team, std::int64_t c) const {
        const double centre = mean[c], inverse = 1 / std::sqrt(variance[c] + epsilon), count = planes.count();
        const double total =
            channel_sum(team, planes, [=, *this](auto n, auto p) { return gradient(planes.at(n, c, p)); });
        const double projection = channel_sum(team, planes, [=, *this](auto n, auto p) {
            const std::int64_t at = planes.at(n, c, p);
            return gradient(at) * ((static_cast<double>(x[at]) - centre) * inverse);
        });
        team.once([&] {
            dshift[c] = total;
            dscale[c] = projection;
        });
        const double factor = scale[c] * inverse;
        each_of_channel(team, planes, [=, *this](auto n, auto p) {
            const std::int64_t at = planes.at(n, c, p);
            const double grad = gradient(at), normal = (static_cast<double>(x[at]) - centre) * inverse;
            dx[at] = static_cast<T>(factor * (grad - (total + normal * projection) / count));
            if (masked != nullptr) masked[at] = static_cast<T>(grad);  // last, because masked may equal dy
        });
    }
};

/// A float64 version of a vector of any type; finish() copies the float64 numbers to that vector.
struct Vector {
    Tensor own, wide;
    explicit Vector(const Tensor& target)
        : own(target),
          wide(target.dtype() == DType::float64 ? target
                                                : Tensor::empty(target.shape(), DType::float64, target.device())) {}
    double* data() const { return wide.data<double>(); }
    void finish() const {
        if (own.dtype() != DType::float64) own.copy_(wide);
    }
};

template <class T>
T* elements_or_null(const Tensor& x) {
    return x.defined() ? x.data<T>() : nullptr;
}

void normalise(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual, const Tensor& mean,
               const Tensor& variance, double epsilon, Activation activation, const Tensor& y) {
    const Tensor factors = scale.to(DType::float64), offsets = shift.to(DType::float64);
    const Tensor means = mean.to(DType::float64), variances = variance.to(DType::float64);
    dispatch_activation(x.dtype(), "reference batch norm", [&]<class T>(T) {
        const Planes planes(x);
        kernels::rows(x.device(), planes.C, planes.N * planes.P,
                      Normalise<T>{planes, x.data<T>(), elements_or_null<T>(residual), y.data<T>(),
                                   factors.data<double>(), offsets.data<double>(), means.data<double>(),
                                   variances.data<double>(), epsilon, activation == Activation::relu});
    });
}

}  // namespace

Tensor ReferenceBackend::batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift,
                                            const Tensor& residual, double epsilon, Activation activation,
                                            const Tensor& mean, const Tensor& variance, const Tensor& y) {
    const Vector means(mean), variances(variance);
    dispatch_activation(x.dtype(), "reference batch norm", [&]<class T>(T) {
        const Planes planes(x);
        kernels::rows(x.device(), planes.C, planes.N * planes.P,
                      Statistics<T>{planes, x.data<T>(), means.data(), variances.data()});
    });
    means.finish();
    variances.finish();
    normalise(x, scale, shift, residual, mean, variance, epsilon, activation, y);
    return {};
}

void ReferenceBackend::batch_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) {
    const Vector dscale(grads.dscale), dshift(grads.dshift);
    const Tensor scale = saved.scale.to(DType::float64), mean = saved.mean.to(DType::float64);
    const Tensor variance = saved.variance.to(DType::float64);
    dispatch_activation(saved.x.dtype(), "reference batch norm", [&]<class T>(T) {
        const Planes planes(saved.x);
        kernels::rows(
            saved.x.device(), planes.C, planes.N * planes.P,
            Backward<T>{planes, saved.x.data<T>(), saved.activation == Activation::relu ? saved.y.data<T>() : nullptr,
                        dy.data<T>(), grads.dx.data<T>(), elements_or_null<T>(grads.dresidual), scale.data<double>(),
                        mean.data<double>(), variance.data<double>(), dscale.data(), dshift.data(), saved.epsilon});
    });
    dscale.finish();
    dshift.finish();
}

void ReferenceBackend::batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift,
                                        const Tensor& residual, const Tensor& mean, const Tensor& variance,
                                        double epsilon, Activation activation, const Tensor& y) {
    normalise(x, scale, shift, residual, mean, variance, epsilon, activation, y);
}

}  // namespace radial
