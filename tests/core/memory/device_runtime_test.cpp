// Tests of a CUDA device's public interface: access to its memory, copies, statistics, exhausted memory, faults,
// graphs.
#include "radial/core/memory/device_runtime.h"

#include "../../expect.h"
#include "radial/core/backend/backend.h"
#include "radial/core/kernels/launch.h"
#include "radial/core/memory/allocator.h"
#include "radial/core/ops.h"
#ifdef RADIAL_EMULATED_CUDA
#include "radial/core/memory/emulated/emulator.h"
#endif

#include <cmath>
#include <cstring>

using namespace radial;
using namespace radial::test;
using Values = std::vector<double>;

namespace {

struct AddOne {
    float* data;
    RADIAL_HD void operator()(std::int64_t i) const { data[i] += 1; }
};

/// Reports an index out of bounds, as the kernel of an op does.
struct RaiseAt {
    device::Fault* fault;
    std::int64_t bad;
    RADIAL_HD void operator()(std::int64_t i) const {
        if (i != bad) return;
        fault->sample = i;
        fault->value = 12;
        fault->limit = 10;
        fault->raised = 1;
    }
};

std::vector<std::uint8_t> bytes_counting_from(std::size_t count, std::size_t first) {
    std::vector<std::uint8_t> bytes(count);
    for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>((first + i * 7) % 251);
    return bytes;
}

Tensor on_device(const std::vector<std::uint8_t>& bytes) {
    return Tensor::from(bytes, {static_cast<std::int64_t>(bytes.size())});
}

}  // namespace

TEST_CASE("the host may not look at a device's elements", "[device]") {
    const Tensor x = Tensor::zeros({3});
    CHECK(error_of([&] { x.values<float>(); }) ==
          "values: float32[3] is on " + default_device().str() + "; copy it to the CPU first");
    CHECK(x.to(Device{}).values<float>()[2] == 0);
}

TEST_CASE("a tensor on a device knows where it is and goes back and forth unchanged", "[device]") {
    const Tensor x = Tensor::from<float>({1, -2, 3.5}, {3}, Device{});
    const Tensor there = x.to(default_device());
    CHECK(there.device() == default_device());
    CHECK(there.to(default_device()).raw() == there.raw());
    const Tensor back = there.to(Device{});
    CHECK(back.device() == Device{});
    CHECK(differences(back.to_vector<float>(), x.to_vector<float>()) == "");
}

TEST_CASE("copies of any size arrive whole", "[device]") {
    constexpr std::size_t piece = std::size_t{4} << 20;  // the size of one piece of a copy to the host
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{3}, std::size_t{511}, std::size_t{4097},
                                    std::size_t{1'000'003}, piece - 1, piece, piece + 1, 2 * piece + 5}) {
        INFO(count << " bytes");
        const auto bytes = bytes_counting_from(count, count);
        CHECK(differences(on_device(bytes).to_vector<std::uint8_t>(), bytes) == "");
    }
}

TEST_CASE("what a copy to a device was made from may change or die at once", "[device]") {
    std::vector<Tensor> copies;
    std::vector<std::uint8_t> reused;
    for (std::size_t k = 0; k < 100; ++k) {
        reused = bytes_counting_from(1000 + k, k);
        copies.push_back(on_device(reused));
        std::fill(reused.begin(), reused.end(), std::uint8_t{255});
        copies.push_back(on_device(bytes_counting_from(10 + k, k)));
    }
    for (std::size_t k = 0; k < 100; ++k) {
        CHECK(differences(copies[2 * k].to_vector<std::uint8_t>(), bytes_counting_from(1000 + k, k)) == "");
        CHECK(differences(copies[2 * k + 1].to_vector<std::uint8_t>(), bytes_counting_from(10 + k, k)) == "");
    }
}

TEST_CASE("a copy runs between what was submitted before and after it", "[device]") {
    const Tensor x = Tensor::full({1000}, 1);
    const Tensor ones = x.clone();
    x.fill_(2);
    const Tensor twos = x.clone();
    x.copy_(Tensor::full({1000}, 3, DType::float32, Device{}));
    const Tensor threes = x.clone();
    x.fill_(4);
    CHECK(ones.to_vector<double>() == Values(1000, 1));
    CHECK(twos.to_vector<double>() == Values(1000, 2));
    CHECK(threes.to_vector<double>() == Values(1000, 3));
    CHECK(x.to_vector<double>() == Values(1000, 4));
}

