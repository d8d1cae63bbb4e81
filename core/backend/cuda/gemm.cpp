// Matrix products by cuBLAS.
#include "radial/core/backend/cuda/gemm_arguments.h"
#include "radial/core/backend/cuda/handles.h"
#include "radial/core/backend/cuda/primitives.h"
#include "radial/core/backend/precision.h"
#include "radial/core/memory/cuda/check.h"
#include "radial/core/memory/device_runtime.h"

namespace radial::cuda {
namespace {

cudaDataType_t cublas_type(const Tensor& tensor) {
    return tensor.dtype() == DType::bfloat16 ? CUDA_R_16BF : CUDA_R_32F;
}

cublasOperation_t operation(bool transpose) { return transpose ? CUBLAS_OP_T : CUBLAS_OP_N; }

}  // namespace

void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
          const Tensor& c) {
    const auto what = [&] { return describe_product(transpose_a, transpose_b, a, b, c); };
    RADIAL_CHECK((a.dtype() == DType::float32 || a.dtype() == DType::bfloat16) && b.dtype() == a.dtype() &&
                     (c.dtype() == a.dtype() || c.dtype() == DType::float32),
                 "{}: expected operands that are both float32 or both bfloat16, and a result of their type or float32",
                 what());
    const GemmArguments g = gemm_arguments(transpose_a, transpose_b, a, b, c);
    if (g.rows == 0 || g.columns == 0) return;
    const int index = c.device().index;
    if (g.inner == 0 && beta == 0) {
        device::fill(index, c.raw(), 0, c.bytes());
        return;
    }
    const bool tf32 = a.dtype() == DType::float32 && allow_tf32();
    const auto compute = tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    const auto factor = static_cast<float>(alpha), keep = static_cast<float>(beta);
    RADIAL_CUBLAS(
        cublasGemmEx(cublas_handle(index), operation(g.transpose_first), operation(g.transpose_second), g.rows,
                     g.columns, g.inner, &factor, b.raw(), cublas_type(b), g.lead_first, a.raw(), cublas_type(a),
                     g.lead_second, &keep, c.raw(), cublas_type(c), g.lead_result, compute, CUBLAS_GEMM_DEFAULT),
        what());
}

}  // namespace radial::cuda
