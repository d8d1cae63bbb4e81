// The state that the layers of a growing image share, and a batch norm of its first channels.
#pragma once

#include "radial/core/autograd/autograd.h"
#include "radial/core/backend/cpu/onednn_backend.h"
#include "radial/layers/dense/bottleneck.h"
#include "radial/layers/dense/growing_image.h"
#include "radial/layers/dense/kernels.h"

#include <cmath>

namespace radial {
namespace growing {

using dense_kernels::Bottleneck;
using dense_kernels::Columns;
using dense_kernels::Lines;
using Floats = std::vector<float>;

inline constexpr ConvGeometry same_3x3{.pad_h = 1, .pad_w = 1};

inline Backend& backend(DType type = DType::float32) { return backend_for({}, type); }

/// An uninitialised image with the shape `like`, but with `channels` channels.
inline Tensor image(const Shape& like, std::int64_t channels, DType type = DType::float32) {
    return Tensor::empty({like[0], channels, like[2], like[3]}, type, {}, Layout::channels_last);
}

/// Calls f(T{}), where T is float or bfloat16.
template <class F>
auto with_type(DType type, const F& f) {
    if (type == DType::bfloat16) return f(bfloat16{});
    return f(float{});
}

inline Floats values_of(const Tensor& vector) {
    const auto values = vector.values<float>();
    return {values.begin(), values.end()};
}

/// Updates the running statistics with the mean and the biased variance of a batch of `rows` values per channel.
inline void move_running(const NormTensors& norm, const Floats& mean, const Floats& variance, double rows) {
    if (recomputing()) return;
    const double keep = 1 - norm.momentum, unbiased = norm.momentum * rows / (rows - 1);
    const auto means = norm.running_mean.values<float>(), variances = norm.running_variance.values<float>();
    for (std::size_t c = 0; c < means.size(); ++c) {
        means[c] = static_cast<float>(keep * means[c] + norm.momentum * mean[c]);
        variances[c] = static_cast<float>(keep * variances[c] + unbiased * variance[c]);
    }
    norm.running_mean.bump_version();
    norm.running_variance.bump_version();
}

/// A batch norm of the first channels, with given statistics. The arrays are padded with zeros to a multiple of the
/// length of the processor's vectors.
struct Normaliser {
    Floats mean, factor, shift, inverse;  ///< inverse: 1 / std

    Normaliser(const NormTensors& norm, const Floats& means, const Floats& variances) {
        const auto scales = norm.scale.values<float>();
        mean.assign(means.begin(), means.begin() + static_cast<std::ptrdiff_t>(scales.size()));
        shift = values_of(norm.shift);
        for (std::size_t c = 0; c < scales.size(); ++c) {
            const double one = 1 / std::sqrt(static_cast<double>(variances[c]) + norm.epsilon);
            inverse.push_back(static_cast<float>(one));
            factor.push_back(static_cast<float>(one * static_cast<double>(scales[c])));
        }
        const auto padded = static_cast<std::size_t>(small_products::whole_vectors(norm.scale.numel()));
        for (Floats* vector : {&mean, &factor, &shift, &inverse}) vector->resize(padded);
    }
    dense_kernels::Affine affine() const { return {mean.data(), factor.data(), shift.data()}; }
};

}  // namespace growing

/// The state that the layers of a growing image share.
struct GrowingImage::State {
    Tensor buffer;  ///< [N, all channels, H, W], channels-last, float32 or bfloat16
    std::int64_t filled = 0;
    bool training = true;
    growing::Floats mean, variance;   ///< statistics of the channels so far, in training
    growing::Floats constant, slope;  ///< deferred terms of the gradient: see Owed
    std::int64_t capacity() const { return buffer.size(1); }
    std::int64_t images() const { return buffer.size(0); }
    std::int64_t pixels() const { return buffer.size(2) * buffer.size(3); }
    std::int64_t rows() const { return images() * pixels(); }

    /// The first `count` channels of the pixels from index `row` on.
    template <class T>
    dense_kernels::Columns<const T> columns(std::int64_t row, std::int64_t count) const {
        return {buffer.data<T>() + row * capacity(), capacity(), count};
    }
    dense_kernels::Owed owed() const { return {constant.data(), slope.data(), mean.data()}; }

    /// Appends x [N, C, H, W], of the buffer's type, as the next channels.
    void append(const Tensor& x) {
        const std::int64_t channels = x.size(1);
        growing::with_type(x.dtype(), [&]<class T>(T) {
            const dense_kernels::Columns<T> out{buffer.data<T>(), capacity(), channels};
            dense_kernels::copy<T>({x.data<T>(), channels, channels}, rows(), out, filled);
        });
        filled += channels;
        if (!training) return;
        const Tensor means = Tensor::empty({channels}, DType::float32, {}), variances = Tensor::empty_like(means);
        channel_statistics(x, means, variances);
        const auto add = [](growing::Floats& all, const Tensor& more) {
            const auto values = more.values<float>();
            all.insert(all.end(), values.begin(), values.end());
        };
        add(mean, means);
        add(variance, variances);
        constant.resize(mean.size());
        slope.resize(mean.size());
    }

    /// Calls body(first image, one past the last) for successive groups of images whose first `channels` channels fit
    /// into the cache.
    template <class Body>
    void each_part(std::int64_t channels, const Body& body) const {
        constexpr std::int64_t cache = 1 << 20;  // floats
        const std::int64_t part = std::clamp<std::int64_t>(cache / (channels * pixels()), 1, images());
        for (std::int64_t first = 0; first < images(); first += part) body(first, std::min(images(), first + part));
    }
};

}  // namespace radial