TEST_CASE("released memory is reused, in order, before the device has finished with it", "[device]") {
    release_cached_memory(default_device());
    const Tensor kept = Tensor::zeros({10'000});
    release_cached_memory(default_device());  // so that no other cached block of this size can be returned
    const void* address = nullptr;
    for (int k = 0; k < 20; ++k) {
        const Tensor temporary = Tensor::full({10'000}, k);
        if (k > 0) CHECK(temporary.raw() == address);
        address = temporary.raw();
        if (k == 7) kept.copy_(temporary);
    }
    CHECK(kept.to_vector<double>() == Values(10'000, 7));
}

TEST_CASE("an event is reached when all that came before it has run", "[device]") {
    const int index = default_device().index;
    const Tensor x = Tensor::full({1000}, 1);
    const auto event = device::mark(index);
    synchronize(default_device());
    CHECK(event->reached());
    CHECK(x.to_vector<double>() == Values(1000, 1));
}

TEST_CASE("each device's memory is counted by itself", "[device]") {
    const std::size_t host = memory_statistics(Device{}).current;
    const std::size_t before = memory_statistics(default_device()).current;
    reset_peak_memory(default_device());
    {
        const Tensor x = Tensor::empty({1 << 20});
        CHECK(memory_statistics(default_device()).current == before + x.bytes());
        CHECK(memory_statistics(Device{}).current == host);
    }
    CHECK(memory_statistics(default_device()).current == before);
    CHECK(memory_statistics(default_device()).peak >= before + (std::size_t{4} << 20));
    release_cached_memory(default_device());
    CHECK(memory_statistics(default_device()).reserved < before + (std::size_t{4} << 20));
}

TEST_CASE("more memory than a device has is an error that says what there is", "[device]") {
    const device::Memory memory = device::memory(default_device().index);
    CHECK(memory.free <= memory.total);
    const std::string problem =
        error_of<OutOfMemory>([&] { Tensor::empty({static_cast<std::int64_t>(memory.total) + 4096}, DType::uint8); });
    CHECK(problem.starts_with(fmt::format("out of memory: asked for {} bytes; ", memory.total + 4096)));
    CHECK(problem.find(" free of " + std::to_string(memory.total)) != std::string::npos);
    CHECK(problem.ends_with("Try a smaller batch"));
    CHECK(Tensor::full({4}, 2).to_vector<double>() == Values(4, 2));
}

TEST_CASE("an index out of bounds on a device is an error at the next wait, and at that one alone", "[device]") {
    const Device device = default_device();
    kernels::map(device, 100, RaiseAt{device::fault(device.index), 42});
    CHECK(error_of([&] { synchronize(device); }) == device.str() + ": index 12 of sample 42 is outside [0, 10)");
    synchronize(device);
    CHECK(Tensor::full({1}, 5).item() == 5);
}

TEST_CASE("a graph runs what was recorded as often as it is launched, and recording runs nothing", "[device]") {
    const int index = default_device().index;
    const Tensor x = Tensor::zeros({300});
    synchronize(default_device());
    device::begin_capture(index);
    CHECK(device::capturing(index));
    kernels::map(default_device(), 300, AddOne{x.data<float>()});
    kernels::map(default_device(), 300, AddOne{x.data<float>()});
    const auto graph = device::end_capture(index);
    REQUIRE(graph != nullptr);
    CHECK_FALSE(device::capturing(index));
    CHECK(graph->nodes() == 2);
    CHECK(x.to_vector<double>() == Values(300, 0));
    for (int k = 0; k < 3; ++k) graph->launch();
    CHECK(x.to_vector<double>() == Values(300, 6));
}

TEST_CASE("nothing passes between host and device while a graph is recorded", "[device]") {
    const std::string here = default_device().str();
    const Tensor x = Tensor::zeros({3}), host = Tensor::zeros({3}, DType::float32, Device{});
    synchronize(default_device());
    device::begin_capture(default_device().index);
    const std::string from = error_of([&] { x.to_vector<float>(); }), to = error_of([&] { x.copy_(host); });
    device::end_capture(default_device().index);
    CHECK(from == here + ": 12 bytes cannot be copied from the device while a graph is captured");
    CHECK(to == here + ": 12 bytes cannot be copied to the device while a graph is captured");
    CHECK(x.to_vector<double>() == Values(3, 0));
}

TEST_CASE("what a pool's tensors lay in is left alone by all others while the pool lives", "[device]") {
    release_cached_memory(default_device());
    const void* address = nullptr;
    {
        MemoryPool pool(default_device());
        pool.enter();
        address = Tensor::empty({12'345}).raw();
        pool.leave();
        const Tensor other = Tensor::empty({12'345});
        CHECK(other.raw() != address);
        pool.enter();
        CHECK(Tensor::empty({12'345}).raw() == address);
        pool.leave();
    }
    const Tensor a = Tensor::empty({12'345}), b = Tensor::empty({12'345});
    CHECK((a.raw() == address || b.raw() == address));
}

TEST_CASE("a device is described in one line", "[device]") {
    const std::string line = device::describe(default_device().index);
    CHECK_FALSE(line.empty());
    CHECK(line.find('\n') == std::string::npos);
    CHECK(device::unavailable(default_device().index).empty());
}

TEST_CASE("an op of tensors on different devices is refused", "[device]") {
    const Tensor here = Tensor::zeros({2, 2}), there = Tensor::zeros({2, 2}, DType::float32, Device{});
    CHECK(error_of([&] { add(here, there); }).find("cpu") != std::string::npos);
    CHECK(error_of([&] { matmul(here, there); }).find("cpu") != std::string::npos);
}

#ifdef RADIAL_EMULATED_CUDA

namespace {

/// During its lifetime, the device has at most `bytes` of memory.
class SmallDevice {
public:
    explicit SmallDevice(std::size_t bytes) {
        release_cached_memory(default_device());
        emulated::set_memory(bytes);
    }
    SmallDevice(const SmallDevice&) = delete;
    SmallDevice& operator=(const SmallDevice&) = delete;
    ~SmallDevice() { emulated::set_memory(0); }
};

}  // namespace

TEST_CASE("the emulated device runs what is submitted only when somebody waits", "[device]") {
    synchronize(default_device());
    const std::size_t waits = emulated::waits();
    const Tensor x = Tensor::full({10}, 1), y = x + x;
    const Tensor copied = Tensor::from<float>({1, 2, 3}, {3});
    const auto event = device::mark(default_device().index);
    CHECK(emulated::pending() >= 3);
    CHECK_FALSE(event->reached());
    CHECK(emulated::waits() == waits);
    CHECK(y.to_vector<double>() == Values(10, 2));
    CHECK(emulated::waits() > waits);
    CHECK(emulated::pending() == 0);
    CHECK(event->reached());
}

TEST_CASE("fresh memory of the emulated device is full of NaN", "[device]") {
    release_cached_memory(default_device());
    for (const DType dtype : {DType::float32, DType::float64, DType::bfloat16})
        for (const double value : Tensor::empty({1000}, dtype).to_vector<double>()) REQUIRE(std::isnan(value));
}

TEST_CASE("the emulated device refuses a kernel that was handed host memory", "[device]") {
    std::vector<float> host(10);
    const std::string problem = error_of([&] { kernels::map(default_device(), 10, AddOne{host.data()}); });
    CHECK(problem.find("was handed host memory (word 0 of its functor") != std::string::npos);
    const Tensor tensor = Tensor::zeros({10}, DType::float32, Device{});
    CHECK(error_of([&] { kernels::map(default_device(), 10, AddOne{tensor.data<float>()}); }).find("host memory") !=
          std::string::npos);
}

TEST_CASE("the emulated device does not take what lies between a functor's members for an address", "[device]") {
    struct Padded {
        float* data;
        std::int32_t step;
        void operator()(std::int64_t i) const { data[i] += static_cast<float>(step != 0); }
    };
    static_assert(sizeof(Padded) == 16);
    const std::vector<float> host(10);
    const Tensor x = Tensor::zeros({10});
    const auto address = reinterpret_cast<std::uintptr_t>(host.data());
    Padded f{};
    std::memcpy(reinterpret_cast<std::byte*>(&f) + 8, &address, 8);  // the lower half is `step`, the rest is padding
    f.data = x.data<float>();
    kernels::map(default_device(), 10, f);
    CHECK(x.to_vector<double>() == Values(10, 1));
}

TEST_CASE("a device that runs out says what was asked and what is free, and goes on with less", "[device]") {
    constexpr std::size_t MiB = std::size_t{1} << 20;
    const std::size_t used = device::memory(0).total - device::memory(0).free;
    const SmallDevice guard(used + 10 * MiB);
    const std::size_t held = memory_statistics(default_device()).current;
    const std::string problem = error_of<OutOfMemory>([] { Tensor::zeros({12, 1 << 18}); });
    const device::Memory memory = device::memory(0);
    CHECK(problem ==
          fmt::format("out of memory: asked for {} bytes; {} are in tensors, {} reserved; cuda:0 has {} free "
                      "of {}. Try a smaller batch",
                      12 * MiB, held, memory_statistics(default_device()).reserved, memory.free, memory.total));
    const Tensor smaller = Tensor::full({6, 1 << 18}, 2);
    CHECK(sum(smaller).item() == 12 * (1 << 18));
}

TEST_CASE("running out within backward leaves a process that can go on", "[device]") {
    constexpr std::size_t MiB = std::size_t{1} << 20;
    const auto deep = [](const Tensor& x) {
        Tensor y = x;
        for (int k = 0; k < 3; ++k) y = radial::tanh(y);
        return sum(y);
    };
    const auto gradient = [&](std::int64_t rows) {
        const Tensor x = Tensor::full({rows, 1 << 18}, 0.5).set_requires_grad();
        deep(x).backward();
        return x.grad().to_vector<float>().front();
    };
    const float expected = gradient(1);
    const std::size_t before = memory_statistics(default_device()).current;
    release_cached_memory(default_device());
    {
        const SmallDevice guard(device::memory(0).total - device::memory(0).free + 18 * MiB);
        {
            const Tensor x = Tensor::full({4, 1 << 18}, 0.5).set_requires_grad(), loss = deep(x);  // 16 MiB in all
            CHECK_THROWS_AS(loss.backward(), OutOfMemory);
        }
        CHECK(memory_statistics(default_device()).current == before);
        CHECK(gradient(1) == expected);
    }
    CHECK(gradient(4) == expected);
}

#endif
