// Scaled dot-product attention, computed a few heads at a time: scaled products, softmax in place, and products with v.
#include "radial/core/ops/kernels/attention.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/backend/backend.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/ops/attention.h"
#include "radial/core/ops/common.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

namespace radial {
namespace {

constexpr std::string_view op = "scaled_dot_product_attention";

/// The values saved for backward.
struct Kept {
    Saved q, k, v, mask;
    std::int64_t heads, queries, keys;
    kernels::MaskRows mask_rows;
    double scale;
    bool causal;
};

/// x [..., R, C] as [heads, R, C].
Tensor per_head(const Tensor& x, std::int64_t heads) {
    return x.to(Layout::row_major).detach().view({heads, x.size(-2), x.size(-1)});
}

/// The inputs as [heads, ...].
struct Heads {
    Tensor q, k, v, mask;
    explicit Heads(const Kept& kept)
        : q(per_head(kept.q.get(), kept.heads)),
          k(per_head(kept.k.get(), kept.heads)),
          v(per_head(kept.v.get(), kept.heads)),
          mask(kept.mask.defined() ? kept.mask.get().to(Layout::row_major) : Tensor()) {}
};

/// The number of heads processed together: enough for all cores, but few enough for their products to stay in the cache
/// of a CPU, or within a limit on memory on other devices. Depends only on the sizes and the kind of device, so that
/// results do not depend on the number of threads.
std::int64_t heads_at_once(const Kept& kept, Device device) {
    constexpr std::int64_t least = 8, cpu = std::int64_t{1} << 19, cuda = std::int64_t{1} << 26;
    const std::int64_t budget = device.kind == Device::Kind::cpu ? cpu : cuda;
    const std::int64_t size = std::max<std::int64_t>(1, kept.queries * kept.keys);
    return std::clamp(budget / size, std::min(least, kept.heads), std::max<std::int64_t>(1, kept.heads));
}

/// The type of products and probabilities: float32 for bfloat16 inputs, else the type of the inputs.
DType score_type(const Tensor& q) { return q.dtype() == DType::bfloat16 ? DType::float32 : q.dtype(); }

/// Writes the probabilities of heads [begin, end) to `scores`.
void probabilities(const Kept& kept, const Heads& in, std::int64_t begin, std::int64_t end, const Tensor& scores) {
    Backend& backend = backend_for(in.q.device(), in.q.dtype());
    backend.batched_gemm(false, true, kept.scale, in.q.rows(begin, end), in.k.rows(begin, end), 0.0, scores);
    const auto soften = [&](auto zero, auto mask_zero) {
        using T = decltype(zero);
        using M = decltype(mask_zero);
        kernels::rows(
            scores.device(), (end - begin) * kept.queries, kept.keys,
            kernels::AttentionRow<T, M>{scores.data<T>(), in.mask.defined() ? in.mask.data<M>() : nullptr,
                                        kept.mask_rows, begin * kept.queries, kept.queries, kept.keys, kept.causal},
            8);
    };
    dispatch_floating(scores.dtype(), op, [&](auto zero) {
        if (in.mask.defined() && in.mask.dtype() == DType::uint8) return soften(zero, std::uint8_t{});
        if (in.mask.defined() && in.mask.dtype() == DType::bfloat16) return soften(zero, bfloat16{});
        soften(zero, zero);
    });
}

/// Replaces dp, the gradient of the probabilities p, by the gradient of the masked products.
void softmax_gradient(const Tensor& p, const Tensor& dp) {
    dispatch_floating(p.dtype(), op, [&](auto zero) {
        using T = decltype(zero);
        kernels::rows(p.device(), p.size(0) * p.size(1), p.size(2),
                      kernels::AttentionGradientRow<T>{p.data<T>(), dp.data<T>(), p.size(2)}, 4);
    });
}

/// Calls f(begin, end) for all heads, `step` at a time.
template <class F>
void for_heads(std::int64_t heads, std::int64_t step, const F& f) {
    for (std::int64_t begin = 0; begin < heads; begin += step) f(begin, std::min(heads, begin + step));
}

Grads attention_backward(const Kept& kept, const Tensor& dy, Needs needs) {
    const NoGrad guard;
    const Heads in(kept);
    const Device device = in.q.device();
    const DType dtype = in.q.dtype(), wide = score_type(in.q);
    Backend& backend = backend_for(device, dtype);
    const Tensor dout = per_head(dy, kept.heads);
    const auto grad_of = [&](const Tensor& x, bool wanted) { return wanted ? Tensor::empty_like(x) : Tensor(); };
    const Tensor dq = grad_of(in.q, needs[0]), dk = grad_of(in.k, needs[1]), dv = grad_of(in.v, needs[2]);
    const std::int64_t step = heads_at_once(kept, device);
    const Tensor p_all = Tensor::empty({std::min(step, kept.heads), kept.queries, kept.keys}, wide, device);
    // The gradients of the masked products. Those of all heads are kept only if the mask needs a gradient.
    const Tensor ds_all =
        needs[3] ? Tensor::empty({kept.heads, kept.queries, kept.keys}, wide, device) : Tensor::empty_like(p_all);
    for_heads(kept.heads, step, [&](std::int64_t begin, std::int64_t end) {
        const Tensor p = p_all.rows(0, end - begin), g = dout.rows(begin, end);
        const Tensor ds = needs[3] ? ds_all.rows(begin, end) : ds_all.rows(0, end - begin);
        probabilities(kept, in, begin, end, p);
        if (needs[2]) backend.batched_gemm(true, false, 1.0, p.to(dtype), g, 0.0, dv.rows(begin, end));
        if (!needs[0] && !needs[1] && !needs[3]) return;
        backend.batched_gemm(false, true, 1.0, g, in.v.rows(begin, end), 0.0, ds);
        softmax_gradient(p, ds);
        const Tensor pull = ds.to(dtype);
        if (needs[0])
            backend.batched_gemm(false, false, kept.scale, pull, in.k.rows(begin, end), 0.0, dq.rows(begin, end));
        if (needs[1])
            backend.batched_gemm(true, false, kept.scale, pull, in.q.rows(begin, end), 0.0, dk.rows(begin, end));
    });
    Grads grads(4);
    const std::pair<const Saved*, const Tensor*> results[] = {{&kept.q, &dq}, {&kept.k, &dk}, {&kept.v, &dv}};
    for (std::size_t i = 0; i < 3; ++i)
        if (needs[i]) grads[i] = results[i].second->view(results[i].first->get().shape());
    if (needs[3]) {
        Shape full = kept.q.get().shape();
        full[full.rank() - 1] = kept.keys;
        grads[3] = ops::sum_to(ds_all.view(full), kept.mask.get().shape()).to(kept.mask.get().dtype());
    }
    return grads;
}

/// Throws Error unless the shapes, dtypes and devices of q, k and v fit each other.
void check(const Tensor& q, const Tensor& k, const Tensor& v) {
    ops::check_floating(op, "q", q);
    ops::check_alike(op, q, "k", k);
    ops::check_alike(op, q, "v", v);
    const auto shapes = [&] {
        return fmt::format("{}: q is {}, k is {}, v is {}", op, q.shape().str(), k.shape().str(), v.shape().str());
    };
    const int rank = q.rank();
    RADIAL_CHECK(rank >= 2 && k.rank() == rank && v.rank() == rank,
                 "{}, expected [..., L, D], [..., S, D], [..., S, E]", shapes());
    bool equal = true;
    for (int d = 0; d < rank - 2; ++d) equal = equal && q.size(d) == k.size(d) && q.size(d) == v.size(d);
    RADIAL_CHECK(equal && q.size(-1) == k.size(-1) && k.size(-2) == v.size(-2),
                 "{}, expected [..., L, D], [..., S, D], [..., S, E]", shapes());
}

/// Throws Error unless the mask is undefined or broadcasts to `full`.
void check_mask(const Tensor& q, const Tensor& mask, const Shape& full) {
    if (!mask.defined()) return;
    RADIAL_CHECK(mask.dtype() == q.dtype() || mask.dtype() == DType::uint8, "{}: mask is {}, expected {} or uint8", op,
                 mask.str(), name_of(q.dtype()));
    ops::check_device(op, q, "mask", mask);
    RADIAL_CHECK(ops::broadcast_shape(op, mask.shape(), full) == full, "{}: mask is {}, expected it to broadcast to {}",
                 op, mask.shape().str(), full.str());
}

/// The rows of a mask that is broadcast to `full`, which is not empty.
kernels::MaskRows rows_of(const Tensor& mask, const Shape& full) {
    const auto without_last = [](const Shape& s) {
        return Shape(std::span(s.begin(), s.rank() > 0 ? s.end() - 1 : s.end()));
    };
    return {ops::stretch(without_last(mask.shape()), without_last(full), Layout::row_major),
            mask.rank() > 0 ? mask.size(-1) : 1};
}

}  // namespace

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask,
                                    const AttentionOptions& options) {
    check(q, k, v);
    Shape scores = q.shape(), shape = q.shape();
    scores[q.rank() - 1] = k.size(-2);
    shape[q.rank() - 1] = v.size(-1);
    check_mask(q, mask, scores);
    std::int64_t heads = 1;
    for (int d = 0; d < q.rank() - 2; ++d) heads *= q.size(d);
    const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
    Kept kept{.q = Saved(q, op, "q"),
              .k = Saved(k, op, "k"),
              .v = Saved(v, op, "v"),
              .mask = Saved(mask, op, "mask"),
              .heads = heads,
              .queries = q.size(-2),
              .keys = k.size(-2),
              .mask_rows = {},
              .scale = scale,
              .causal = options.causal};
    if (mask.defined() && scores.numel() > 0) kept.mask_rows = rows_of(mask, scores);
    const Heads in(kept);
    const Tensor y = Tensor::empty({heads, kept.queries, v.size(-1)}, q.dtype(), q.device());
    const std::int64_t step = heads_at_once(kept, q.device());
    const Tensor p_all = Tensor::empty({std::min(step, heads), kept.queries, kept.keys}, score_type(q), q.device());
    for_heads(heads, step, [&](std::int64_t begin, std::int64_t end) {
        const Tensor p = p_all.rows(0, end - begin);
        probabilities(kept, in, begin, end, p);
        backend_for(q.device(), q.dtype())
            .batched_gemm(false, false, 1.0, p.to(q.dtype()), in.v.rows(begin, end), 0.0, y.rows(begin, end));
    });
    return record(
        op, y.view(shape), {q, k, v, mask},
        [kept = std::move(kept)](const Tensor& dy, Needs needs) { return attention_backward(kept, dy, needs); },
        {{"causal", options.causal}, {"scale", scale}});
}

}  // namespace radial
