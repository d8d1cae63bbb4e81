// Settings that trade speed for exact products or for runs that repeat.
#pragma once

namespace radial {

///@{
/// Whether float32 convolutions and matrix products on CUDA may round their inputs to TF32 (10 bits of mantissa instead
/// of 23), the format that tensor cores compute in. Off by default. No effect on the CPU or on other types.
bool allow_tf32();
void set_allow_tf32(bool on);
///@}

///@{
/// Whether convolutions on CUDA time several algorithms the first time they meet a shape and keep the fastest. On by
/// default. When off, cuDNN's own first choice is used, so two runs use the same algorithms and add in the same order.
bool conv_search();
void set_conv_search(bool on);
///@}

}  // namespace radial
