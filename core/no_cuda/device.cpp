// The answers of a build without CUDA.
#include "radial/core/cuda_device.h"

#include <fmt/format.h>

namespace radial {

bool built_with_cuda() { return false; }

std::string cuda_unavailable(int index) {
    return fmt::format("no CUDA device: this build of Radial has no CUDA backend (asked for cuda:{})", index);
}

}  // namespace radial
