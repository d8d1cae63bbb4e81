// Reads the recorded cases and compares results with them.
#include "golden.h"

#include "../folders.h"
#include "radial/core/autograd/autograd.h"
#include "radial/core/memory/device_runtime.h"

#include <utility>

namespace radial::test {
namespace {

/// Stores a tensor in its case. For "conv2d/3/in/x", `rest` is "in/x": an input named x.
void place(GoldenCase& golden, const std::string& rest, const Tensor& tensor) {
    const auto slash = rest.find('/');
    const std::string kind = rest.substr(0, slash), name = slash == std::string::npos ? "" : rest.substr(slash + 1);
    if (kind == "in") golden.inputs[name] = tensor;
    if (kind == "grad") golden.gradients[name] = tensor;
    if (kind == "out") golden.results[name] = tensor;
    if (kind == "seed") golden.seed = tensor;
}

std::vector<GoldenCase> read_cases(const std::string& file) {
    const TensorFile content = read_safetensors(test_folder() + "/golden/" + file);
    std::vector<GoldenCase> cases;
    std::map<std::string, std::size_t> index;
    for (const auto& entry : nlohmann::json::parse(content.metadata.at("cases"))) {
        index[entry.at("name")] = cases.size();
        cases.push_back({.name = entry.at("name"), .op = entry.at("op"), .attributes = entry});
    }
    for (const auto& [path, tensor] : content.tensors) {
        const auto end = path.find('/', path.find('/') + 1);
        place(cases.at(index.at(path.substr(0, end))), path.substr(end + 1), tensor);
    }
    return cases;
}

/// Filters have rank 4, too, but are always row-major.
bool is_activation(const std::string& name, const Tensor& tensor) {
    return tensor.rank() == 4 && name.find("weight") == std::string::npos;
}

Tensor prepared(const Tensor& recorded, DType dtype, Layout layout) {
    const Tensor there = recorded.to(default_device());
    if (!is_floating(recorded.dtype())) return there.clone();
    const Tensor converted = there.to(dtype);
    return (converted.rank() == 4 ? converted.to(layout) : converted).clone();
}

bool is_network(const GoldenCase& golden) {
    return golden.op == "ResNet" || golden.op == "Vgg" || golden.op == "DenseNet" || golden.op == "EfficientNet";
}

/// Gradients of a whole network are long chains of float32 sums. Some are small differences of large numbers, and each
/// compiler adds and rounds the terms in a different order. In float64 these errors are negligible.
double network_gradient_tolerance(DType dtype) { return dtype == DType::float32 ? 1e-4 : 1e-6; }

void compare(const std::string& what, const Tensor& actual, const Tensor& expected, double tolerance) {
    INFO(what);
    REQUIRE(actual.defined());
    REQUIRE(actual.shape() == expected.shape());
    CHECK(actual.device() == default_device());
    CHECK(relative_difference(actual, expected) < tolerance);
}

TensorMap leaves(const GoldenCase& golden, const GoldenRun& run) {
    TensorMap inputs;
    for (const auto& [name, tensor] : golden.inputs) {
        inputs[name] = prepared(tensor, run.dtype, is_activation(name, tensor) ? run.input : Layout::row_major);
        if (golden.gradients.contains(name)) inputs[name].set_requires_grad();
    }
    return inputs;
}

/// Compares all recorded results, changed inputs and gradients.
void compare_all(const GoldenCase& golden, const GoldenRun& run, const TensorMap& inputs, const TensorMap& results) {
    const double tolerance = run.dtype == DType::float32 ? 1e-5 : 1e-6;
    for (const auto& [name, expected] : golden.results) {
        const bool is_input = name.starts_with("after_");
        const auto& where = is_input ? inputs : results;
        const auto found = where.find(is_input ? name.substr(6) : name);
        INFO("result " << name);
        REQUIRE(found != where.end());
        compare(name, found->second, expected, tolerance);
    }
    for (const auto& [name, expected] : golden.gradients)
        compare("gradient of " + name, inputs.at(name).grad(), expected,
                is_network(golden) ? network_gradient_tolerance(run.dtype) : tolerance);
}

}  // namespace

std::pair<std::int64_t, std::int64_t> GoldenCase::pair(const char* key, std::int64_t otherwise) const {
    if (!attributes.contains(key)) return {otherwise, otherwise};
    return {attributes.at(key).at(0), attributes.at(key).at(1)};
}

const std::vector<GoldenCase>& golden_cases(const std::string& file) {
    static std::map<std::string, std::vector<GoldenCase>> files;
    auto& cases = files[file];
    if (cases.empty()) cases = read_cases(file);
    return cases;
}

std::vector<GoldenCase> golden_cases(const std::string& file, const std::string& op, std::size_t count) {
    std::vector<GoldenCase> found;
    for (const auto& golden : golden_cases(file))
        if (golden.op == op) found.push_back(golden);
    INFO(file << ": cases of " << op);
    REQUIRE(found.size() == count);
    return found;
}

std::string GoldenRun::str() const {
    return fmt::format("{}, {} input, {} gradient", name_of(dtype), name_of(input), name_of(gradient));
}

std::vector<GoldenRun> golden_runs(const GoldenCase& golden) {
    std::vector<Layout> inputs = {Layout::row_major}, gradients = {Layout::row_major};
    for (const auto& [name, tensor] : golden.inputs)
        if (is_activation(name, tensor)) inputs = {Layout::row_major, Layout::channels_last};
    if (golden.seed.defined() && golden.seed.rank() == 4) gradients = {Layout::row_major, Layout::channels_last};
    std::vector<GoldenRun> runs;
    for (const DType dtype : {DType::float32, DType::float64})
        for (const Layout input : inputs)
            for (const Layout gradient : gradients) runs.push_back({dtype, input, gradient});
    return runs;
}

void check_golden(const GoldenCase& golden, const GoldenRun& run, const GoldenFunction& function) {
    TensorMap inputs = leaves(golden, run);
    const TensorMap results = function(golden, inputs);
    if (!golden.gradients.empty()) backward(results.at("y"), prepared(golden.seed, run.dtype, run.gradient));
    compare_all(golden, run, inputs, results);
}

void check_golden_graph(const GoldenCase& golden, const GoldenRun& run, const GoldenFunction& function) {
    const Tensor seed = golden.gradients.empty() ? Tensor() : prepared(golden.seed, run.dtype, run.gradient);
    const auto compute = [&](TensorMap& inputs) {
        TensorMap results = function(golden, inputs);
        if (seed.defined()) backward(results.at("y"), seed.clone());
        return results;
    };
    TensorMap first = leaves(golden, run), inputs = leaves(golden, run);
    compute(first);  // creates the objects that are made only once (a vendor's plans, cached memory)
    first.clear();
    const int index = default_device().index;
    synchronize(default_device());
    device::begin_capture(index);
    TensorMap results;
    std::string problem;
    try {
        results = compute(inputs);
    } catch (const Error& error) {
        problem = error.what();
    }
    const auto graph = device::end_capture(index);
    REQUIRE(problem == "");
    REQUIRE(graph != nullptr);
    graph->launch();
    compare_all(golden, run, inputs, results);
}

void check_all_golden(const std::string& file, const std::string& op, std::size_t count,
                      const GoldenFunction& function) {
    for (const auto& golden : golden_cases(file, op, count)) {
        for (const auto& run : golden_runs(golden)) {
            DYNAMIC_SECTION(golden.name << ", " << run.str()) { check_golden(golden, run, function); }
        }
    }
}

}  // namespace radial::test
