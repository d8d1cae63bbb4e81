// The CPU backends: matrix products, the description of the library, and bfloat16 pooling, which computes in float32.
#include "radial/core/backend/cpu/onednn_backend.h"

#include "radial/core/backend/cpu/onednn.h"
#include "radial/core/kernels/host.h"

#include <fmt/format.h>

#include <algorithm>

namespace radial {
namespace {

bool has_isa(dnnl::cpu_isa wanted) {
    const auto bits = static_cast<unsigned>(wanted);
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
}

/// A product of two bfloat16 matrices.
struct ProductPlan {
    dnnl::primitive primitive;
    onednn::Desc a, b, c;
};

/// Returns the plan for c = op(a) op(b) or, if `add` is set, c += op(a) op(b).
const ProductPlan& product_plan(bool transpose_a, bool transpose_b, const Tensor& a, const Tensor& b, bool add,
                                const Tensor& c) {
    static thread_local LruCache<onednn::Key, ProductPlan, onednn::KeyHash> cache(onednn::plan_capacity);
    const std::int64_t m = c.size(0), n = c.size(1), k = a.size(transpose_a ? 0 : 1);
    const std::int64_t settings[] = {m, n, k, transpose_a, transpose_b, add, static_cast<std::int64_t>(c.dtype())};
    return cache.get(onednn::make_key(0, {settings}), [&] {
        using Tag = dnnl::memory::format_tag;
        ProductPlan plan{.primitive = {},
                         .a = {{m, k}, onednn::type_of(a.dtype()), transpose_a ? Tag::ba : Tag::ab},
                         .b = {{k, n}, onednn::type_of(b.dtype()), transpose_b ? Tag::ba : Tag::ab},
                         .c = {{m, n}, onednn::type_of(c.dtype()), Tag::ab}};
        dnnl::primitive_attr attributes;
        dnnl::post_ops ops;
        if (add) ops.append_sum(1);
        attributes.set_post_ops(ops);
        plan.primitive = dnnl::matmul(onednn::matmul(onednn::cpu_engine(), plan.a, plan.b, plan.c, attributes));
        return plan;
    });
}

}  // namespace

bool has_avx512() {
    static const bool has = has_isa(dnnl::cpu_isa::avx512_core);
    return has;
}

bool has_bf16() {
    static const bool has = has_isa(dnnl::cpu_isa::avx512_core_bf16);
    return has;
}

std::string OneDnnBackend::describe() const {
    const auto* const version = dnnl_version();
    const std::string isa = [] {
        switch (dnnl::get_effective_cpu_isa()) {
            case dnnl::cpu_isa::sse41:
                return "SSE4.1";
            case dnnl::cpu_isa::avx:
                return "AVX";
            case dnnl::cpu_isa::avx2:
                return "AVX2";
            case dnnl::cpu_isa::avx2_vnni:
                return "AVX2 with VNNI";
            case dnnl::cpu_isa::avx512_core:
                return "AVX-512";
            case dnnl::cpu_isa::avx512_core_vnni:
                return "AVX-512 with VNNI";
            case dnnl::cpu_isa::avx512_core_bf16:
                return "AVX-512 with BF16";
            default:
                return "all instruction sets";
        }
    }();
#if defined(__AVX512F__)
    constexpr const char* own = "AVX-512";
#elif defined(__AVX2__)
    constexpr const char* own = "AVX2";
#elif defined(__x86_64__)
    constexpr const char* own = "SSE2";
#else
    constexpr const char* own = "any processor";
#endif
    return fmt::format("oneDNN {}.{}.{} ({}), own kernels for {}", version->major, version->minor, version->patch, isa,
                       own);
}

void OneDnnBackend::gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b,
                         double beta, const Tensor& c) {
    const std::int64_t m = c.size(0), n = c.size(1), k = a.size(transpose_a ? 0 : 1);
    if (m == 0 || n == 0) return;
    if (k == 0) {  // oneDNN does not accept empty sums
        auto* const elements = c.data<float>();
        const auto factor = static_cast<float>(beta);
        kernels::host::map(m * n, [=](std::int64_t i) { elements[i] = factor == 0 ? 0 : factor * elements[i]; });
        return;
    }
    const auto status = dnnl::sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k,
                                    static_cast<float>(alpha), a.data<float>(), a.size(1), b.data<float>(), b.size(1),
                                    static_cast<float>(beta), c.data<float>(), c.size(1));
    RADIAL_CHECK(status == dnnl::status::success, "gemm: oneDNN failed on {} x {} (status {})", a.str(), b.str(),
                 static_cast<int>(status));
}

