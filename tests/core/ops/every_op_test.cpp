// Checks of every op in the table, in addition to PyTorch's values: gradients, the plain loops at large sizes, and
// times.
#include "every_op.h"

#include "../../timing.h"
#include "../gradcheck.h"
#include "radial/core/backend/backend.h"

#include <fmt/core.h>

#include <algorithm>
#include <iostream>
#include <set>

namespace radial::test {
namespace {

Tensor in_double(const Tensor& x) {
    const Tensor there = x.to(default_device());
    return (is_floating(x.dtype()) ? there.to(DType::float64) : there).clone();
}

/// The call of a recorded case as a function of the inputs `names`; the other inputs keep their recorded values.
TensorFunction function_of(const OpUnderTest& op, const GoldenCase& golden, const std::vector<std::string>& names) {
    return [&op, &golden, names](const std::vector<Tensor>& values) {
        TensorMap inputs;
        for (const auto& [name, recorded] : golden.inputs) inputs[name] = in_double(recorded);
        for (std::size_t i = 0; i < names.size(); ++i) inputs[names[i]] = values[i];
        return op.call(golden, inputs).at("y");
    };
}

std::string recorded_gradient_problem(const OpUnderTest& op, const GoldenCase& golden) {
    std::vector<std::string> names;
    std::vector<Tensor> inputs;
    for (const auto& [name, gradient] : golden.gradients) {
        names.push_back(name);
        inputs.push_back(in_double(golden.inputs.at(name)));
    }
    // The recorded inputs are not kept away from kinks, but the step is so short that it crosses none. Only a few
    // elements are checked one by one; the random direction covers all elements, and tests/golden compares each
    // gradient with PyTorch's.
    return gradient_problem(function_of(op, golden, names), inputs, {.step = 1e-5, .elements = 4});
}

/// The inputs of the large call that are differentiated: those with a gradient in a recorded case.
std::vector<std::string> differentiated(const OpUnderTest& op) {
    std::vector<std::string> names;
    const std::vector<GoldenCase> recorded = op.recorded();
    for (const LargeInput& input : op.large.inputs)
        for (const GoldenCase& golden : recorded)
            if (golden.gradients.contains(input.name)) {
                names.push_back(input.name);
                break;
            }
    return names;
}

/// A large call and its results.
class LargeRun {
public:
    /// Inputs of rank 4 get the layout `layout`, except weights.
    LargeRun(const OpUnderTest& op, DType dtype, Layout layout) : op_(op), case_{.name = op.name, .op = op.name} {
        case_.attributes = op.large.attributes;
        RandomInputs random(77);
        for (const LargeInput& input : op.large.inputs) {
            Tensor x = input.below > 0 ? random.labels(input.shape[0], input.below)
                                       : random.tensor(input.shape, input.low, input.high, DType::float32);
            if (input.below == 0) x = x.to(dtype);
            if (x.rank() == 4 && input.name != "weight") x = x.to(layout);
            inputs_[input.name] = x.clone();
        }
        for (const std::string& name : differentiated(op)) leaves_.push_back(inputs_.at(name).set_requires_grad());
    }

    Tensor forward() {
        TensorMap inputs = inputs_;
        return op_.call(case_, inputs).at("y");
    }
    /// The result, and the gradients in the order of differentiated().
    std::vector<Tensor> results() {
        const Tensor y = forward();
        if (!seed_.defined()) seed_ = seed_for(y);
        std::vector<Tensor> all{y.detach()};
        if (y.requires_grad()) backward(y, seed_);
        for (const Tensor& leaf : leaves_) all.push_back(leaf.grad());
        return all;
    }
    void clear_gradients() {
        for (Tensor& leaf : leaves_) leaf.clear_grad();
    }

private:
    /// A random gradient of the result, the same for every run.
    static Tensor seed_for(const Tensor& y) {
        return RandomInputs(78).tensor(y.shape(), -1, 1, DType::float32).to(y.dtype()).to(y.layout());
    }

