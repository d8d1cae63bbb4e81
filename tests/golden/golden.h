// The recorded PyTorch values as cases, and the comparison of a computation with a case.
#pragma once

#include "../expect.h"
#include "radial/core/io/safetensors.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace radial::test {

using TensorMap = std::map<std::string, Tensor>;

/// One recorded case: its name such as "conv2d/3", its attributes, and its tensors by their name within the case.
struct GoldenCase {
    std::string name, op;
    nlohmann::json attributes{};
    TensorMap inputs{}, gradients{}, results{};
    Tensor seed{};  ///< dL/dy; undefined if nothing is differentiated

    double number(const char* key, double otherwise) const { return attributes.value(key, otherwise); }
    bool flag(const char* key, bool otherwise) const { return attributes.value(key, otherwise); }
    /// A pair such as "stride": [2, 1]; {otherwise, otherwise} if the case has no such attribute.
    std::pair<std::int64_t, std::int64_t> pair(const char* key, std::int64_t otherwise) const;
};

/// The cases of tests/golden/FILE in the order of the file, which is read only once.
const std::vector<GoldenCase>& golden_cases(const std::string& file);
/// The cases of one op. Fails the test if their number is not `count`.
std::vector<GoldenCase> golden_cases(const std::string& file, const std::string& op, std::size_t count);

/// The type of a run, and the layouts of rank-4 activations and of the gradients of rank-4 results.
struct GoldenRun {
    DType dtype = DType::float32;
    Layout input = Layout::row_major, gradient = Layout::row_major;

    std::string str() const;
};
/// float32 and float64, each in all combinations of layouts. A layout is varied only if there are tensors of rank 4.
std::vector<GoldenRun> golden_runs(const GoldenCase& golden);

/// Computes the results by name, as in the fixture, from the inputs (leaves); "y" is differentiated. The function may
/// replace inputs by its own tensors, such as a module's parameters; then their gradients and changes are compared.
using GoldenFunction = std::function<TensorMap(const GoldenCase&, TensorMap& inputs)>;

/// Runs `function` on the case's inputs and compares each recorded result and gradient. The largest difference relative
/// to the tensor's largest magnitude may be 1e-5 in float32 and 1e-6 in float64 (stored values are rounded to float32),
/// and 1e-4 for gradients of whole networks in float32.
void check_golden(const GoldenCase& golden, const GoldenRun& run, const GoldenFunction& function);

/// Like check_golden, on a device, but records the function and its gradients as a graph and launches the graph.
/// Recording fails if an op waits for the device or copies between device and host.
void check_golden_graph(const GoldenCase& golden, const GoldenRun& run, const GoldenFunction& function);

/// Checks each of the op's `count` cases in all its runs, each in its own section.
void check_all_golden(const std::string& file, const std::string& op, std::size_t count,
                      const GoldenFunction& function);

}  // namespace radial::test
