// Runs the kernel bodies that host and device share on both, and compares. Exits 77 where there is no CUDA device.
#include "radial/core/cuda/device.h"
#include "radial/core/error.h"
#include "radial/core/kernels/heads.h"
#include "radial/core/kernels/memory_index.h"
#include "radial/core/kernels/philox.h"

#include <cuda_runtime.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace radial::test {
namespace {

constexpr int skipped = 77;  // ctest's SKIP_RETURN_CODE
constexpr std::int64_t samples = 1000, classes = 10;

void check(cudaError_t code, const char* call) {
    RADIAL_CHECK(code == cudaSuccess, "{}: {}", call, cudaGetErrorString(code));
}

struct DeviceFree {
    void operator()(void* data) const {
        const cudaError_t code = cudaFree(data);
        if (code != cudaSuccess) std::fprintf(stderr, "cudaFree: %s\n", cudaGetErrorString(code));
    }
};

// ---- The bodies under test: each changes row i of `data` in place. ----

struct PhiloxBlock {
    RADIAL_HD void operator()(std::uint32_t* data, std::int64_t i) const {
        const auto low = static_cast<std::uint64_t>(i);
        const kernels::Philox4 block = kernels::philox(~low, low << 30, low * 0x9E3779B97F4A7C15);
        for (int k = 0; k < 4; ++k) data[4 * i + k] = block.word[k];
    }
};

struct RandomBits {
    RADIAL_HD void operator()(std::uint32_t* data, std::int64_t i) const {
        data[i] = kernels::random_bits(7, static_cast<std::uint64_t>(i));
    }
};

struct ToUnit {
    RADIAL_HD void operator()(float* data, std::int64_t i) const {
        data[i] = kernels::to_unit(kernels::random_bits(7, static_cast<std::uint64_t>(i)));
    }
};

struct ElementPlace {
    kernels::MemoryIndex place;
    RADIAL_HD void operator()(std::int64_t* data, std::int64_t i) const { data[i] = place(i); }
};

/// Row: a product and two squared norms; the distance replaces the product.
struct SquaredDistance {
    static constexpr std::int64_t width = 3;
    template <class T>
    RADIAL_HD void operator()(T* data, std::int64_t i) const {
        T* const row = data + i * width;
        row[0] = kernels::squared_distance(row[0], row[1], row[2]);
    }
};

/// Row: logits, and a place for the result.
struct LogSumExp {
    static constexpr std::int64_t width = classes + 1;
    template <class T>
    RADIAL_HD void operator()(T* data, std::int64_t i) const {
        T* const row = data + i * width;
        row[classes] = kernels::log_sum_exp(row, classes);
    }
};

/// Row: logits, and a place for the loss.
struct CrossEntropyRow {
    static constexpr std::int64_t width = classes + 1;
    template <class T>
    RADIAL_HD void operator()(T* data, std::int64_t i) const {
        T* const row = data + i * width;
        const T smoothing = i % 2 == 0 ? T{0} : static_cast<T>(0.1);
        row[classes] = kernels::cross_entropy_row(row, classes, i % classes, smoothing, static_cast<T>(0.5));
    }
};

/// Row: products, the prototypes' squared norms, the feature's, and places for loss, own distance and own kernel.
struct RbfSoftmaxRow {
    static constexpr std::int64_t width = 2 * classes + 4;
    template <class T>
    RADIAL_HD void operator()(T* data, std::int64_t i) const {
        T* const row = data + i * width;
        T* const rest = row + 2 * classes;
        rest[1] = kernels::rbf_softmax_row(row, classes, i % classes, rest[0], row + classes, T{2}, T{3},
                                           static_cast<T>(0.5), rest + 2, rest + 3);
    }
};

// ---- Running them ----

template <class T, class F>
__global__ void run_rows(F body, T* data, std::int64_t count) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (i < count) body(data, i);
}

template <class T, class F>
std::vector<T> on_device(std::vector<T> data, std::int64_t count, const F& body) {
    constexpr unsigned threads = 128;
    const std::size_t bytes = data.size() * sizeof(T);
    T* block = nullptr;
    check(cudaMalloc(&block, bytes), "cudaMalloc");
    const std::unique_ptr<T, DeviceFree> owner(block);
    check(cudaMemcpy(block, data.data(), bytes, cudaMemcpyHostToDevice), "cudaMemcpy to the device");
    run_rows<<<(static_cast<unsigned>(count) + threads - 1) / threads, threads>>>(body, block, count);
    check(cudaGetLastError(), "launch");
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    check(cudaMemcpy(data.data(), block, bytes, cudaMemcpyDeviceToHost), "cudaMemcpy from the device");
    return data;
}

