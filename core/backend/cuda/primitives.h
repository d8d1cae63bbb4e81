// The operations of the CUDA backend that use cuBLAS and cuDNN, and the handles of both. Parameters are as in Backend.
// All work is submitted to the device's stream.
#pragma once

#include "radial/core/backend/backend.h"

#include <cublas_v2.h>
#include <cudnn.h>

namespace radial::cuda {

/// The device's handle, created on first use, on stream_of(device) and with its own workspace, so that products can be
/// captured in a CUDA graph. Makes `device` the current one of the thread. Must be used by one thread at a time.
cublasHandle_t cublas_handle(int device);

/// The device's handle, created on first use, on stream_of(device). Makes `device` the current one of the thread. Must
/// be used by one thread at a time.
cudnnHandle_t cudnn_handle(int device);

/// c = alpha * op(a) op(b) + beta * c with cuBLAS, for rank-2 tensors on one device. a and b are both float32 or both
/// bfloat16; c has their type or is float32. Sums are accumulated in float32; float32 products use TF32 if
/// allow_tf32(). Throws Error for other types and for extents above the largest int.
void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
          const Tensor& c);
/// Applies gemm() to each pair of matrices of a [B, ., .] and b [B, ., .]; the results are in c [B, M, N].
void batched_gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
                  const Tensor& c);

/// Convolutions with cuDNN, float32 or bfloat16, with sums in float32 and TF32 as above. Activations and weights are
/// channels_last (weights KRSC). If conv_search() is on, the first call for a shape times several algorithms on the
/// given operands and waits for them, unless the stream is being captured. Throws Error when cuDNN has no algorithm for
/// a shape.
void conv_forward(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y);
void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx);
/// dw has the type of the operands, because cuDNN has no algorithm that computes a float32 dw from bfloat16 operands.
void conv_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw);

}  // namespace radial::cuda
