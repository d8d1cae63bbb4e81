// Creates cuDNN's plans for the networks' convolutions, for devices that need not be in this machine.
#include "../expect.h"
#include "radial/core/backend/cuda/cudnn_graph.h"

#include <algorithm>

using namespace radial;
using namespace radial::cuda;
using test::error_of;

namespace {

constexpr std::int64_t workspace_limit = std::int64_t{1} << 30;

/// The properties of an NVIDIA H100 (SXM) in cuDNN's format.
constexpr const char* h100 = R"({"deviceVer": 900, "multiProcessorCount": 132, "warpSize": 32,
    "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448, "reservedSharedMemoryPerBlock": 1024,
    "maxRegistersPerSM": 65536, "maxCtasPerSM": 32, "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048,
    "regsPerBlock": 65536, "totalGlobalMem": 85017034752, "smClockRateKHz": 1980000, "l2CacheSize": 52428800,
    "maxBlockSize": [1024, 1024, 64], "memClockRateKHz": 2619000, "maxGridSize": [2147483647, 65535, 65535],
    "supportCoopLaunch": 1, "pciDeviceId": 0, "isTccDriver": 0, "cudaDeviceId": 0, "driverVer": 13000,
    "deviceName": "NVIDIA H100 80GB HBM3"})";

/// The properties of an NVIDIA A100 (SXM, 40 GB).
constexpr const char* a100 = R"({"deviceVer": 800, "multiProcessorCount": 108, "warpSize": 32,
    "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 166912, "reservedSharedMemoryPerBlock": 1024,
    "maxRegistersPerSM": 65536, "maxCtasPerSM": 32, "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048,
    "regsPerBlock": 65536, "totalGlobalMem": 42298834944, "smClockRateKHz": 1410000, "l2CacheSize": 41943040,
    "maxBlockSize": [1024, 1024, 64], "memClockRateKHz": 1215000, "maxGridSize": [2147483647, 65535, 65535],
    "supportCoopLaunch": 1, "pciDeviceId": 0, "isTccDriver": 0, "cudaDeviceId": 0, "driverVer": 13000,
    "deviceName": "NVIDIA A100-SXM4-40GB"})";

/// A convolution with a square window on square images: channels, image size, filters, window size, stride, padding.
struct Conv {
    std::int64_t c, h, k, r, stride = 1, pad = 0, dilation = 1, groups = 1;
};

struct Precision {
    const char* name;
    DType dtype;
    bool tf32;
};
constexpr Precision precisions[] = {
    {"float32", DType::float32, false}, {"TF32", DType::float32, true}, {"bfloat16", DType::bfloat16, false}};
constexpr ConvKind kinds[] = {ConvKind::forward, ConvKind::backward_data, ConvKind::backward_weights};

ConvProblem problem_of(ConvKind kind, std::int64_t batch, const Conv& conv, const Precision& precision,
                       std::int64_t alignment = 16) {
    const ConvGeometry geometry{conv.stride,   conv.stride,   conv.pad,   conv.pad,
                                conv.dilation, conv.dilation, conv.groups};
    const std::int64_t p = conv_extent(conv.h, conv.r, conv.stride, conv.pad, conv.dilation);
    const auto operand = [&](const Shape& shape) {
        return conv_operand(shape, precision.dtype, Layout::channels_last, alignment);
    };
    return {.kind = kind,
            .x = operand({batch, conv.c, conv.h, conv.h}),
            .w = operand({conv.k, conv.c / conv.groups, conv.r, conv.r}),
            .y = operand({batch, conv.k, p, p}),
            .geometry = geometry,
            .tf32 = precision.tf32};
}

/// Checks that each convolution has a plan within the workspace limit, for each direction, precision and device.
void check_plans(std::int64_t batch, const std::vector<Conv>& convs, std::int64_t alignment = 16) {
    for (const char* device : {h100, a100}) {
        const CudnnDescriptor properties = device_properties(device);
        for (const Conv& conv : convs) {
            for (const Precision& precision : precisions) {
                for (const ConvKind kind : kinds) {
                    const ConvProblem problem = problem_of(kind, batch, conv, precision, alignment);
                    INFO(describe(problem));
                    check(problem);
                    const auto plans = conv_plans(problem, {.properties = properties.get()}, 1, workspace_limit);
                    REQUIRE(plans.size() == 1);
                    CHECK(plans[0].workspace_bytes() <= workspace_limit);
                }
            }
        }
    }
}

