// What cuBLAS and cuDNN compute for the CUDA backend, and the handles that they compute with. Parameters as in Backend;
// everything is queued on the device's stream.
#pragma once

#include "radial/core/backend/backend.h"

#include <cublas_v2.h>
#include <cudnn.h>

namespace radial::cuda {

/// The device's handle, made at first use, on stream_of(device) and with a workspace of its own, so that products can
/// be captured in a CUDA graph. Makes `device` the thread's current one. One thread at a time may use it.
cublasHandle_t cublas_handle(int device);

/// The device's handle, made at first use, on stream_of(device). Makes `device` the thread's current one. One thread at
/// a time may use it.
cudnnHandle_t cudnn_handle(int device);

/// c = alpha * op(a) op(b) + beta * c by cuBLAS; rank-2 tensors on one device. a and b are both float32 or both
/// bfloat16, c is of their type, or float32. Sums are formed in float32, with TF32 products of float32 where
/// allow_tf32(). Throws Error for another type, and for extents above the largest int.
void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
          const Tensor& c);

/// Convolutions by cuDNN, float32 or bfloat16 with sums in float32 and TF32 as above. Activations are channels_last,
/// and so are weights (KRSC). With conv_search() a shape's first call times several algorithms on the given operands
/// and waits for them, unless the stream is being captured. Throws Error when cuDNN has no algorithm for a shape.
void conv_forward(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y);
void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx);
/// dw is of the operands' type: cuDNN has no algorithm that makes a float32 dw of bfloat16 operands.
void conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw);

}  // namespace radial::cuda