/// Largest |a - b| / max(1, |b|) for floating types; for integers, the number of elements that differ.
template <class T>
double difference(const std::vector<T>& a, const std::vector<T>& b) {
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if constexpr (std::is_integral_v<T>) {
            worst += a[i] == b[i] ? 0 : 1;
        } else {
            if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
            const double error = std::abs(double{a[i]} - double{b[i]}) / std::max(1.0, std::abs(double{b[i]}));
            worst = std::max(worst, std::isfinite(error) ? error : std::numeric_limits<double>::infinity());
        }
    }
    return worst;
}

/// Counts the bodies whose results on the device are further than `tolerance` from the host's.
class Comparison {
public:
    int failures() const { return failures_; }

    template <class T, class F>
    void compare(const std::string& name, const std::vector<T>& input, std::int64_t count, double tolerance,
                 const F& body) {
        std::vector<T> expected = input;
        for (std::int64_t i = 0; i < count; ++i) body(expected.data(), i);
        const double found = difference(on_device(input, count, body), expected);
        const bool good = found <= tolerance;
        fmt::print("{} {}: difference {:.3g}, at most {:.3g}\n", good ? "ok    " : "FAILED", name, found, tolerance);
        if (!good) ++failures_;
    }

private:
    int failures_ = 0;
};

/// `count` numbers in [low, high), the same every time.
template <class T>
std::vector<T> random_numbers(std::int64_t count, double low, double high) {
    std::vector<T> numbers(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        numbers[i] = static_cast<T>(low + (high - low) * double{kernels::to_unit(kernels::random_bits(3, i))});
    }
    return numbers;
}

/// Bodies that compute no rounded number: equal bit for bit.
void compare_exact(Comparison& comparison) {
    comparison.compare("philox", std::vector<std::uint32_t>(4 * samples), samples, 0, PhiloxBlock{});
    comparison.compare("random_bits", std::vector<std::uint32_t>(samples), samples, 0, RandomBits{});
    comparison.compare("to_unit", std::vector<float>(samples), samples, 0, ToUnit{});
    for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
        const Tensor x = Tensor::empty({3, 5, 2, 7}, DType::float32, {}, layout);
        comparison.compare(fmt::format("MemoryIndex, {}", name_of(layout)), std::vector<std::int64_t>(210), 210, 0,
                           ElementPlace{kernels::MemoryIndex(x)});
    }
}

template <class T>
void compare_floating(Comparison& comparison, const std::string& type, double tolerance) {
    const auto rows = [](std::int64_t width) { return random_numbers<T>(samples * width, -4, 4); };
    comparison.compare("squared_distance, " + type, rows(SquaredDistance::width), samples, tolerance,
                       SquaredDistance{});
    std::vector<T> logits = rows(LogSumExp::width);
    logits[0] = std::numeric_limits<T>::infinity();                         // row 0: the answer is infinite
    logits[LogSumExp::width] = std::numeric_limits<T>::quiet_NaN();         // row 1: a NaN passes through
    for (int k = 0; k < 10; ++k) logits[2 * LogSumExp::width + k] = 10000;  // row 2: exp would overflow
    comparison.compare("log_sum_exp, " + type, logits, samples, tolerance, LogSumExp{});
    comparison.compare("cross_entropy_row, " + type, rows(CrossEntropyRow::width), samples, tolerance,
                       CrossEntropyRow{});
    std::vector<T> products = rows(RbfSoftmaxRow::width);
    for (std::size_t i = 0; i < products.size(); ++i) {
        if (i % RbfSoftmaxRow::width >= classes) products[i] = products[i] + 4;  // squared norms are not negative
    }
    comparison.compare("rbf_softmax_row, " + type, products, samples, tolerance, RbfSoftmaxRow{});
}

int run() {
    const cuda::Devices devices = cuda::find_devices();
    if (devices.count == 0) {
        fmt::print("no CUDA device: {}\n", devices.answer);
        return skipped;
    }
    Comparison comparison;
    compare_exact(comparison);
    compare_floating<float>(comparison, "float32", 1e-5);
    compare_floating<double>(comparison, "float64", 1e-13);
    return comparison.failures() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace radial::test

int main() {
    try {
        return radial::test::run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "radial-cuda-kernels: %s\n", error.what());
        return 1;
    }
}
