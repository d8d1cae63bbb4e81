// A build without CUDA has no backend for its devices.
#include "radial/core/device_backend.h"
#include "radial/core/error.h"

namespace radial {

Backend& device_backend(Device device, DType) { throw Error(device::unavailable(device.index)); }

}  // namespace radial
