// Group normalisation and instance normalisation, in either layout.
#include "radial/core/ops/kernels/group_norm.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/ops/common.h"
#include "radial/core/ops/norm_inputs.h"

namespace radial {
namespace {

using kernels::PlaneShape;

/// How the planes of x (one channel of one image each) lie in memory. `interleaved` means that the channels of a pixel
/// are adjacent.
struct Planes {
    PlaneShape shape;
    std::int64_t images;
    bool interleaved;

    Planes(const Tensor& x, std::int64_t groups)
        : shape{x.size(1), 1, groups},
          images(x.size(0)),
          interleaved(x.rank() == 2 || x.layout() == Layout::channels_last) {
        for (int d = 2; d < x.rank(); ++d) shape.area *= x.size(d);
    }
    std::int64_t count() const { return images * shape.channels; }
    std::int64_t blocks() const { return (shape.channels + kernels::plane_block - 1) / kernels::plane_block; }
};

/// Runs `Block` on blocks of interleaved planes, or `Plane` on each plane.
template <class Block, class Plane>
void each_plane(Device device, const Planes& planes, const Plane& kernel) {
    constexpr std::int64_t cost = 4;
    if (planes.interleaved) {
        kernels::rows(device, planes.images * planes.blocks(), planes.shape.area * kernels::plane_block,
                      Block{kernel, planes.blocks()}, cost);
    } else {
        kernels::rows(device, planes.count(), planes.shape.area, kernel, cost);
    }
}
/// Runs `Pixel` on each pixel of interleaved planes, or `Plane` on each plane.
template <class Pixel, class Plane>
void each_element(Device device, const Planes& planes, const Plane& kernel) {
    if (planes.interleaved) {
        kernels::rows(device, planes.images * planes.shape.area, planes.shape.channels, Pixel{kernel}, 2);
    } else {
        kernels::rows(device, planes.count(), planes.shape.area, kernel, 2);
    }
}

/// The values saved for backward.
struct Kept {
    Saved x, weight;
    Tensor statistics;  ///< float64 [N * groups, 2]
    Planes planes;
    std::string_view op;
};

template <class X>
void normalise(const Kept& kept, const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon,
               const Tensor& y) {
    using V = Compute<X>;
    const Planes& planes = kept.planes;
    const Device device = x.device();
    const Tensor moments = Tensor::empty({planes.count(), 2}, DType::float64, device);
    each_plane<kernels::PlaneBlockMoments<X>>(
        device, planes, kernels::PlaneMoments<X>{x.data<X>(), moments.data<double>(), planes.shape});
    double* const statistics = kept.statistics.data<double>();
    kernels::rows(device, kept.statistics.size(0), planes.shape.channels / planes.shape.groups,
                  kernels::GroupStatistics{moments.data<double>(), statistics, planes.shape, epsilon});
    const Tensor coefficients = Tensor::empty({3, planes.count()}, weight.dtype(), device);
    V *const centre = coefficients.data<V>(), *const factor = centre + planes.count(),
             *const shift = factor + planes.count();
    kernels::map(
        device, planes.count(),
        kernels::PlaneAffine<V>{statistics, weight.data<V>(), bias.data<V>(), centre, factor, shift, planes.shape});
    each_element<kernels::NormalisePixel<X>>(
        device, planes, kernels::NormalisePlane<X>{x.data<X>(), y.data<X>(), centre, factor, shift, planes.shape});
}

template <class X>
Tensor input_gradient(const Kept& kept, const Tensor& x, const Tensor& weight, Tensor dy, const Tensor& sums) {
    using V = Compute<X>;
    const Planes& planes = kept.planes;
    const Device device = x.device();
    const std::int64_t count = planes.count();
    const Tensor coefficients = Tensor::empty({4, count}, weight.dtype(), device);
    V* const centre = coefficients.data<V>();
    V *const factor = centre + count, *const slope = factor + count, *const offset = slope + count;
    kernels::rows(device, kept.statistics.size(0), planes.shape.channels / planes.shape.groups,
                  kernels::GroupGradient<V>{sums.data<double>(), kept.statistics.data<double>(), weight.data<V>(),
                                            centre, factor, slope, offset, planes.shape});
    const Tensor dx = ops::reuse_or_empty(dy);
    each_element<kernels::GradientPixel<X>>(device, planes,
                                            kernels::GradientPlane<X>{x.data<X>(), dy.data<X>(), dx.data<X>(), centre,
                                                                      factor, slope, offset, planes.shape});
    return dx;
}

Grads norm_backward(const Kept& kept, Tensor dy, Needs needs) {
    const Tensor x = kept.x.get();
    dy = dy.to(x.layout());
    const Planes& planes = kept.planes;
    const std::int64_t channels = planes.shape.channels;
    const Tensor weight = ops::vector_or(kept.weight.get(), 1, channels, x);
    const Tensor sums = Tensor::empty({planes.count(), 2}, DType::float64, x.device());
    Grads grads(3);
    for (const std::size_t input : {1, 2})
        if (needs[input]) grads[input] = Tensor::zeros({channels}, weight.dtype(), x.device());
    if (x.numel() == 0) {
        if (needs[0]) grads[0] = Tensor::empty_like(x);
        return grads;
    }
    dispatch_activation(x.dtype(), kept.op, [&](auto zero) {
        using X = decltype(zero);
        using V = Compute<X>;
        each_plane<kernels::PlaneBlockGradients<X>>(
            x.device(), planes,
            kernels::PlaneGradients<X>{x.data<X>(), dy.data<X>(), kept.statistics.data<double>(), sums.data<double>(),
                                       planes.shape});
        if (needs[1] || needs[2]) {
            kernels::reduce_columns(x.device(), planes.images, channels,
                                    kernels::PlaneSums{sums.data<double>(), channels},
                                    kernels::StoreColumnPair<V>{needs[2] ? grads[2].data<V>() : nullptr,
                                                                needs[1] ? grads[1].data<V>() : nullptr});
        }
        if (needs[0]) grads[0] = input_gradient<X>(kept, x, weight, std::move(dy), sums);
    });
    return grads;
}

/// group_norm() of an input and a number of groups that have been checked. Checks weight, bias and epsilon.
Tensor normalised_in_groups(std::string_view op, const Tensor& x, std::int64_t groups, const Tensor& weight,
                            const Tensor& bias, double epsilon) {
    const std::int64_t channels = x.size(1);
    ops::check_norm_vector(op, x, "weight", weight, {channels});
    ops::check_norm_vector(op, x, "bias", bias, {channels});
    ops::check_epsilon(op, epsilon);
    const Tensor y = Tensor::empty_like(x);
    Kept kept{.x = Saved(x, op, "input"),
              .weight = Saved(weight, op, "weight"),
              .statistics = Tensor::empty({x.size(0) * groups, 2}, DType::float64, x.device()),
              .planes = Planes(x, groups),
              .op = op};
    if (x.numel() > 0) {
        dispatch_activation(x.dtype(), op, [&](auto zero) {
            normalise<decltype(zero)>(kept, x, ops::vector_or(weight, 1, channels, x),
                                      ops::vector_or(bias, 0, channels, x), epsilon, y);
        });
    }
    return record(
        op, y, {x, weight, bias},
        [kept = std::move(kept)](Tensor dy, Needs needs) { return norm_backward(kept, std::move(dy), needs); },
        {{"groups", groups}, {"epsilon", epsilon}});
}

void check_channels(std::string_view op, const Tensor& x) {
    ops::check_floating(op, "the input", x);
    RADIAL_CHECK(x.rank() >= 2, "{}: input is {}, expected [N, C, ...]", op, x.shape().str());
    RADIAL_CHECK(x.size(1) > 0, "{}: input {} has no channels", op, x.shape().str());
}

}  // namespace

Tensor group_norm(const Tensor& x, std::int64_t groups, const Tensor& weight, const Tensor& bias, double epsilon) {
    check_channels("group_norm", x);
    RADIAL_CHECK(groups >= 1 && x.size(1) % groups == 0, "group_norm: {} groups do not divide the {} channels of {}",
                 groups, x.size(1), x.shape().str());
    return normalised_in_groups("group_norm", x, groups, weight, bias, epsilon);
}

Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
    check_channels("instance_norm", x);
    RADIAL_CHECK(x.numel() == 0 || x.numel() / (x.size(0) * x.size(1)) > 1,
                 "instance_norm: input {} has a single value a channel and image, too few to normalise",
                 x.shape().str());
    return normalised_in_groups("instance_norm", x, x.size(1), weight, bias, epsilon);
}

}  // namespace radial
