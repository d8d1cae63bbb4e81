// Tells whether a kernel of oneDNN has turned a NaN into a number.
//
// oneDNN computes a fused ReLU as the maximum with 0, and x86's maximum of a NaN and 0 is 0. The processor does note
// it: a maximum with a NaN is an invalid operation, which sets a flag of the thread that ran it. Reading the flags
// costs nothing next to a convolution; looking for NaN among its inputs would take as long as a tenth of it.
#pragma once

#include <cfenv>

namespace radial {

/// Whether a maximum with a NaN sets the flag. Elsewhere nothing tells, and a ReLU must not be fused.
#if defined(__x86_64__) || defined(__i386__)
inline constexpr bool maximum_notes_nan = true;
#else
inline constexpr bool maximum_notes_nan = false;
#endif

/// Whether a thread of the calling thread's team ran an invalid operation since this was called last: since then a NaN
/// may have been made, or dropped. Clears the flags.
inline bool invalid_operation_noted() {
    int noted = 0;
#pragma omp parallel reduction(| : noted)
    if (std::fetestexcept(FE_INVALID) != 0) {
        std::feclearexcept(FE_INVALID);
        noted = 1;
    }
    return noted != 0;
}

}  // namespace radial
