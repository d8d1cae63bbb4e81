// The backend of a CUDA device: cuBLAS for matrix products, cuDNN for convolutions (conv.cpp) and our own kernels for
// the rest. Also creates the handles of both libraries.
#include "radial/core/backend/backend.h"
#include "radial/core/backend/cuda/arguments.h"
#include "radial/core/backend/cuda/primitives.h"
#include "radial/core/backend/device_backend.h"
#include "radial/core/memory/cuda/check.h"
#include "radial/core/memory/cuda/stream.h"
#include "radial/core/memory/device_runtime.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <array>
#include <memory>
#include <mutex>

namespace radial::cuda {
namespace {

constexpr std::size_t max_devices = 16;                                // as many as can have a stream
constexpr std::size_t cublas_workspace_bytes = std::size_t{32} << 20;  // the size that cuBLAS recommends on Hopper

/// One handle per device. Handles are plain values that are never destroyed, because at process exit the driver may be
/// unloaded before static objects are destroyed.
template <class Handle>
struct PerDevice {
    std::mutex mutex;
    std::array<Handle, max_devices> handles{};

    template <class Make>
    Handle get(int device, const Make& make) {
        RADIAL_CHECK(device >= 0 && static_cast<std::size_t>(device) < max_devices,
                     "cuda:{} is out of range, expected 0 to {}", device, max_devices - 1);
        static_cast<void>(stream_of(device));  // makes the device the current one of this thread
        const std::lock_guard lock(mutex);
        Handle& handle = handles[static_cast<std::size_t>(device)];
        if (handle == nullptr) handle = make();
        return handle;
    }
};

cublasHandle_t make_cublas(int device) {
    const auto what = [&] { return fmt::format("cuBLAS on cuda:{}", device); };
    cublasHandle_t handle = nullptr;
    RADIAL_CUBLAS(cublasCreate(&handle), what());
    // The order matters: setting the stream resets the workspace.
    RADIAL_CUBLAS(cublasSetStream(handle, stream_of(device)), what());
    void* workspace = nullptr;
    RADIAL_CUDA(cudaMalloc(&workspace, cublas_workspace_bytes));
    RADIAL_CUBLAS(cublasSetWorkspace(handle, workspace, cublas_workspace_bytes), what());
    // float32 products use TF32 only if their compute type requests it. bfloat16 products are accumulated in float32
    // throughout.
    RADIAL_CUBLAS(cublasSetMathMode(handle, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION), what());
    return handle;
}

cudnnHandle_t make_cudnn(int device) {
    const auto what = [&] { return fmt::format("cuDNN on cuda:{}", device); };
    cudnnHandle_t handle = nullptr;
    RADIAL_CUDNN(cudnnCreate(&handle), what());
    RADIAL_CUDNN(cudnnSetStream(handle, stream_of(device)), what());
    return handle;
}

int cublas_property(libraryPropertyType type) {
    int value = 0;
    RADIAL_CUBLAS(cublasGetProperty(type, &value), "cuBLAS's version");
    return value;
}

cudaDataType_t cublas_type(const Tensor& tensor) {
    return tensor.dtype() == DType::bfloat16 ? CUDA_R_16BF : CUDA_R_32F;
}

cublasOperation_t operation(bool transpose) { return transpose ? CUBLAS_OP_T : CUBLAS_OP_N; }

}  // namespace

cublasHandle_t cublas_handle(int device) {
    static PerDevice<cublasHandle_t> handles;
    return handles.get(device, [&] { return make_cublas(device); });
}

cudnnHandle_t cudnn_handle(int device) {
    static PerDevice<cudnnHandle_t> handles;
    return handles.get(device, [&] { return make_cudnn(device); });
}

std::string describe(int device) {
    cudaDeviceProp properties{};
    RADIAL_CUDA(cudaGetDeviceProperties(&properties, device));
    int driver = 0;
    RADIAL_CUDA(cudaDriverGetVersion(&driver));
    const std::size_t cudnn = cudnnGetVersion();  // 91900 for 9.19.0
    return fmt::format("CUDA: {} (sm_{}{}, {} GiB), driver {}.{}, cuDNN {}.{}.{}, cuBLAS {}.{}", properties.name,
                       properties.major, properties.minor, properties.totalGlobalMem >> 30, driver / 1000,
                       driver % 1000 / 10, cudnn / 10000, cudnn / 100 % 100, cudnn % 100,
                       cublas_property(MAJOR_VERSION), cublas_property(MINOR_VERSION));
}

namespace {

/// c = alpha * op(a) op(b) + beta * c for `batch` triples of matrices. `a`, `b` and `c` are the first triple; the other
/// matrices follow them in memory.
void multiply(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
              const Tensor& c, std::int64_t batch) {
    const auto what = [&] { return describe_product(transpose_a, transpose_b, a, b, c); };
    RADIAL_CHECK((a.dtype() == DType::float32 || a.dtype() == DType::bfloat16) && b.dtype() == a.dtype() &&
                     (c.dtype() == a.dtype() || c.dtype() == DType::float32),
                 "{}: expected operands that are both float32 or both bfloat16, and a result of their type or float32",
                 what());
    const GemmArguments g = gemm_arguments(transpose_a, transpose_b, a, b, c);
    if (g.rows == 0 || g.columns == 0) return;
    const int index = c.device().index;
    if (g.inner == 0 && beta == 0) {
        device::fill(index, c.raw(), 0, c.bytes() * static_cast<std::size_t>(batch));
        return;
    }
    const bool tf32 = a.dtype() == DType::float32 && allow_tf32();
    const auto compute = tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
    const auto factor = static_cast<float>(alpha), keep = static_cast<float>(beta);
    if (batch == 1) {
        RADIAL_CUBLAS(
            cublasGemmEx(cublas_handle(index), operation(g.transpose_first), operation(g.transpose_second), g.rows,
                         g.columns, g.inner, &factor, b.raw(), cublas_type(b), g.lead_first, a.raw(), cublas_type(a),
                         g.lead_second, &keep, c.raw(), cublas_type(c), g.lead_result, compute, CUBLAS_GEMM_DEFAULT),
            what());
        return;
    }
    RADIAL_CUBLAS(cublasGemmStridedBatchedEx(cublas_handle(index), operation(g.transpose_first),
                                             operation(g.transpose_second), g.rows, g.columns, g.inner, &factor,
                                             b.raw(), cublas_type(b), g.lead_first, b.numel(), a.raw(), cublas_type(a),
                                             g.lead_second, a.numel(), &keep, c.raw(), cublas_type(c), g.lead_result,
                                             c.numel(), static_cast<int>(batch), compute, CUBLAS_GEMM_DEFAULT),
                  what());
}

}  // namespace

void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
          const Tensor& c) {
    multiply(transpose_a, transpose_b, alpha, a, b, beta, c, 1);
}

