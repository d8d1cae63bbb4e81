// Whether a CUDA device can be used, and why not. Answered by cuda/ or, in a build without CUDA, by no_cuda/.
#pragma once

#include <string>

namespace radial {

/// Whether this build was compiled with CUDA. Ops run on the CPU only, even so.
bool built_with_cuda();

/// Why ops cannot run on CUDA device `index` (0 or more), worded as an error's message: that the build has no CUDA,
/// what the driver answers, or that a device was found but this version has no ops for it. Never empty; throws nothing
/// of Radial's.
std::string cuda_unavailable(int index);

}  // namespace radial
