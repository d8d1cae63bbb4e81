// An op with its own kernel and gradient: y = x / (1 + |x|), which the library has as softsign().
#include <radial/core/kernels/kernels.h>
#include <radial/radial.h>

#include <cmath>
#include <cstdio>

using namespace radial;

namespace {

/// y[i] of one element; the same body runs on the CPU and, compiled by nvcc, on a CUDA device.
template <class T>
struct SquashForward {
    const T* x;
    T* y;
    RADIAL_HD void operator()(std::int64_t i) const { y[i] = x[i] / (T{1} + (x[i] < T{0} ? -x[i] : x[i])); }
};

/// dx[i] = dy[i] / (1 + |x[i]|)².
template <class T>
struct SquashBackward {
    const T *x, *dy;
    T* dx;
    RADIAL_HD void operator()(std::int64_t i) const {
        const T root = T{1} + (x[i] < T{0} ? -x[i] : x[i]);
        dx[i] = dy[i] / (root * root);
    }
};

/// Elementwise, for float32 and float64. Throws Error for another type.
Tensor squash(const Tensor& x) {
    const Tensor y = Tensor::empty_like(x);
    dispatch_floating(x.dtype(), "squash", [&](auto zero) {
        using T = decltype(zero);
        kernels::map(x.device(), x.numel(), SquashForward<T>{x.data<const T>(), y.data<T>()});
    });
    return record("squash", y, {x}, [saved = Saved(x, "squash", "input")](const Tensor& grad, Needs) -> Grads {
        const Tensor kept = saved.get(), dy = grad.to(kept.layout()), dx = Tensor::empty_like(kept);
        dispatch_floating(kept.dtype(), "squash", [&](auto zero) {
            using T = decltype(zero);
            kernels::map(kept.device(), kept.numel(),
                         SquashBackward<T>{kept.data<const T>(), dy.data<const T>(), dx.data<T>()});
        });
        return {dx};
    });
}

/// Largest difference between backward() and central differences.
double gradient_error(const std::vector<double>& values) {
    const Shape shape{static_cast<std::int64_t>(values.size())};
    const Tensor x = Tensor::from(values, shape).set_requires_grad();
    sum(square(squash(x))).backward();
    const std::vector<double> found = x.grad().to_vector<double>();
    double worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double step = 1e-6;
        std::vector<double> up = values, down = values;
        up[i] += step;
        down[i] -= step;
        const double above = sum(square(squash(Tensor::from(up, shape)))).item(),
                     below = sum(square(squash(Tensor::from(down, shape)))).item();
        worst = std::max(worst, std::abs((above - below) / (2 * step) - found[i]));
    }
    return worst;
}

}  // namespace

int main() {
    const double value = squash(Tensor::full({1}, -3)).item(), error = gradient_error({-30, -1.5, 0.25, 0, 4, 1e3});
    std::printf("squash(-3) = %.3f; largest error of a gradient %.1e\n", value, error);
    return value == -0.75 && error < 1e-8 ? 0 : 1;
}
