// A convolution's bias on [rows, channels], a thread for N neighbouring channels of a row.
#pragma once

#include "radial/core/backend/kernels/pack.h"

namespace radial::kernels {

/// y += bias. B is the type of the bias.
template <class X, class B, int N>
struct AddBias {
    X* y;
    const B* bias;
    std::int64_t channels;
    RADIAL_HD void operator()(std::int64_t r, std::int64_t c) const {
        Floats<N> sum = load<N>(y + r * channels + c * N);
        for (int k = 0; k < N; ++k) sum.value[k] += convert<float>(bias[c * N + k]);
        store<N>(y + r * channels + c * N, sum);
    }
};

template <class X, int N>
struct ReadRows {
    const X* x;
    std::int64_t channels;
    RADIAL_HD Floats<N> operator()(std::int64_t r, std::int64_t c) const { return load<N>(x + r * channels + c * N); }
};
template <class B, int N>
struct StoreSums {
    B* out;
    RADIAL_HD void operator()(std::int64_t c, const Wide<Floats<N>>& total) const {
        for (int k = 0; k < N; ++k) out[c * N + k] = convert<B>(total.value[k]);
    }
};

}  // namespace radial::kernels
