// float32 on the CPU: matrix products, and what the library says of itself.
#include "radial/core/backend/cpu/onednn_backend.h"

#include "radial/core/backend/cpu/onednn.h"
#include "radial/core/kernels/host.h"

#include <fmt/format.h>

namespace radial {

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
                return "best instruction set found";
        }
    }();
    return fmt::format("oneDNN {}.{}.{} ({})", version->major, version->minor, version->patch, isa);
}

void OneDnnBackend::gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b,
                         double beta, const Tensor& c) {
    const std::int64_t m = c.size(0), n = c.size(1), k = a.size(transpose_a ? 0 : 1);
    if (m == 0 || n == 0) return;
    if (k == 0) {  // oneDNN takes no empty sums
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

}  // namespace radial
