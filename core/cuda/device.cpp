// Asks the CUDA runtime for devices, and words why none can be used.
#include "radial/core/cuda/device.h"

#include "radial/core/cuda_device.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

namespace radial {
namespace {

/// What the runtime says of `code`, which it would otherwise report a second time, at the next launch.
std::string take_error(cudaError_t code) {
    static_cast<void>(cudaGetLastError());
    return cudaGetErrorString(code);
}

}  // namespace

cuda::Devices cuda::find_devices() {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code != cudaSuccess) return {0, take_error(code)};
    return {count, count == 0 ? "the driver lists none" : ""};
}

bool built_with_cuda() { return true; }

std::string cuda_unavailable(int index) {
    const cuda::Devices devices = cuda::find_devices();
    std::string answer = devices.answer;
    if (devices.count > 0 && index >= devices.count) {
        answer = fmt::format("the driver lists {}, numbered from 0", devices.count);
    } else if (devices.count > 0) {
        cudaDeviceProp properties{};
        const cudaError_t code = cudaGetDeviceProperties(&properties, index);
        if (code == cudaSuccess) {
            return fmt::format(
                "CUDA device {} ({}) found, but this version of Radial runs ops on the CPU only (asked for cuda:{})",
                index, properties.name, index);
        }
        answer = take_error(code);
    }
    return fmt::format("no CUDA device: {} (asked for cuda:{})", answer, index);
}

}  // namespace radial
