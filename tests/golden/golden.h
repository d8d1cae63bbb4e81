// The recorded PyTorch values, case by case, and the comparison of a computation with one of them.
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

/// One recorded case: "conv2d/3", its attributes, and its tensors by their name within the case.
struct GoldenCase {
    std::string name, op;
    nlohmann::json attributes{};
    TensorMap inputs{}, gradients{}, results{};
    Tensor seed{};  ///< dL/dy; undefined where nothing is differentiated

    double number(const char* key, double otherwise) const { return attributes.value(key, otherwise); }
    bool flag(const char* key, bool otherwise) const { return attributes.value(key, otherwise); }
    /// A pair such as "stride": [2, 1]; `otherwise` twice when the case does not say.
    std::pair<std::int64_t, std::int64_t> pair(const char* key, std::int64_t otherwise) const;
};

/// The cases of tests/golden/FILE, in file order. Read once.
const std::vector<GoldenCase>& golden_cases(const std::string& file);
/// Those of one op. Fails the test unless there are `count`.
std::vector<GoldenCase> golden_cases(const std::string& file, const std::string& op, std::size_t count);

/// How a case is run: in which type, and in which layout rank-4 activations and their gradients come.
struct GoldenRun {
    DType dtype = DType::float32;
    Layout input = Layout::row_major, gradient = Layout::row_major;

    std::string str() const;
};
/// float32 in every combination of layouts (one where no tensor of rank 4 is an activation), and float64.
std::vector<GoldenRun> golden_runs(const GoldenCase& golden);

/// From the inputs (leaves) to the results by name, as the fixture names them; "y" is differentiated. It may put its
/// own tensors (a module's parameters) in the inputs' place: those are looked at for gradients and changes.
using GoldenFunction = std::function<TensorMap(const GoldenCase&, TensorMap& inputs)>;

/// Runs `function` on the case's inputs and compares each recorded result and gradient, relative to its largest
/// magnitude, to 1e-5 (float32) or 1e-6 (float64, which stored values are rounded to float32 for); gradients of
/// whole networks to 1e-4 in float32.
void check_golden(const GoldenCase& golden, const GoldenRun& run, const GoldenFunction& function);

/// As check_golden, on a device, with the function and its gradients recorded as a graph and launched: what waits for
/// the device, or passes anything between it and the host, cannot be recorded.
void check_golden_graph(const GoldenCase& golden, const GoldenRun& run, const GoldenFunction& function);

/// One section for each of the op's `count` cases in each of its runs.
void check_all_golden(const std::string& file, const std::string& op, std::size_t count,
                      const GoldenFunction& function);

}  // namespace radial::test
