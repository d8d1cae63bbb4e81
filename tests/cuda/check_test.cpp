// Tests of the errors that failed calls of CUDA libraries are converted to.
#include "radial/core/memory/cuda/check.h"
#include "../expect.h"

using namespace radial;
using test::error_of;

TEST_CASE("a failed call of the CUDA runtime is an error with its text and the runtime's", "[host][cuda][check]") {
    const auto refused = [] { return cudaErrorInvalidValue; };
    CHECK(error_of([&] { RADIAL_CUDA(refused()); }) == "refused() failed: invalid argument (cudaErrorInvalidValue)");
    CHECK(error_of([] { RADIAL_CUDA(cudaSuccess); }) == "(no error was thrown)");
}

TEST_CASE("a failed call of cuBLAS is an error with the operands' shapes", "[host][cuda][check]") {
    CHECK(error_of([] { RADIAL_CUBLAS(cublasSetStream(nullptr, nullptr), "gemm [2, 3] [3, 4]"); }) ==
          "gemm [2, 3] [3, 4]: cublasSetStream(nullptr, nullptr) failed: the library was not initialized "
          "(CUBLAS_STATUS_NOT_INITIALIZED)");
}

TEST_CASE("a failed call of cuDNN is an error with the operands' shapes and cuDNN's reason", "[host][cuda][check]") {
    const std::string error =
        error_of([] { RADIAL_CUDNN(cudnnBackendFinalize(nullptr), std::string("conv [8, 3, 32, 32]")); });
    CHECK(error.starts_with("conv [8, 3, 32, 32]: cudnnBackendFinalize(nullptr) failed: CUDNN_STATUS_BAD_PARAM"));
}

TEST_CASE("the description of a call is formatted only if the call fails", "[host][cuda][check]") {
    int worded = 0;
    const auto what = [&] { return fmt::format("asked {} times", ++worded); };
    int major = 0;
    RADIAL_CUBLAS(cublasGetProperty(MAJOR_VERSION, &major), what());
    RADIAL_CUDNN(cudnnGetProperty(MAJOR_VERSION, &major), what());
    CHECK(worded == 0);
    CHECK(error_of([&] { RADIAL_CUBLAS(cublasSetStream(nullptr, nullptr), what()); }).starts_with("asked 1 times: "));
}

TEST_CASE("a library that ran out of memory throws OutOfMemory", "[host][cuda][check]") {
    CHECK(error_of<OutOfMemory>([] { cuda::fail(cudaErrorMemoryAllocation, "cudaMalloc(&block, bytes)"); }) ==
          "cudaMalloc(&block, bytes) failed: out of memory (cudaErrorMemoryAllocation)");
    CHECK(error_of<OutOfMemory>([] { cuda::fail(CUBLAS_STATUS_ALLOC_FAILED, "cublasCreate(&handle)", "cuBLAS"); }) ==
          "cuBLAS: cublasCreate(&handle) failed: the resource allocation failed (CUBLAS_STATUS_ALLOC_FAILED)");
    CHECK(error_of<OutOfMemory>([] {
              cuda::fail(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, "cudnnCreate(&handle)", "cuDNN");
          }).starts_with("cuDNN: cudnnCreate(&handle) failed: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"));
}
