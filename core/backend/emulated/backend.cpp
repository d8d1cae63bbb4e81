// The backend of the emulated device. The plain loops of reference/ replace the vendor's products and convolutions.
#include "radial/core/backend/device_backend.h"
#include "radial/core/backend/reference/reference_backend.h"

namespace radial {
namespace {

class EmulatedBackend : public DeviceBackend {
public:
    std::string describe() const override { return device::describe(0); }

    void gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b, double beta,
              const Tensor& c) override {
        reference_backend().gemm(transpose_a, transpose_b, alpha, a, b, beta, c);
    }
    void conv_backward_data(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry,
                            const Tensor& dx) override {
        reference_backend().conv_backward_data(dy, w, geometry, dx);
    }

protected:
    void convolve(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y) override {
        reference_backend().conv_forward(x, w, {}, geometry, y);
    }
    void convolve_backward_weights(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry,
                                   const Tensor& dw) override {
        reference_backend().conv_backward_weights(x, dy, geometry, dw, {});
    }
};

}  // namespace

Backend& device_backend(Device, DType) {
    static EmulatedBackend backend;
    return backend;
}

}  // namespace radial
