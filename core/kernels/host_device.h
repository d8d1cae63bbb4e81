// Marks a function that both a CPU loop and a CUDA launch run.
#pragma once

#ifdef __CUDACC__
#define RADIAL_HD __host__ __device__
#else
#define RADIAL_HD
#endif
