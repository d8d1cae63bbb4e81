// Compares every loss, and the ops that losses use, with exact values at inputs where float32 loses precision: very
// short and very long features, ties, points far from the origin, extreme scales and temperatures. harsh_loss_cases.py
// records the exact values.
#include "loss_cases.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"

#include <cmath>
#include <limits>
#include <set>

namespace radial::test {
namespace {

const std::string fixture = "harsh_losses.safetensors";

/// The allowed error. In float32: ten times the error of PyTorch's float32, but at least `roundings`, a few rounding
/// errors. In float64: `digits`, the accuracy of PyTorch's float64, or PyTorch's float32 error times `narrower` if that
/// is larger. If PyTorch's float32 result is not a number (for example for the angle of a cosine that was rounded to
/// more than 1), any value is allowed.
double allowed_error(DType dtype, double of_pytorch) {
    if (std::isnan(of_pytorch)) return std::numeric_limits<double>::max();
    constexpr double roundings = 3e-6, digits = 1e-9, narrower = 1e-7;
    return dtype == DType::float32 ? std::max(roundings, 10 * of_pytorch) : std::max(digits, narrower * of_pytorch);
}

/// The part of a recorded tensor that belongs to scene `index`.
Tensor row(const Tensor& recorded, std::int64_t index) {
    std::vector<std::int64_t> sizes(recorded.shape().begin() + 1, recorded.shape().end());
    return recorded.rows(index, index + 1).view(Shape(sizes));
}

std::vector<double> numbers(const Tensor& x) { return x.to_vector<double>(); }

/// |value - exact| / |exact|; infinite if a value is not finite. If |exact| is below a limit, the error is relative to
/// that limit, because rounding leaves few correct digits of very small losses, such as 1e-14 in float64 or 1e-5 in
/// float32.
double error(const Tensor& value, const Tensor& exact) {
    if (!value.defined() || value.shape() != exact.shape()) return INFINITY;
    const double smallest = value.dtype() == DType::float32 ? 1e-5 : 1e-2;
    const auto found = numbers(value), wanted = numbers(exact);
    double difference = 0, length = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        difference += (found[i] - wanted[i]) * (found[i] - wanted[i]);
        length += wanted[i] * wanted[i];
    }
    const double relative = std::sqrt(difference) / std::max(std::sqrt(length), smallest);
    return std::isfinite(relative) ? relative : INFINITY;
}

/// The inputs of one scene as leaves.
TensorMap leaves(const GoldenCase& golden, std::int64_t scene, DType dtype) {
    TensorMap inputs;
    for (const auto& [name, recorded] : golden.inputs) {
        const Tensor there = row(recorded, scene).to(default_device());
        inputs[name] = is_floating(there.dtype()) ? there.to(dtype).clone() : there.clone();
        if (golden.gradients.contains(name)) inputs[name].set_requires_grad();
    }
    return inputs;
}

TensorMap loss_results(const GoldenCase& golden, TensorMap& inputs) {
    const auto loss = recorded_loss(golden, inputs);
    const Tensor feature = inputs.at("feature");
    return {{"y", loss->forward(feature, inputs.at("labels"))}, {"logits", loss->logits(feature)}};
}

TensorMap op_results(const GoldenCase& golden, TensorMap& inputs) {
    const Tensor x = inputs.at("x");
    if (golden.op == "cross_entropy") return {{"y", cross_entropy(x, inputs.at("labels"))}};
    if (golden.op == "log_softmax") return {{"y", log_softmax(x)}};
    if (golden.op == "log_sum_exp") return {{"y", log_sum_exp(x)}};
    if (golden.op == "softplus") return {{"y", softplus(x)}};
    if (golden.op == "sigmoid") return {{"y", sigmoid(x)}};
    if (golden.op == "normal_cdf") return {{"y", normal_cdf(x)}};
    throw Error("no op of this name: " + golden.op);
}

std::string title(const GoldenCase& golden, DType dtype) {
    return fmt::format("{} {}, {}", golden.name, golden.attributes.value("settings", nlohmann::json{}).dump(),
                       name_of(dtype));
}

void check_scene(const GoldenCase& golden, std::int64_t scene, DType dtype) {
    TensorMap inputs = leaves(golden, scene, dtype);
    const TensorMap results = inputs.contains("x") ? op_results(golden, inputs) : loss_results(golden, inputs);
    const Tensor y = results.at("y");
    backward(y, golden.seed.defined() ? golden.seed.to(default_device()).to(dtype) : Tensor::full(y.shape(), 1, dtype));
    const auto compare = [&](const std::string& name, const Tensor& value, const Tensor& exact) {
        const double of_pytorch = numbers(golden.results.at("error_" + name)).at(static_cast<std::size_t>(scene));
        const double measured = error(value, row(exact, scene)), allowed = allowed_error(dtype, of_pytorch);
        INFO(title(golden, dtype) << ", " << golden.attributes.at("scenes").at(static_cast<std::size_t>(scene)) << ": "
                                  << name);
        CHECK(measured <= allowed);
    };
    for (const auto& [name, exact] : golden.results)
        if (!name.starts_with("error_")) compare(name, results.at(name), exact);
    for (const auto& [name, exact] : golden.gradients) compare(name, inputs.at(name).grad(), exact);
}

}  // namespace

TEST_CASE("every loss is as accurate as PyTorch at harsh inputs", "[golden][losses]") {
    for (const GoldenCase& golden : golden_cases(fixture)) {
        const auto scenes = static_cast<std::int64_t>(golden.attributes.at("scenes").size());
        for (const DType dtype : {DType::float32, DType::float64}) {
            DYNAMIC_SECTION(title(golden, dtype)) {
                for (std::int64_t scene = 0; scene < scenes; ++scene) check_scene(golden, scene, dtype);
            }
        }
    }
}

TEST_CASE("every loss and regulariser of the registries is tried at harsh inputs", "[golden][losses][host]") {
    std::set<std::string> recorded;
    for (const GoldenCase& golden : golden_cases(fixture)) add_names(golden.op, recorded);
    for (const LossInfo& info : loss_registry()) {
        INFO(info.name);
        CHECK(recorded.contains(info.name));
    }
    for (const RegulariserInfo& info : regulariser_registry()) {
        INFO(info.name);
        CHECK(recorded.contains(info.name));
    }
}

}  // namespace radial::test
