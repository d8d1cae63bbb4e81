// Checks after a kernel launch, and the description of a CUDA device.
#pragma once

#include <cstdint>
#include <string>

namespace radial::cuda {

/// Throws Error naming `kernel` when its launch failed.
void check_launch(const char* kernel, std::int64_t blocks);

/// One line that describes the device: "CUDA: NVIDIA H100 80GB HBM3 (sm_90, 79 GiB), driver 13.0, cuDNN 9.19.0, cuBLAS
/// 13.1".
std::string describe(int device);

}  // namespace radial::cuda
