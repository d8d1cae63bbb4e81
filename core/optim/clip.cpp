// Gradient clipping: one sum of squares over all gradients, and one pass that scales them.
#include "radial/core/optim/clip.h"

#include "radial/core/kernels/launch.h"
#include "radial/core/optim/kernels.h"
#include "radial/core/tensor/types.h"
#include "radial/core/util/error.h"

#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>
#include <unordered_set>

namespace radial {
namespace {

/// All existing gradients, grouped by dtype.
struct Gradients {
    std::vector<kernels::GradientItem<float>> narrow;
    std::vector<kernels::GradientItem<double>> wide;

    template <class T>
    auto& of() {
        if constexpr (std::is_same_v<T, float>)
            return narrow;
        else
            return wide;
    }
    void add(const Tensor& gradient) {
        dispatch_floating(gradient.dtype(), "gradient_norm", [&](auto zero) {
            using T = decltype(zero);
            of<T>().push_back({gradient.data<T>(), gradient.numel()});
        });
    }
};

/// The device of all gradients; the CPU if there are none.
Device device_of_gradients(const std::vector<Tensor>& parameters) {
    std::optional<Device> device;
    for (const Tensor& parameter : parameters) {
        const Tensor gradient = parameter.grad();
        if (!gradient.defined()) continue;
        if (!device) device = gradient.device();
        RADIAL_CHECK(gradient.device() == *device, "gradient_norm: gradients are on {} and {}, expected one device",
                     device->str(), gradient.device().str());
    }
    return device.value_or(Device{});
}

/// Two float64 numbers on the device of the gradients: their joint norm, and the factor that clips them to `max_norm`.
Tensor norm_and_factor(const std::vector<Tensor>& parameters, double max_norm) {
    const Device device = device_of_gradients(parameters);
    Gradients gradients;
    for (const Tensor& parameter : parameters)
        if (const Tensor gradient = parameter.grad(); gradient.defined()) gradients.add(gradient);
    const Tensor numbers = Tensor::empty({4}, DType::float64, device);  // norm, factor, and two sums of squares
    auto* const out = numbers.data<double>();
    using kernels::GradientItem;
    kernels::reduce_list(device, std::span<const GradientItem<float>>(gradients.narrow), kernels::Squared<float>{},
                         out + 2);
    kernels::reduce_list(device, std::span<const GradientItem<double>>(gradients.wide), kernels::Squared<double>{},
                         out + 3);
    kernels::map(device, 1,
                 kernels::ClipFactor{.sums = out + 2, .count = 2, .most = max_norm, .norm = out, .factor = out + 1});
    return numbers;
}

/// Multiplies every gradient by *factor, in place.
void scale_gradients(const std::vector<Tensor>& parameters, const double* factor) {
    Gradients gradients;
    std::unordered_set<const void*> scaled;  // two leaves may share one gradient
    for (const Tensor& parameter : parameters) {
        const Tensor gradient = parameter.grad();
        if (!gradient.defined() || gradient.numel() == 0 || !scaled.insert(gradient.raw()).second) continue;
        gradients.add(gradient);
        gradient.bump_version();
    }
    const Device device = device_of_gradients(parameters);
    using kernels::GradientItem;
    kernels::map_list(device, std::span<const GradientItem<float>>(gradients.narrow),
                      kernels::ScaleGradient<float>{factor});
    kernels::map_list(device, std::span<const GradientItem<double>>(gradients.wide),
                      kernels::ScaleGradient<double>{factor});
}

void check_max_norm(double max_norm) {
    RADIAL_CHECK(max_norm > 0, "clip_gradient_norm: max_norm is {}, expected more than 0", max_norm);
}

[[noreturn]] void refuse_norm(const std::vector<Tensor>& parameters, double norm) {
    for (std::size_t p = 0; p < parameters.size(); ++p) {
        if (std::isfinite(gradient_norm({parameters[p]}))) continue;
        throw NumericError(
            fmt::format("clip_gradient_norm: the norm is {}; the gradient of parameter {} ({}) is the first that is "
                        "not finite",
                        norm, p, parameters[p].str()));
    }
    throw NumericError(fmt::format("clip_gradient_norm: the norm is {}", norm));
}

}  // namespace

double gradient_norm(const std::vector<Tensor>& parameters) {
    return norm_and_factor(parameters, std::numeric_limits<double>::infinity()).rows(0, 1).item();
}

Tensor clip_gradients(const std::vector<Tensor>& parameters, double max_norm) {
    check_max_norm(max_norm);
    const Tensor numbers = norm_and_factor(parameters, max_norm);
    const auto* const factor = numbers.data<const double>() + 1;
    // On the CPU the factor can be read without waiting, so an unnecessary pass is skipped.
    const bool known = numbers.device().kind == Device::Kind::cpu;
    if (std::isfinite(max_norm) && !(known && *factor == 1)) scale_gradients(parameters, factor);
    return numbers.rows(0, 1).view({});
}

double clip_gradient_norm(const std::vector<Tensor>& parameters, double max_norm) {
    check_max_norm(max_norm);
    const Tensor numbers = norm_and_factor(parameters, max_norm);
    const double norm = numbers.rows(0, 1).item();
    if (!std::isfinite(norm)) refuse_norm(parameters, norm);
    if (norm > max_norm) scale_gradients(parameters, numbers.data<const double>() + 1);
    return norm;
}

}  // namespace radial
