// The table of ops: for each public op, the call that all generic checks use.
//
// How to add an op
//   1. Record PyTorch's values: add cases with odd sizes and every option to the script of the op's family, such as
//      tests/golden/shape_op_cases.py, then run tests/golden/generate.py.
//   2. Add a line for the op to its family's table, such as tests/core/ops/tables/shape_table.cpp, or to
//      tests/losses/functional_ops.cpp if losses/functional.h declares it: the name, the number of recorded cases, the
//      call of a case, and one large call.
// The following tests use the table. tests/golden/ops_test.cpp compares each op with PyTorch's values and gradients in
// float32 and float64, in every layout and on every device, and checks that no op waits for the device.
// every_op_test.cpp compares gradients with finite differences in float64, and the large call with the plain loops in
// float64. radial-tests "[speed]" prints the op's microseconds. A test fails, naming each op that a header declares but
// the table lacks. Tests of one op only (values computed by hand, messages, memory) are in the file of the op's family,
// such as core/ops/conv_test.cpp.
#pragma once

#include "../../golden/golden.h"

#include <string>
#include <vector>

namespace radial::test {

/// An input of a large call: uniformly distributed numbers, or labels.
struct LargeInput {
    std::string name;
    Shape shape;
    double low = -1, high = 1;
    std::int64_t below = 0;  ///< if above 0: the input is int64 in [0, below)
};

/// A call with sizes as in training, for the comparison with the plain loops and for the list of times.
struct LargeCall {
    std::vector<LargeInput> inputs;
    nlohmann::json attributes = nlohmann::json::object();
    double tolerance = 1e-5;  ///< of float32 against float64, relative to each tensor's largest magnitude
};

struct OpUnderTest {
    std::string fixture;  ///< the file in tests/golden that contains the recorded cases
    std::string name;     ///< the name in the header
    std::size_t cases;    ///< the number of cases in the file
    GoldenFunction call;  ///< returns "y", which is differentiated
    LargeCall large;
    /// Whether backward() is the derivative of forward() in this case. Some gradients are defined differently.
    std::function<bool(const GoldenCase&)> smooth = [](const GoldenCase&) { return true; };

    /// The recorded cases. Fails the test if their number is not `cases`.
    std::vector<GoldenCase> recorded() const { return golden_cases(fixture, name, cases); }
};

using OpFamily = std::vector<OpUnderTest>;

/// The input with this name; undefined if the case has none.
Tensor input_of(const TensorMap& inputs, const std::string& name);

/// Wraps a function that returns one tensor, which becomes "y".
GoldenFunction giving(const std::function<Tensor(const GoldenCase&, const TensorMap&)>& call);

// The families, in the order of the headers that core/ops.h includes.
const OpFamily& elementwise_ops();
const OpFamily& activation_ops();
const OpFamily& random_ops();
const OpFamily& reduction_ops();
const OpFamily& shape_ops();
const OpFamily& product_ops();
const OpFamily& comparison_ops();  ///< ops on rows: distances, cosines, lengths
const OpFamily& conv_ops();        ///< and pooling
const OpFamily& norm_ops();
// The ops of losses/functional.h.
const OpFamily& softmax_ops();          ///< without options
const OpFamily& head_ops();             ///< with every margin and option
const OpFamily& recomputed_head_ops();  ///< the same calls with HeadOptions::recompute
const OpFamily& pair_ops();

/// All families.
std::vector<const OpFamily*> every_op();

}  // namespace radial::test