    const OpUnderTest& op_;
    GoldenCase case_;
    TensorMap inputs_;
    std::vector<Tensor> leaves_;
    Tensor seed_;
};

std::vector<Tensor> plain_results(const OpUnderTest& op) {
    const DefaultDevice on_cpu(Device{});
    const UseReferenceBackend plain;
    return LargeRun(op, DType::float64, Layout::row_major).results();
}

}  // namespace

TEST_CASE("gradients of every op agree with differences at the recorded inputs", "[core][ops][gradcheck]") {
    for (const OpFamily* family : every_op()) {
        for (const OpUnderTest& op : *family) {
            for (const GoldenCase& golden : op.recorded()) {
                if (golden.gradients.empty() || !op.smooth(golden)) continue;
                INFO(golden.name << " " << golden.attributes.dump());
                CHECK(recorded_gradient_problem(op, golden) == "");
            }
        }
    }
}

TEST_CASE("every op has a smooth recorded case, or is known to have none", "[core][ops][gradcheck][host]") {
    const std::set<std::string> without = {"argmax",      "argmin",     "argsort", "label_ranks",   "median",
                                           "cast",        "all",        "any",     "count_nonzero", "one_hot",
                                           "arange",      "linspace",   "eye",     "equal",         "not_equal",
                                           "less",        "less_equal", "greater", "greater_equal", "logical_not",
                                           "logical_and", "logical_or", "is_nan",  "is_finite"};
    for (const OpFamily* family : every_op()) {
        for (const OpUnderTest& op : *family) {
            const auto cases = op.recorded();
            const bool checked = std::any_of(cases.begin(), cases.end(), [&](const GoldenCase& golden) {
                return !golden.gradients.empty() && op.smooth(golden);
            });
            INFO(op.name);
            CHECK(checked != without.contains(op.name));
        }
    }
}

TEST_CASE("every op at the sizes of training agrees with the plain loops in float64", "[core][ops][slow]") {
    for (const OpFamily* family : every_op()) {
        for (const OpUnderTest& op : *family) {
            const std::vector<Tensor> expected = plain_results(op);
            const bool images = std::any_of(op.large.inputs.begin(), op.large.inputs.end(),
                                            [](const LargeInput& input) { return input.shape.rank() == 4; });
            for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
                if (layout == Layout::channels_last && !images) continue;
                INFO(op.name << ", " << name_of(layout));
                const std::vector<Tensor> found = LargeRun(op, DType::float32, layout).results();
                REQUIRE(found.size() == expected.size());
                for (std::size_t i = 0; i < found.size(); ++i) {
                    INFO((i == 0 ? "result" : "gradient of " + differentiated(op)[i - 1]));
                    REQUIRE(found[i].defined());
                    CHECK(relative_difference(found[i], expected[i]) < op.large.tolerance);
                }
            }
        }
    }
}

// The case is hidden, and is tagged [slow] so that "~[slow]" does not select it. radial-tests "[speed]" prints the
// times for each device.
TEST_CASE("the time of every op at the sizes of training", "[.][speed][slow]") {
    std::cout << fmt::format("{:32} {:>12} {:>12}  microseconds on {}\n", "op", "forward", "and backward",
                             default_device().str());
    for (const OpFamily* family : every_op()) {
        for (const OpUnderTest& op : *family) {
            LargeRun run(op, DType::float32, Layout::channels_last);
            const double forward = microseconds([&] {
                const NoGrad guard;
                run.forward();
            });
            const double both = microseconds([&] {
                run.clear_gradients();
                run.results();
            });
            std::cout << fmt::format("{:32} {:12.1f} {:12.1f}{}\n", op.name, forward, both,
                                     family == &recomputed_head_ops() ? "  recomputed" : "");
            CHECK(forward > 0);
        }
    }
}

}  // namespace radial::test