void batched_gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
                  const Tensor& c) {
    if (c.size(0) == 0) return;
    const auto first = [](const Tensor& batch) { return batch.rows(0, 1).view({batch.size(1), batch.size(2)}); };
    multiply(transpose_a, transpose_b, alpha, first(a), first(b), beta, first(c), c.size(0));
}

}  // namespace radial::cuda

namespace radial {
namespace {

class CudaBackend : public DeviceBackend {
public:
    explicit CudaBackend(int index) : index_(index) {}

    std::string describe() const override { return cuda::describe(index_); }

    void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
              const Tensor& c) override {
        cuda::gemm(transpose_a, transpose_b, alpha, a, b, beta, c);
    }
    void batched_gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
                      const Tensor& c) override {
        cuda::batched_gemm(transpose_a, transpose_b, alpha, a, b, beta, c);
    }
    void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                            const Tensor& dx) override {
        cuda::conv_backward_data(dy, w, geometry, dx);
    }

protected:
    void convolve(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y) override {
        cuda::conv_forward(x, w, geometry, y);
    }
    void convolve_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                   const Tensor& dw) override {
        cuda::conv_backward_weights(x, dy, geometry, dw);
    }

private:
    int index_;
};

}  // namespace

// One backend for all types, because the libraries take the type from the tensors.
Backend& device_backend(Device device, DType) {
    constexpr std::size_t most_devices = 16;
    static std::mutex mutex;
    static std::array<std::unique_ptr<CudaBackend>, most_devices> backends;
    const std::lock_guard lock(mutex);
    auto& backend = backends.at(static_cast<std::size_t>(device.index));
    if (backend == nullptr) backend = std::make_unique<CudaBackend>(device.index);
    return *backend;
}

}  // namespace radial
