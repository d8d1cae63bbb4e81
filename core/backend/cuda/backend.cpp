// The backend of a CUDA device: cuBLAS and cuDNN for products and convolutions, own kernels for the rest.
#include "radial/core/backend/cuda/primitives.h"
#include "radial/core/backend/device_backend.h"
#include "radial/core/memory/cuda/stream.h"

#include <array>
#include <memory>
#include <mutex>

namespace radial {
namespace {

class CudaBackend : public DeviceBackend {
public:
    explicit CudaBackend(int index) : index_(index) {}

    std::string describe() const override { return cuda::describe(index_); }

    void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
              const Tensor& c) override {
        cuda::gemm(transpose_a, transpose_b, alpha, a, b, beta, c);
    }
    void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                            const Tensor& dx) override {
        cuda::conv_backward_data(dy, w, geometry, dx);
    }

protected:
    void convolve(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y) override {
        cuda::conv_forward(x, w, geometry, y);
    }
    void convolve_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                   const Tensor& dw) override {
        cuda::conv_backward_weights(x, dy, geometry, dw);
    }

private:
    int index_;
};

}  // namespace

// One for all types: the libraries read them off the tensors.
Backend& device_backend(Device device, DType) {
    constexpr std::size_t most_devices = 16;
    static std::mutex mutex;
    static std::array<std::unique_ptr<CudaBackend>, most_devices> backends;
    const std::lock_guard lock(mutex);
    auto& backend = backends.at(static_cast<std::size_t>(device.index));
    if (backend == nullptr) backend = std::make_unique<CudaBackend>(device.index);
    return *backend;
}

}  // namespace radial
