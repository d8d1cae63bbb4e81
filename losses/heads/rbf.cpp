// RBF-Softmax: the link from distances to kernels, the statistics of the loss, and its logits.
#include "radial/losses/functional.h"
#include "radial/losses/heads/head.h"

namespace radial {
namespace {

using namespace ops;

/// -1 / gamma, with gamma multiplied by its factor.
template <class T>
struct Rates {
    const T* factors;
    T* rates;
    T gamma;
    RADIAL_HD void operator()(std::int64_t i) const { rates[i] = -1 / (gamma * factors[i]); }
};

/// The kernel K of each sample's own class, from the distance to it.
template <class T>
struct OwnKernel {
    const T* distances;
    const std::int64_t* labels;
    const T* rates;  ///< [C], [1], or null for plain_rate
    std::int64_t rate_step, classes;
    T plain_rate;
    RADIAL_HD double operator()(std::int64_t i) const {
        if (!kernels::is_class(labels[i], classes)) return kernels::not_a_number<double>;
        const T rate = rates == nullptr ? plain_rate : rates[labels[i] * rate_step];
        return static_cast<double>(kernels::exponential(distances[i] * rate));
    }
};

struct RbfMaker {
    static constexpr bool per_class_is_factor = true;
    double scale, gamma, margin;
    bool per_class;
    Tensor rates;  ///< -1 / gamma, one per class or one for all; undefined without a factor of gamma

    template <class T, class F>
    void with(const LinkTensors& tensors, const F& f) const {
        const T s = static_cast<T>(scale), m = static_cast<T>(margin), rate = static_cast<T>(-1 / gamma);
        const T *const factor = data_or_null<T>(tensors.scale_factor), *const all = data_or_null<T>(rates);
        if (per_class) {
            f(kernels::RbfLink<T, true>{s, m, rate, factor, all});
        } else {
            f(kernels::RbfLink<T, false>{s, m, rate, factor, all});
        }
    }
};

void check_kernel(std::string_view op, double scale, double gamma) {
    RADIAL_CHECK(scale > 0, "{}: scale is {}, expected above 0", op, scale);
    RADIAL_CHECK(gamma > 0, "{}: gamma is {}, expected above 0", op, gamma);
}

void measure(const HeadInputs& in, const HeadState& state, const RbfMaker& maker, RbfStatistics& statistics) {
    const Device device = in.device();
    const double factor = 1.0 / static_cast<double>(in.batch());
    statistics = {.mean_kernel = Tensor::empty({}, in.dtype(), device),
                  .mean_distance = Tensor::empty({}, in.dtype(), device)};
    dispatch_floating(in.dtype(), "rbf_softmax_loss", [&](auto zero) {
        using T = decltype(zero);
        const T* const distances = state.own.data<const T>();
        kernels::reduce(device, in.batch(),
                        OwnKernel<T>{distances, in.labels.data<const std::int64_t>(), data_or_null<T>(maker.rates),
                                     maker.per_class ? 1 : 0, in.count(), static_cast<T>(-1 / maker.gamma)},
                        factor, statistics.mean_kernel.data<T>());
        kernels::reduce(device, in.batch(), kernels::Element<T>{distances}, factor, statistics.mean_distance.data<T>());
    });
}

}  // namespace

Tensor rbf_softmax_loss(const Tensor& feature, const Tensor& prototypes, const Tensor& labels, const RbfKernel& kernel,
                        const HeadOptions& options, RbfStatistics* statistics) {
    constexpr std::string_view op = "rbf_softmax_loss";
    check_head_inputs(op, feature, "prototypes", prototypes);
    const std::int64_t batch = feature.size(0), classes = prototypes.size(0);
    check_kernel(op, kernel.scale, kernel.gamma);
    check_labels(op, labels, batch, classes);
    check_head_options(op, options, classes, prototypes);
    check_head_vector(op, "scale_factor", kernel.scale_factor, 1, prototypes);
    const bool per_class = kernel.gamma_factor.defined() && kernel.gamma_factor.numel() != 1;
    check_head_vector(op, "gamma_factor", kernel.gamma_factor, per_class ? classes : 1, prototypes);

    RbfMaker maker{kernel.scale, kernel.gamma, kernel.margin, per_class, {}};
    if (kernel.gamma_factor.defined()) {
        maker.rates = Tensor::empty_like(kernel.gamma_factor);
        dispatch_floating(prototypes.dtype(), op, [&](auto zero) {
            using T = decltype(zero);
            kernels::map(
                prototypes.device(), maker.rates.numel(),
                Rates<T>{kernel.gamma_factor.data<const T>(), maker.rates.data<T>(), static_cast<T>(kernel.gamma)});
        });
    }
    const HeadInputs in{feature.to(prototypes.dtype()), prototypes, labels, options};
    HeadState state;
    const Tensor loss = head_op<kernels::SquaredDistance>(
        "rbf_softmax_loss", in, feature, {kernel.scale_factor, kernel.gamma_factor, {}}, maker, &state);
    if (statistics != nullptr) measure(in, state, maker, *statistics);
    return loss;
}

Tensor rbf_logits(const Tensor& feature, const Tensor& prototypes, double scale, double gamma) {
    check_head_inputs("rbf_logits", feature, "prototypes", prototypes);
    check_kernel("rbf_logits", scale, gamma);
    return scale * exp(squared_distances(cast(feature, prototypes.dtype()), prototypes) * (-1.0 / gamma));
}

}  // namespace radial
