// Which CUDA devices the runtime finds.
#pragma once

#include <string>

namespace radial::cuda {

/// The number of CUDA devices; where it is 0, what the driver said instead.
struct Devices {
    int count = 0;
    std::string answer;
};

/// Asks the CUDA runtime. A machine without a driver is an answer, not an error.
Devices find_devices();

}  // namespace radial::cuda