/// The convolutions of a ResNet-50 on images of 224x224: the stem, and the different convolutions of the first two
/// blocks of each stage.
std::vector<Conv> resnet50() {
    std::vector<Conv> convs{{.c = 3, .h = 224, .k = 64, .r = 7, .stride = 2, .pad = 3}};
    std::int64_t in = 64, size = 56;
    for (const std::int64_t width : {64, 128, 256, 512}) {
        const std::int64_t stride = width == 64 ? 1 : 2, out = 4 * width, small = size / stride;
        convs.push_back({.c = in, .h = size, .k = width, .r = 1});
        convs.push_back({.c = width, .h = size, .k = width, .r = 3, .stride = stride, .pad = 1});
        convs.push_back({.c = in, .h = size, .k = out, .r = 1, .stride = stride});
        convs.push_back({.c = width, .h = small, .k = out, .r = 1});
        convs.push_back({.c = out, .h = small, .k = width, .r = 1});
        convs.push_back({.c = width, .h = small, .k = width, .r = 3, .pad = 1});
        in = out, size = small;
    }
    return convs;
}

}  // namespace

TEST_CASE("every convolution of LeNets++ has a plan", "[host][cuda][conv]") {
    check_plans(128, {{.c = 1, .h = 28, .k = 32, .r = 5, .pad = 2},
                      {.c = 32, .h = 28, .k = 32, .r = 5, .pad = 2},
                      {.c = 32, .h = 14, .k = 64, .r = 5, .pad = 2},
                      {.c = 64, .h = 14, .k = 64, .r = 5, .pad = 2},
                      {.c = 64, .h = 7, .k = 128, .r = 5, .pad = 2},
                      {.c = 128, .h = 7, .k = 128, .r = 5, .pad = 2}});
}

TEST_CASE("every convolution of ResNet-20 has a plan", "[host][cuda][conv]") {
    check_plans(128, {{.c = 3, .h = 32, .k = 16, .r = 3, .pad = 1},
                      {.c = 16, .h = 32, .k = 16, .r = 3, .pad = 1},
                      {.c = 16, .h = 32, .k = 32, .r = 3, .stride = 2, .pad = 1},
                      {.c = 16, .h = 32, .k = 32, .r = 1, .stride = 2},
                      {.c = 32, .h = 16, .k = 32, .r = 3, .pad = 1},
                      {.c = 32, .h = 16, .k = 64, .r = 3, .stride = 2, .pad = 1},
                      {.c = 32, .h = 16, .k = 64, .r = 1, .stride = 2},
                      {.c = 64, .h = 8, .k = 64, .r = 3, .pad = 1}});
}

TEST_CASE("every convolution of ResNet-50 has a plan", "[host][cuda][conv]") { check_plans(64, resnet50()); }

TEST_CASE("a last batch of odd size has plans", "[host][cuda][conv]") {
    check_plans(97, {{.c = 1, .h = 28, .k = 32, .r = 5, .pad = 2}, {.c = 64, .h = 14, .k = 64, .r = 5, .pad = 2}});
    check_plans(1, {{.c = 64, .h = 56, .k = 64, .r = 3, .pad = 1}});
}

TEST_CASE("grouped, depthwise, dilated and odd convolutions have plans", "[host][cuda][conv]") {
    check_plans(5, {{.c = 6, .h = 9, .k = 4, .r = 3, .pad = 1, .groups = 2},
                    {.c = 32, .h = 28, .k = 32, .r = 3, .pad = 1, .groups = 32},
                    {.c = 128, .h = 28, .k = 128, .r = 3, .stride = 2, .pad = 1, .groups = 32},
                    {.c = 32, .h = 28, .k = 64, .r = 3, .pad = 2, .dilation = 2},
                    {.c = 3, .h = 11, .k = 5, .r = 3, .stride = 2, .pad = 1},
                    {.c = 7, .h = 5, .k = 1, .r = 5}});
}

TEST_CASE("operands that lie on the element's own alignment have plans", "[host][cuda][conv]") {
    check_plans(5, {{.c = 3, .h = 9, .k = 5, .r = 3, .pad = 1}, {.c = 32, .h = 14, .k = 32, .r = 3, .pad = 1}}, 4);
}

