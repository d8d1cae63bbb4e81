// Checks what NCCL returns: every call stands in this macro (tools/check-cuda-calls).
#pragma once

#include <nccl.h>

#include <string>

namespace radial::nccl {

/// Throws Error with the call's text, what it was for and NCCL's own words.
[[noreturn]] void fail(ncclResult_t result, const char* call, const std::string& what);

}  // namespace radial::nccl

/// Throws unless an NCCL call succeeds; `what` becomes a std::string, evaluated only on failure.
#define RADIAL_NCCL(call, what)                                                                   \
    do {                                                                                          \
        if (const ncclResult_t radial_result = (call); radial_result != ncclSuccess) [[unlikely]] \
            ::radial::nccl::fail(radial_result, #call, what);                                     \
    } while (false)