void OneDnnBackend::batched_gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b,
                                 double beta, const Tensor& c) {
    const std::int64_t batch = c.size(0), m = c.size(1), n = c.size(2), k = a.size(transpose_a ? 1 : 2);
    // The choice depends only on the sizes, so that results do not depend on the number of threads.
    constexpr std::int64_t many = 8, large = std::int64_t{1} << 21;
    const bool one_by_one = batch == 1 || (batch < many && m * n * k >= large);
    if (one_by_one || batch == 0 || m * n * k == 0)
        return Backend::batched_gemm(transpose_a, transpose_b, alpha, a, b, beta, c);
    const auto *const left = a.data<float>(), *const right = b.data<float>();
    auto* const result = c.data<float>();
    int worst = 0;
    // Inside a parallel region, oneDNN uses one thread.
#pragma omp parallel for schedule(static) \
    reduction(max                         \
              : worst) if (batch * m * n * k >= kernels::host::parallel_threshold)
    for (std::int64_t i = 0; i < batch; ++i) {
        const int status = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k,
                                      static_cast<float>(alpha), left + i * m * k, a.size(2), right + i * k * n,
                                      b.size(2), static_cast<float>(beta), result + i * m * n, n);
        worst = std::max(worst, status);
    }
    RADIAL_CHECK(worst == 0, "batched gemm: oneDNN failed on {} x {} (status {})", a.str(), b.str(), worst);
}

void Bf16Backend::gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
                       const Tensor& c) {
    const bool empty = c.numel() == 0 || a.numel() == 0;
    if (has_bf16() && alpha == 1 && (beta == 0 || beta == 1) && !empty) {
        const ProductPlan& plan = product_plan(transpose_a, transpose_b, a, b, beta == 1, c);
        onednn::execute(plan.primitive,
                        {{DNNL_ARG_SRC, onednn::bind(a, plan.a)},
                         {DNNL_ARG_WEIGHTS, onednn::bind(b, plan.b)},
                         {DNNL_ARG_DST, onednn::bind(c, plan.c)}},
                        "matmul");
        return;
    }
    const Rounded result(c);
    if (beta != 0 && c.dtype() != DType::float32) result.wide().copy_(c);
    OneDnnBackend::gemm(transpose_a, transpose_b, alpha, widened(a), widened(b), beta, result.wide());
    result.finish();
}

void Bf16Backend::batched_gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b,
                               double beta, const Tensor& c) {
    if (has_bf16()) return Backend::batched_gemm(transpose_a, transpose_b, alpha, a, b, beta, c);
    const Rounded result(c);
    if (beta != 0 && c.dtype() != DType::float32) result.wide().copy_(c);
    OneDnnBackend::batched_gemm(transpose_a, transpose_b, alpha, widened(a), widened(b), beta, result.wide());
    result.finish();
}

Tensor Bf16Backend::pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                 bool training) {
    const Rounded result(y);
    const Tensor workspace = OneDnnBackend::pool_forward(kind, widened(x), geometry, result.wide(), training);
    result.finish();
    return workspace;
}

void Bf16Backend::pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace, const PoolGeometry& geometry,
                                const Tensor& dx) {
    const Rounded result(dx);
    OneDnnBackend::pool_backward(kind, widened(dy), workspace, geometry, result.wide());
    result.finish();
}

}  // namespace radial