TEST_CASE("strict float32 turns away the engines that round to TF32, of which cuDNN offers some",
          "[host][cuda][conv]") {
    const CudnnDescriptor properties = device_properties(h100);
    const PlanTarget target{.properties = properties.get()};
    const Conv conv{.c = 64, .h = 56, .k = 64, .r = 3, .pad = 1};
    for (const ConvKind kind : kinds) {
        const ConvProblem strict = problem_of(kind, 64, conv, precisions[0]);
        const ConvProblem tf32 = problem_of(kind, 64, conv, precisions[1]);
        const CudnnDescriptor graph = operation_graph(strict, target);
        int rounding = 0, exact = 0;
        for (const CudnnDescriptor& config : engine_configs(graph.get(), CUDNN_HEUR_MODE_A, target, strict)) {
            const auto notes = numerical_notes(config.get(), strict);
            const bool tensor_core = std::ranges::find(notes, CUDNN_NUMERICAL_NOTE_TENSOR_CORE) != notes.end();
            if (acceptable(notes, strict)) CHECK(!tensor_core);
            if (acceptable(notes, tf32)) ++(tensor_core ? rounding : exact);
        }
        CHECK(rounding > 0);
        CHECK(exact > 0);
    }
}

TEST_CASE("an engine that adds up in another order each run is turned away in every precision", "[host][cuda][conv]") {
    const std::vector notes{CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC};
    for (const Precision& precision : precisions) {
        const Conv conv{.c = 8, .h = 8, .k = 8, .r = 3};
        CHECK(!acceptable(notes, problem_of(ConvKind::backward_weights, 8, conv, precision)));
        CHECK(acceptable({}, problem_of(ConvKind::backward_weights, 8, conv, precision)));
    }
}

TEST_CASE("where no plan keeps to the workspace limit, the most modest is made", "[host][cuda][conv]") {
    const CudnnDescriptor properties = device_properties(h100);
    const PlanTarget target{.properties = properties.get()};
    const Conv conv{.c = 32, .h = 28, .k = 32, .r = 5, .pad = 2};
    const ConvProblem problem = problem_of(ConvKind::forward, 128, conv, precisions[2]);
    const auto modest = conv_plans(problem, target, 4, -1), best = conv_plans(problem, target, 4, workspace_limit);
    REQUIRE(modest.size() == 1);
    CHECK(best.size() == 4);
    for (const ConvPlan& plan : best) CHECK(modest[0].workspace_bytes() <= plan.workspace_bytes());
}

TEST_CASE("a convolution that cuDNN refuses is an error that names it", "[host][cuda][conv]") {
    const CudnnDescriptor properties = device_properties(h100);
    const PlanTarget target{.properties = properties.get()};
    const Conv conv{.c = 8, .h = 8, .k = 16, .r = 3, .pad = 1};

    ConvProblem problem = problem_of(ConvKind::forward, 8, conv, precisions[0]);
    problem.y.extents[2] = 9;
    const std::string refused = error_of([&] { operation_graph(problem, target); });
    CHECK(refused.starts_with(describe(problem) +
                              ": cudnnBackendFinalize(descriptor_.get()) failed: CUDNN_STATUS_BAD_PARAM: "));

    problem = problem_of(ConvKind::backward_weights, 8, conv, precisions[2]);
    problem.w.dtype = DType::float32;
    CHECK(error_of([&] { conv_plans(problem, target, 1, workspace_limit); }) ==
          fmt::format("{}: cuDNN {} has no algorithm for this", describe(problem), cudnnGetVersion()));
}

TEST_CASE("a plan takes its operands and fails only for want of a handle", "[host][cuda][conv]") {
    const CudnnDescriptor properties = device_properties(h100);
    float x = 0, w = 0, y = 0;
    for (const ConvKind kind : kinds) {
        const ConvProblem problem = problem_of(kind, 8, {.c = 8, .h = 8, .k = 16, .r = 3, .pad = 1}, precisions[1]);
        const auto plans = conv_plans(problem, {.properties = properties.get()}, 1, workspace_limit);
        const std::string refused = error_of([&] { plans[0].execute(nullptr, problem, &x, &w, &y, nullptr); });
        CHECK(
            refused.starts_with(describe(problem) + ": cudnnBackendExecute(handle, plan_.get(), pack.get()) failed: "));
    }
}

TEST_CASE("a device that is not described in full is an error in cuDNN's words", "[host][cuda][conv]") {
    const std::string refused = error_of([] { device_properties("{}"); });
    CHECK(refused.starts_with(
        "device properties: cudnnBackendFinalize(descriptor_.get()) failed: CUDNN_STATUS_BAD_PARAM"));
}
