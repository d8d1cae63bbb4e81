// The CPU backends: float32 matrix products, the description of the library, and bfloat16 computed in float32.
#include "radial/core/backend/cpu/onednn_backend.h"

#include "radial/core/backend/cpu/onednn.h"
#include "radial/core/kernels/host.h"

#include <fmt/format.h>

namespace radial {
namespace {

Tensor widened(const Tensor& x) { return x.defined() ? x.to(DType::float32) : x; }

/// A float32 tensor to write to instead of `target`. finish() copies it to `target`.
class Result {
public:
    explicit Result(const Tensor& target) : target_(target), wide_(target) {
        if (target.defined() && target.dtype() != DType::float32)
            wide_ = Tensor::empty(target.shape(), DType::float32, target.device(), target.layout());
    }
    Result(const Result&) = delete;
    Result& operator=(const Result&) = delete;
    ~Result() = default;

    const Tensor& wide() const { return wide_; }
    /// Rounds the result to the type of `target`.
    void finish() const {
        if (target_.defined() && target_.dtype() != DType::float32) target_.copy_(wide_);
    }

private:
    Tensor target_, wide_;
};

}  // namespace

bool has_avx512() {
    static const bool has =
        (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & static_cast<unsigned>(dnnl::cpu_isa::avx512_core)) ==
        static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
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

void Bf16Backend::gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
                       const Tensor& c) {
    const Result result(c);
    if (beta != 0 && c.dtype() != DType::float32) result.wide().copy_(c);
    single_.gemm(transpose_a, transpose_b, alpha, widened(a), widened(b), beta, result.wide());
    result.finish();
}

void Bf16Backend::conv_forward(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry,
                               const Tensor& y) {
    const Result result(y);
    single_.conv_forward(widened(x), widened(w), widened(bias), geometry, result.wide());
    result.finish();
}

void Bf16Backend::conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                                     const Tensor& dx) {
    const Result result(dx);
    single_.conv_backward_data(widened(dy), widened(w), geometry, result.wide());
    result.finish();
}

void Bf16Backend::conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                        const Tensor& dw, const Tensor& dbias) {
    const Result weights(dw), bias(dbias);
    single_.conv_backward_weights(widened(x), widened(dy), geometry, weights.wide(), bias.wide());
    weights.finish();
    bias.finish();
}

Tensor Bf16Backend::pool_forward(PoolKind kind, const Tensor& x, const PoolGeometry& geometry, const Tensor& y,
                                 bool training) {
    const Result result(y);
    const Tensor workspace = single_.pool_forward(kind, widened(x), geometry, result.wide(), training);
    result.finish();
    return workspace;
}

void Bf16Backend::pool_backward(PoolKind kind, const Tensor& dy, const Tensor& workspace, const PoolGeometry& geometry,
                                const Tensor& dx) {
    const Result result(dx);
    single_.pool_backward(kind, widened(dy), workspace, geometry, result.wide());
    result.finish();
}

Tensor Bf16Backend::batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift,
                                       const Tensor& residual, double epsilon, Activation activation,
                                       const Tensor& mean, const Tensor& variance, const Tensor& y) {
    const Result result(y);
    const Tensor workspace = single_.batch_norm_forward(widened(x), scale, shift, widened(residual), epsilon,
                                                        activation, mean, variance, result.wide());
    result.finish();
    return workspace;
}

void Bf16Backend::batch_norm_backward(const BatchNormSaved& saved, const Tensor& dy, const BatchNormGrads& grads) {
    BatchNormSaved wide = saved;
    wide.x = widened(saved.x);
    wide.y = widened(saved.y);
    const Result dx(grads.dx), dresidual(grads.dresidual);
    single_.batch_norm_backward(
        wide, widened(dy),
        {.dx = dx.wide(), .dscale = grads.dscale, .dshift = grads.dshift, .dresidual = dresidual.wide()});
    dx.finish();
    dresidual.finish();
}

void Bf16Backend::batch_norm_apply(const Tensor& x, const Tensor& scale, const Tensor& shift, const Tensor& residual,
                                   const Tensor& mean, const Tensor& variance, double epsilon, Activation activation,
                                   const Tensor& y) {
    const Result result(y);
    single_.batch_norm_apply(widened(x), scale, shift, widened(residual), mean, variance, epsilon, activation,
                             result.wide());
    result.finish();
}

}  // namespace radial
