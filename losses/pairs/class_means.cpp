// Class means of a batch, running class means, and the two terms of the range loss.
#include "radial/losses/pairs/class_means_kernels.h"

#include "radial/core/ops/common.h"
#include "radial/core/ops/kernels/linear_algebra.h"
#include "radial/losses/functional.h"

namespace radial {
namespace {

// Throws Error unless x is [N, D] and labels are int64 [N] on its device.
void check(std::string_view op, std::string_view what, const Tensor& x, const Tensor& labels) {
    ops::check_floating(op, what, x);
    ops::check_rank(op, what, x, 2, "[N, D]");
    RADIAL_CHECK(labels.defined(), "{}: labels are undefined", op);
    RADIAL_CHECK(labels.dtype() == DType::int64 && labels.shape() == Shape{x.size(0)},
                 "{}: labels are {}, expected int64[{}]", op, labels.str(), x.size(0));
    ops::check_device(op, x, "labels", labels);
}

void check_square(std::string_view op, const Tensor& distances, const Tensor& labels) {
    check(op, "distances", distances, labels);
    RADIAL_CHECK(distances.size(0) == distances.size(1) && distances.size(0) > 0,
                 "{}: distances are {}, expected [N, N] with N at least 1", op, distances.shape().str());
}

Tensor means_of_classes(const Tensor& x, const Tensor& labels) {
    const Tensor y = Tensor::empty_like(x);
    dispatch_floating(x.dtype(), "batch_class_means", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), x.size(0), x.size(1),
                      kernels::BatchClassMeans<T>{x.data<const T>(), labels.data<const std::int64_t>(), y.data<T>(),
                                                  x.size(0), x.size(1)},
                      x.size(0));
    });
    return y;
}

// Records `loss`. `grad` is its gradient for an upstream gradient of 1.
Tensor with_gradient(std::string_view op, const Tensor& loss, const Tensor& distances, const Tensor& grad) {
    return record(op, loss, {distances}, [grad, op](const Tensor& dy, Needs) -> Grads {
        dispatch_floating(grad.dtype(), op, [&](auto zero) {
            using T = decltype(zero);
            // Backward runs only once, so the kept gradient may be overwritten with the result.
            kernels::map(grad.device(), grad.numel(),
                         kernels::ScaleBy<T, T>{grad.data<const T>(), dy.data<const T>(), grad.data<T>()});
        });
        return {grad};
    });
}

}  // namespace

Tensor range_intra_loss(const Tensor& distances, const Tensor& labels, std::int64_t largest) {
    check_square("range_intra_loss", distances, labels);
    RADIAL_CHECK(largest >= 1, "range_intra_loss: largest is {}, expected at least 1", largest);
    const std::int64_t samples = distances.size(0);
    const Device device = distances.device();
    const Tensor grad = Tensor::zeros(distances.shape(), distances.dtype(), device);
    const Tensor losses = Tensor::empty({samples}, DType::float64, device);
    const Tensor loss = Tensor::empty({}, distances.dtype(), device);
    dispatch_floating(distances.dtype(), "range_intra_loss", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(device, samples, samples,
                      kernels::HarmonicRange<T>{distances.data<const T>(), labels.data<const std::int64_t>(),
                                                grad.data<T>(), losses.data<double>(), samples, largest},
                      2 * largest);
        kernels::reduce(device, samples, kernels::Element<double>{losses.data<const double>()}, 1.0, loss.data<T>());
    });
    return with_gradient("range_intra_loss", loss, distances, grad);
}

Tensor range_inter_loss(const Tensor& distances, const Tensor& labels, double margin) {
    check_square("range_inter_loss", distances, labels);
    const std::int64_t samples = distances.size(0);
    const Tensor grad = Tensor::zeros(distances.shape(), distances.dtype(), distances.device());
    const Tensor loss = Tensor::empty({}, distances.dtype(), distances.device());
    dispatch_floating(distances.dtype(), "range_inter_loss", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(distances.device(), 1, samples * samples,
                      kernels::NearestClasses<T>{distances.data<const T>(), labels.data<const std::int64_t>(),
                                                 grad.data<T>(), loss.data<T>(), samples, static_cast<T>(margin)});
    });
    return with_gradient("range_inter_loss", loss, distances, grad);
}

Tensor batch_class_means(const Tensor& x, const Tensor& labels) {
    check("batch_class_means", "x", x, labels);
    return record("batch_class_means", means_of_classes(x, labels), {x},
                  [saved = Saved(labels, "batch_class_means", "labels")](const Tensor& dy, Needs) -> Grads {
                      return {means_of_classes(dy, saved.get())};
                  });
}

void update_class_means(const Tensor& means, const Tensor& seen, const Tensor& x, const Tensor& labels,
                        double momentum) {
    check("update_class_means", "x", x, labels);
    ops::check_alike("update_class_means", x, "means", means);
    ops::check_alike("update_class_means", x, "seen", seen);
    RADIAL_CHECK(means.rank() == 2 && means.size(1) == x.size(1) && seen.shape() == Shape{means.size(0)},
                 "update_class_means: means are {} and seen is {}, expected [C, {}] and [C]", means.shape().str(),
                 seen.shape().str(), x.size(1));
    RADIAL_CHECK(momentum >= 0 && momentum <= 1, "update_class_means: momentum is {}, expected within [0, 1]",
                 momentum);
    dispatch_floating(x.dtype(), "update_class_means", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), means.size(0), x.size(1),
                      kernels::UpdateClassMeans<T>{x.data<const T>(), labels.data<const std::int64_t>(),
                                                   means.data<T>(), seen.data<T>(), x.size(0), x.size(1), momentum},
                      x.size(0));
    });
    means.bump_version();
    seen.bump_version();
}

}  // namespace radial
