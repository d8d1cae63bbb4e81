// Sums and broadcasts between the CUDA devices of the ranks, with NCCL, or through the host in builds without it.
#pragma once

#include "radial/core/distributed/communicator.h"

#include <memory>

namespace radial {

/// The operations that Communicator needs for tensors on a device. They are ordered with the device's stream: an
/// operation sees all work submitted before it, and work submitted after its wait() sees its result.
class DeviceCollectives {
public:
    virtual ~DeviceCollectives() = default;
    virtual std::unique_ptr<PendingOperation> start_sum(const Tensor& x) = 0;
    virtual void broadcast(const Tensor& x, int root) = 0;
};

/// Creates the collectives for `device` of this rank. Each rank must have its own device. The ranks find each other
/// through `host`. Uses NCCL if the build has it. Throws Error when the device cannot be used with NCCL.
std::unique_ptr<DeviceCollectives> make_device_collectives(Communicator& host, Device device);

/// Creates collectives that copy tensors to the host, sum or broadcast them there and copy the results back. For builds
/// without NCCL and for the emulated device.
std::unique_ptr<DeviceCollectives> make_staged_collectives(Communicator& host);

}  // namespace radial
