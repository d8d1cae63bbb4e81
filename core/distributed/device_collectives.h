// Sums and broadcasts between the ranks' CUDA devices: by NCCL, or through the host in builds without it.
#pragma once

#include "radial/core/distributed/communicator.h"

#include <memory>

namespace radial {

/// What Communicator asks for tensors on a device. Work is ordered with the device's stream: it sees what was submitted
/// before, and what is submitted after a wait() sees its result.
class DeviceCollectives {
public:
    virtual ~DeviceCollectives() = default;
    virtual std::unique_ptr<PendingOperation> start_sum(const Tensor& x) = 0;
    virtual void broadcast(const Tensor& x, int root) = 0;
};

/// For `device` of this rank; every rank has one device of its own. `host` is the ranks' way to find each other. NCCL
/// where the build has it. Throws Error when the device cannot be used so.
std::unique_ptr<DeviceCollectives> make_device_collectives(Communicator& host, Device device);

/// Copies to the host, sums there and copies back: for builds without NCCL and for the emulated device.
std::unique_ptr<DeviceCollectives> make_staged_collectives(Communicator& host);

}  // namespace radial
