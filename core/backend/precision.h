// What a program may trade for speed: exact products, and runs that repeat.
#pragma once

namespace radial {

/// Whether float32 convolutions and products on CUDA may round their inputs to TF32 (10 bits of mantissa instead of
/// 23), which tensor cores take. Off by default: float32 then means float32. No effect on the CPU or on other types.
bool allow_tf32();
void set_allow_tf32(bool on);

/// Whether convolutions on CUDA time several algorithms when they first meet a shape and keep the fastest. On by
/// default. Off: cuDNN's own first choice is taken, so that two runs use the same algorithms and add up in the same
/// order.
bool conv_search();
void set_conv_search(bool on);

}  // namespace radial
