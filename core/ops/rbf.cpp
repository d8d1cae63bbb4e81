// RBF-Softmax as one op: distances by one matrix product, then kernel, softmax, loss and gradient in one pass over [N,
// C].
#include "radial/core/kernels/heads.h"
#include "radial/core/kernels/matrix.h"
#include "radial/core/ops/mixed.h"

namespace radial {
namespace {

void check(std::string_view op, const Tensor& feature, const Tensor& prototypes, double scale, double gamma) {
    ops::check_floating(op, "feature", feature);
    ops::check_weight(op, feature, "prototypes", prototypes);
    ops::check_rank(op, "feature", feature, 2, "[N, D]");
    ops::check_rank(op, "prototypes", prototypes, 2, "[C, D]");
    RADIAL_CHECK(feature.size(1) == prototypes.size(1), "{}: feature has dimension {}, prototypes expect {}", op,
                 feature.size(1), prototypes.size(1));
    RADIAL_CHECK(feature.size(0) > 0 && prototypes.size(0) > 0,
                 "{}: feature is {} and prototypes {}, expected at least one of each", op, feature.shape().str(),
                 prototypes.shape().str());
    RADIAL_CHECK(scale > 0, "{}: scale is {}, expected above 0", op, scale);
    RADIAL_CHECK(gamma > 0, "{}: gamma is {}, expected above 0", op, gamma);
}

// Squared norms of the rows.
Tensor row_norms(const Tensor& x) {
    const Tensor norms = Tensor::empty({x.size(0)}, x.dtype(), x.device());
    dispatch_floating(x.dtype(), "rbf_softmax", [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(x.device(), x.size(0), x.size(1),
                      kernels::RowNorms<T>{x.data<const T>(), norms.data<T>(), x.size(1)});
    });
    return norms;
}

// <x_i, W_j> for all pairs: [N, C].
Tensor products(const Tensor& feature, const Tensor& prototypes) {
    const Tensor result = Tensor::empty({feature.size(0), prototypes.size(0)}, feature.dtype(), feature.device());
    backend_for(feature.device(), feature.dtype()).gemm(false, true, 1.0, feature, prototypes, 0.0, result);
    return result;
}

// grad_i = upstream * sum_j pull_ij (other_j - point_i), pull [rows, columns] or its transpose. `upstream` is a scalar
// on the tensors' device, or undefined for 1.
Tensor pull_towards(const Tensor& point, const Tensor& other, const Tensor& pull, bool transposed,
                    const Tensor& upstream) {
    const Device device = point.device();
    const Tensor grad = Tensor::empty_like(point);
    backend_for(device, point.dtype()).gemm(transposed, false, 1.0, pull, other, 0.0, grad);
    const std::int64_t dim = point.size(1), rows = pull.size(0), columns = pull.size(1);
    dispatch_floating(point.dtype(), "rbf_softmax", [&](auto zero) {
        using T = decltype(zero);
        const Tensor totals = Tensor::empty({point.size(0)}, point.dtype(), device);
        const T* const a = pull.data<const T>();
        T* const sums = totals.data<T>();
        if (transposed) {
            kernels::reduce_columns(device, rows, columns, kernels::MatrixElement<T>{a, columns},
                                    kernels::StoreSum<T>{sums});
        } else {
            kernels::rows(device, rows, columns, kernels::RowSums<T>{a, sums, columns});
        }
        const T* const factor = upstream.defined() ? upstream.data<const T>() : nullptr;
        kernels::map2(device, point.size(0), dim,
                      kernels::PullTowards<T>{grad.data<T>(), sums, point.data<const T>(), factor, dim});
    });
    return grad;
}

// The gradients of feature, as `dtype`, and prototypes: dL/dx_i = sum_j A_ij (W_j - x_i), dL/dW_j = sum_i A_ij
// (x_i - W_j), times upstream.
Grads pulls(const Saved& feature, const Saved& prototypes, const Tensor& pull, const Tensor& upstream, Needs needs,
            DType dtype) {
    const Tensor x = feature.get(), w = prototypes.get();
    return {needs[0] ? pull_towards(x, w, pull, false, upstream).to(dtype) : Tensor(),
            needs[1] ? pull_towards(w, x, pull, true, upstream) : Tensor()};
}

// The loss, or a statistic, of a batch from one of the lists of each sample's.
template <class T>
Tensor mean_of(const Tensor& each, std::int64_t which) {
    const std::int64_t batch = each.size(1);
    const Tensor mean = Tensor::empty({}, each.dtype(), each.device());
    kernels::reduce(each.device(), batch, kernels::Element<T>{each.data<const T>() + which * batch},
                    1.0 / static_cast<double>(batch), mean.data<T>());
    return mean;
}

}  // namespace

Tensor rbf_softmax_loss(const Tensor& feature, const Tensor& prototypes, const Tensor& labels, double scale,
                        double gamma, RbfStatistics* statistics) {
    check("rbf_softmax_loss", feature, prototypes, scale, gamma);
    const std::int64_t batch = feature.size(0), classes = prototypes.size(0);
    ops::check_labels("rbf_softmax_loss", labels, batch, classes);
    const Tensor x = feature.to(prototypes.dtype());
    const Tensor pull = products(x, prototypes), x_norms = row_norms(x), w_norms = row_norms(prototypes);
    Tensor loss;
    dispatch_floating(x.dtype(), "rbf_softmax_loss", [&](auto zero) {
        using T = decltype(zero);
        const Tensor each = Tensor::empty({3, batch}, x.dtype(), x.device());
        T* const out = each.data<T>();
        const kernels::RbfSoftmaxRows<T> rows{.products = pull.data<T>(),
                                              .labels = labels.data<const std::int64_t>(),
                                              .x_norms = x_norms.data<const T>(),
                                              .w_norms = w_norms.data<const T>(),
                                              .losses = out,
                                              .own_distances = out + batch,
                                              .own_kernels = out + 2 * batch,
                                              .classes = classes,
                                              .scale = static_cast<T>(scale),
                                              .gamma = static_cast<T>(gamma),
                                              .weight = T{1} / static_cast<T>(batch)};
        constexpr std::int64_t cost = 16;  // two exps, in plain operations
        kernels::rows(x.device(), batch, classes, rows, cost);
        loss = mean_of<T>(each, 0);
        if (statistics != nullptr)
            *statistics = {.mean_kernel = mean_of<T>(each, 2), .mean_distance = mean_of<T>(each, 1)};
    });
    return record("rbf_softmax_loss", loss, {feature, prototypes},
                  [in = Saved(x, "rbf_softmax_loss", "feature"),
                   w = Saved(prototypes, "rbf_softmax_loss", "prototypes"), pull, dtype = feature.dtype()](
                      const Tensor& dy, Needs needs) -> Grads { return pulls(in, w, pull, dy, needs, dtype); });
}

Tensor rbf_logits(const Tensor& feature, const Tensor& prototypes, double scale, double gamma) {
    check("rbf_logits", feature, prototypes, scale, gamma);
    const Tensor x = feature.to(prototypes.dtype());
    const Tensor logits = products(x, prototypes), x_norms = row_norms(x), w_norms = row_norms(prototypes);
    const std::int64_t classes = prototypes.size(0);
    dispatch_floating(x.dtype(), "rbf_logits", [&](auto zero) {
        using T = decltype(zero);
        kernels::map2(x.device(), x.size(0), classes,
                      kernels::RbfLogits<T>{logits.data<T>(), x_norms.data<const T>(), w_norms.data<const T>(), classes,
                                            static_cast<T>(scale), static_cast<T>(gamma)});
    });
    return record(
        "rbf_logits", logits, {feature, prototypes},
        [in = Saved(x, "rbf_logits", "feature"), w = Saved(prototypes, "rbf_logits", "prototypes"),
         z = Saved(logits, "rbf_logits", "result"), gamma, dtype = feature.dtype()](Tensor dy, Needs needs) -> Grads {
            const Tensor kept = z.get(), pull = ops::reuse_or_empty(dy);
            dispatch_floating(dy.dtype(), "rbf_logits", [&](auto zero) {
                using T = decltype(zero);
                kernels::map(dy.device(), dy.numel(),
                             kernels::RbfLogitsPull<T>{kept.data<const T>(), dy.data<const T>(), pull.data<T>(),
                                                       static_cast<T>(2.0 / gamma)});
            });
            return pulls(in, w, pull, {}, needs, dtype);
        });
}

}  // namespace radial
