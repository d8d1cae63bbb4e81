// Default implementations of functions of Backend, the choice of the backend for a device and a type, the number of CPU
// threads, and the settings for TF32 and for the search for convolution algorithms.
#include "radial/core/backend/backend.h"

#include "radial/core/backend/cpu/onednn_backend.h"
#include "radial/core/backend/device_backend.h"
#include "radial/core/backend/reference/reference_backend.h"

#ifdef _OPENMP
#include <omp.h>
#endif
#include <sched.h>

#include <fmt/format.h>

#include <atomic>

namespace radial {

bool Backend::conv_activated(const Tensor&, const Tensor&, const Tensor&, const ConvGeometry&, const Tensor&,
                             Activation, const Tensor&) {
    return false;
}

void Backend::batched_gemm(bool transpose_a, bool transpose_b, double alpha, const Tensor& a, const Tensor& b,
                           double beta, const Tensor& c) {
    const auto matrix = [](const Tensor& batch, std::int64_t i) {
        return batch.rows(i, i + 1).view({batch.size(1), batch.size(2)});
    };
    for (std::int64_t i = 0; i < c.size(0); ++i)
        gemm(transpose_a, transpose_b, alpha, matrix(a, i), matrix(b, i), beta, matrix(c, i));
}

namespace {

thread_local int reference_wanted = 0;
std::atomic<bool> tf32 = false, search = true;

}  // namespace

Backend& backend_for(Device device, DType dtype) {
    if (device.kind == Device::Kind::cuda) {
        const std::string reason = device::unavailable(device.index);
        RADIAL_CHECK(reason.empty(), "{}", reason);
    }
    RADIAL_CHECK(is_floating(dtype), "backend: no arithmetic on {}, expected float32, float64 or bfloat16",
                 name_of(dtype));
    if (dtype == DType::float64 || reference_wanted > 0) return reference_backend();
    if (device.kind == Device::Kind::cuda) return device_backend(device, dtype);
    static OneDnnBackend cpu;
    static Bf16Backend cpu_bf16;
    if (dtype == DType::bfloat16) return cpu_bf16;
    return cpu;
}

UseReferenceBackend::UseReferenceBackend() { ++reference_wanted; }
UseReferenceBackend::~UseReferenceBackend() { --reference_wanted; }

int available_cores() {
#ifdef _OPENMP
    return omp_get_num_procs();  // with OMP_PROC_BIND, this thread may run on one core only, but its team on others
#else
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
#endif
}

void set_num_threads(int threads) {
    RADIAL_CHECK(threads >= 0, "threads: {} is negative; 0 means every core", threads);
    const int wanted = threads == 0 ? available_cores() : threads;
#ifdef _OPENMP
    omp_set_num_threads(wanted);
#else
    static_cast<void>(wanted);
#endif
}

int num_threads() {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

std::string describe_device(Device device) {
    const Backend& backend = backend_for(device, DType::float32);
    return fmt::format("device: {}, {}, {} thread{}", device.str(), backend.describe(), num_threads(),
                       num_threads() == 1 ? "" : "s");
}

bool allow_tf32() { return tf32; }
void set_allow_tf32(bool on) { tf32 = on; }

bool conv_search() { return search; }
void set_conv_search(bool on) { search = on; }

}  // namespace radial
