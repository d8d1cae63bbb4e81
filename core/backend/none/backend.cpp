// A build without CUDA has no backend for CUDA devices.
#include "radial/core/backend/device_backend.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/util/error.h"

namespace radial {

const bool kernels::sources_that_launch_need_no_nvcc = true;

Backend& device_backend(Device device, DType) { throw Error(device::unavailable(device.index)); }

}  // namespace radial
