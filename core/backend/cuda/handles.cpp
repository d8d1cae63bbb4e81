// Makes the cuBLAS and cuDNN handles, and says which device and libraries they stand for.
#include "radial/core/backend/cuda/handles.h"

#include "radial/core/memory/cuda/check.h"
#include "radial/core/memory/cuda/stream.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <array>
#include <mutex>

namespace radial::cuda {
namespace {

constexpr std::size_t max_devices = 16;                                // as many as have a stream
constexpr std::size_t cublas_workspace_bytes = std::size_t{32} << 20;  // what cuBLAS asks for on Hopper

/// Plain values, never destroyed: when a process ends, the driver may be gone before its static objects are.
template <class Handle>
struct PerDevice {
    std::mutex mutex;
    std::array<Handle, max_devices> handles{};

    template <class Make>
    Handle get(int device, const Make& make) {
        RADIAL_CHECK(device >= 0 && static_cast<std::size_t>(device) < max_devices,
                     "cuda:{} is out of range, expected 0 to {}", device, max_devices - 1);
        static_cast<void>(stream_of(device));  // makes the device this thread's current one
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
    // In this order: setting the stream takes a workspace away.
    RADIAL_CUBLAS(cublasSetStream(handle, stream_of(device)), what());
    void* workspace = nullptr;
    RADIAL_CUDA(cudaMalloc(&workspace, cublas_workspace_bytes));
    RADIAL_CUBLAS(cublasSetWorkspace(handle, workspace, cublas_workspace_bytes), what());
    // float32 without TF32, which a product asks for by its compute type; bfloat16 summed in float32 throughout.
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

}  // namespace radial::cuda
