// RBF-Softmax as one op: distances by one matrix product, then kernel, softmax, loss and gradient in one pass over [N,
// C].
#include "radial/core/kernels/heads.h"
#include "radial/core/ops/common.h"

namespace radial {
namespace {

void check(std::string_view op, const Tensor& feature, const Tensor& prototypes, double scale, double gamma) {
    ops::check_floating(op, "feature", feature);
    ops::check_alike(op, feature, "prototypes", prototypes);
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
    const std::int64_t dim = x.size(1);
    dispatch_floating(x.dtype(), "rbf_softmax", [&](auto zero) {
        using T = decltype(zero);
        const T* const in = x.data<T>();
        T* const out = norms.data<T>();
        kernels::rows(x.size(0), dim, [=](std::int64_t i) {
            T total{0};
            for (std::int64_t d = i * dim; d < (i + 1) * dim; ++d) total += in[d] * in[d];
            out[i] = total;
        });
    });
    return norms;
}

// <x_i, W_j> for all pairs: [N, C].
Tensor products(const Tensor& feature, const Tensor& prototypes) {
    const Tensor result = Tensor::empty({feature.size(0), prototypes.size(0)}, feature.dtype(), feature.device());
    backend_for(feature.device(), feature.dtype()).gemm(false, true, 1.0, feature, prototypes, 0.0, result);
    return result;
}

// grad_i = upstream * sum_j pull_ij (other_j - point_i), pull [rows, columns] or its transpose.
Tensor pull_towards(const Tensor& point, const Tensor& other, const Tensor& pull, bool transposed, double upstream) {
    const Tensor grad = Tensor::empty_like(point);
    backend_for(point.device(), point.dtype()).gemm(transposed, false, upstream, pull, other, 0.0, grad);
    const std::int64_t dim = point.size(1), columns = pull.size(1);
    dispatch_floating(point.dtype(), "rbf_softmax", [&](auto zero) {
        using T = decltype(zero);
        const Tensor totals = Tensor::empty({point.size(0)}, point.dtype(), point.device());
        const T *const a = pull.data<T>(), *const x = point.data<T>();
        T *const sums = totals.data<T>(), *const out = grad.data<T>();
        if (transposed) {
            kernels::reduce_columns(pull.size(0), columns, sums,
                                    [=](std::int64_t r, std::int64_t c) { return a[r * columns + c]; });
        } else {
            kernels::rows(pull.size(0), columns, [=](std::int64_t r) {
                T total{0};
                for (std::int64_t c = 0; c < columns; ++c) total += a[r * columns + c];
                sums[r] = total;
            });
        }
        const T factor = static_cast<T>(upstream);
        kernels::map2(point.size(0), dim,
                      [=](std::int64_t r, std::int64_t d) { out[r * dim + d] -= factor * sums[r] * x[r * dim + d]; });
    });
    return grad;
}

}  // namespace

Tensor rbf_softmax_loss(const Tensor& feature, const Tensor& prototypes, const Tensor& labels, double scale,
                        double gamma, RbfStatistics* statistics) {
    check("rbf_softmax_loss", feature, prototypes, scale, gamma);
    const std::int64_t batch = feature.size(0), classes = prototypes.size(0);
    ops::check_labels("rbf_softmax_loss", labels, batch, classes);
    const Tensor pull = products(feature, prototypes), x_norms = row_norms(feature), w_norms = row_norms(prototypes);
    const Tensor loss = Tensor::empty({}, feature.dtype(), feature.device());
    dispatch_floating(feature.dtype(), "rbf_softmax_loss", [&](auto zero) {
        using T = decltype(zero);
        const Tensor each = Tensor::empty({3, batch}, feature.dtype(), feature.device());  // loss, distance, kernel
        T *const rows = pull.data<T>(), *const out = each.data<T>();
        const T *const x2 = x_norms.data<T>(), *const w2 = w_norms.data<T>();
        const auto* const y = labels.data<std::int64_t>();
        const T s = static_cast<T>(scale), g = static_cast<T>(gamma), weight = T{1} / static_cast<T>(batch);
        kernels::rows(batch, classes * 16, [=](std::int64_t i) {
            out[i] = kernels::rbf_softmax_row(rows + i * classes, classes, y[i], x2[i], w2, s, g, weight,
                                              out + batch + i, out + 2 * batch + i);
        });
        const auto mean_of = [=](std::int64_t which) {
            return kernels::reduce(batch, [=](std::int64_t i) { return out[which * batch + i]; }) /
                   static_cast<double>(batch);
        };
        *loss.data<T>() = static_cast<T>(mean_of(0));
        if (statistics != nullptr) *statistics = {.mean_kernel = mean_of(2), .mean_distance = mean_of(1)};
    });
    return record(
        "rbf_softmax_loss", loss, {feature, prototypes},
        [x = Saved(feature, "rbf_softmax_loss", "feature"), w = Saved(prototypes, "rbf_softmax_loss", "prototypes"),
         pull](const Tensor& dy, Needs needs) -> Grads {
            // dL/dx_i = sum_j A_ij (W_j - x_i); dL/dW_j = sum_i A_ij (x_i - W_j).
            const double upstream = dy.item();
            return {needs[0] ? pull_towards(x.get(), w.get(), pull, false, upstream) : Tensor(),
                    needs[1] ? pull_towards(w.get(), x.get(), pull, true, upstream) : Tensor()};
        });
}

Tensor rbf_logits(const Tensor& feature, const Tensor& prototypes, double scale, double gamma) {
    check("rbf_logits", feature, prototypes, scale, gamma);
    const Tensor logits = products(feature, prototypes), x_norms = row_norms(feature), w_norms = row_norms(prototypes);
    const std::int64_t classes = prototypes.size(0);
    dispatch_floating(feature.dtype(), "rbf_logits", [&](auto zero) {
        using T = decltype(zero);
        T* const z = logits.data<T>();
        const T *const x2 = x_norms.data<T>(), *const w2 = w_norms.data<T>();
        const T s = static_cast<T>(scale), g = static_cast<T>(gamma);
        kernels::map2(feature.size(0), classes, [=](std::int64_t i, std::int64_t j) {
            z[i * classes + j] = s * std::exp(-kernels::squared_distance(z[i * classes + j], x2[i], w2[j]) / g);
        });
    });
    return record("rbf_logits", logits, {feature, prototypes},
                  [x = Saved(feature, "rbf_logits", "feature"), w = Saved(prototypes, "rbf_logits", "prototypes"),
                   z = Saved(logits, "rbf_logits", "result"), gamma](const Tensor& dy, Needs needs) -> Grads {
                      const Tensor pull = mul(mul(dy, z.get()), 2.0 / gamma);  // dz_j/dx = z_j * 2 (W_j - x) / gamma
                      return {needs[0] ? pull_towards(x.get(), w.get(), pull, false, 1.0) : Tensor(),
                              needs[1] ? pull_towards(w.get(), x.get(), pull, true, 1.0) : Tensor()};
                  });
}

}  // namespace radial
