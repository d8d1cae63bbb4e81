// RADIAL_HD, which marks a function that runs both on the CPU and in CUDA kernels.
#pragma once

#ifdef __CUDACC__
#define RADIAL_HD __host__ __device__
#else
#define RADIAL_HD
#endif
