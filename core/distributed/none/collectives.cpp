// Collectives for device tensors in builds without NCCL.
#include "radial/core/distributed/device_collectives.h"

namespace radial {

std::unique_ptr<DeviceCollectives> make_device_collectives(Communicator& host, Device) {
    return make_staged_collectives(host);
}

}  // namespace radial
