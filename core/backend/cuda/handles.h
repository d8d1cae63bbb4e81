// The cuBLAS and cuDNN handles of each device, bound to its stream.
#pragma once

#include <cublas_v2.h>
#include <cudnn.h>

namespace radial::cuda {

/// The device's handle, made at first use, on stream_of(device) and with a workspace of its own, so that products can
/// be captured in a CUDA graph. Makes `device` the thread's current one. One thread at a time may use it.
cublasHandle_t cublas_handle(int device);

/// The device's handle, made at first use, on stream_of(device). Makes `device` the thread's current one. One thread at
/// a time may use it.
cudnnHandle_t cudnn_handle(int device);

}  // namespace radial::cuda
