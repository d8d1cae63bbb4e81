// The table of ops: for each public op the call from which all generic checks of it come.
//
// How to add an op
//   1. Record PyTorch's values: cases over odd sizes and every option in tests/golden/op_cases.py (or beside their
//      family), then run tests/golden/generate.py.
//   2. Give the op a line in tests/core/ops/every_op.cpp, or in tests/losses/functional_ops.cpp where
//      losses/functional.h declares it: its name, how many cases are recorded, how a case calls it, and one large call.
// From these come: PyTorch's values and gradients in float32 and float64, in every layout and on every device, and that
// nothing waits for the device (tests/golden/ops_test.cpp); gradients against differences in float64, and the large
// call against the plain loops in float64 (every_op_test.cpp); and its microseconds: radial-tests "[speed]". An op that
// a header declares and that is not here fails a test by name. What only this op does (values by hand, messages,
// memory) is tested in the file of its family, as core/ops/conv_test.cpp.
#pragma once

#include "../../golden/golden.h"

#include <string>
#include <vector>

namespace radial::test {

/// An input of a large call: uniform numbers, or labels.
struct LargeInput {
    std::string name;
    Shape shape;
    double low = -1, high = 1;
    std::int64_t below = 0;  ///< int64 in [0, below) where it is above 0
};

/// A call at the sizes of training, for the comparison with the plain loops and for the speed listing.
struct LargeCall {
    std::vector<LargeInput> inputs;
    nlohmann::json attributes = nlohmann::json::object();
    double tolerance = 1e-5;  ///< of float32 from float64, relative to each tensor's largest magnitude
};

struct OpUnderTest {
    std::string fixture;  ///< the file of tests/golden with the recorded cases
    std::string name;     ///< as the header declares it
    std::size_t cases;    ///< how many the file has
    GoldenFunction call;  ///< gives "y", which is differentiated
    LargeCall large;
    /// Whether backward() is the derivative of forward() in this case; not so where a gradient is defined otherwise.
    std::function<bool(const GoldenCase&)> smooth = [](const GoldenCase&) { return true; };

    /// The recorded cases. Fails the test unless there are `cases`.
    std::vector<GoldenCase> recorded() const { return golden_cases(fixture, name, cases); }
};

using OpFamily = std::vector<OpUnderTest>;

/// The input of this name; undefined where the case has none.
Tensor input_of(const TensorMap& inputs, const std::string& name);

/// A call that gives one tensor.
GoldenFunction giving(const std::function<Tensor(const GoldenCase&, const TensorMap&)>& call);

// The families, as core/ops.h includes their headers.
const OpFamily& elementwise_ops();
const OpFamily& activation_ops();
const OpFamily& random_ops();
const OpFamily& reduction_ops();
const OpFamily& shape_ops();
const OpFamily& product_ops();
const OpFamily& comparison_ops();  ///< of rows: distances, cosines, lengths
const OpFamily& pool_and_norm_ops();
// Of losses/functional.h.
const OpFamily& softmax_ops();          ///< without options
const OpFamily& head_ops();             ///< with every margin and option
const OpFamily& recomputed_head_ops();  ///< the same calls with HeadOptions::recompute
const OpFamily& pair_ops();

/// All of them.
std::vector<const OpFamily*> every_op();

}  // namespace radial::test
