// Emulates a CUDA device on the host, for tests on machines that have none.
//
// It is stricter than a real device, to find mistakes: its memory is inaccessible to the host, submitted work runs only
// when the host waits for it or the queue is full, new memory contains NaNs, and a kernel that is passed a host address
// is rejected.
#include "radial/core/memory/device_runtime.h"
#include "radial/core/memory/emulated/emulator.h"
#include "radial/core/util/error.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace radial {
namespace emulated {
namespace {

constexpr std::size_t alignment = 512, page = 4096, huge_page = std::size_t{2} << 20;

// Adds a gap after each block, so that a kernel that writes past the end of a block does not immediately reach the next
// block.
std::size_t footprint(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment + alignment; }

/// The nearest huge-page boundary at or below (down), or at or above (up), an address.
std::uintptr_t down(std::uintptr_t address) { return address / huge_page * huge_page; }
std::uintptr_t up(std::uintptr_t address) { return down(address + huge_page - 1); }

/// The memory of the device: one reserved range of addresses from which blocks are allocated. It is inaccessible unless
/// unlocked, which it is only while kernels run. Not thread-safe.
class Arena {
public:
    /// Reserves an address range of `capacity` bytes.
    explicit Arena(std::size_t capacity);
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena();

    /// Returns null when there is no room.
    void* allocate(std::size_t bytes);
    void release(void* block, std::size_t bytes);
    std::size_t free_bytes() const { return limit_ - used_; }
    std::size_t limit() const { return limit_; }
    /// Reduces the size of the device's memory, or restores it, to test out-of-memory behaviour.
    void set_limit(std::size_t bytes);
    bool contains(const void* address) const;

    void unlock();
    void lock();

private:
    std::byte* base_ = nullptr;
    std::size_t capacity_, limit_, used_ = 0;
    std::map<std::size_t, std::size_t> free_;  ///< sizes of the free ranges by offset
};

Arena::Arena(std::size_t capacity) : capacity_((capacity + page - 1) / page * page), limit_(capacity_) {
    void* const range = mmap(nullptr, capacity_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    RADIAL_CHECK(range != MAP_FAILED, "emulated device: {} bytes of addresses could not be reserved", capacity_);
    // With huge pages there are few enough pages to lock and unlock them often.
    madvise(range, capacity_, MADV_HUGEPAGE);
    base_ = static_cast<std::byte*>(range);
    free_.emplace(0, capacity_);
}

Arena::~Arena() { munmap(base_, capacity_); }

void* Arena::allocate(std::size_t bytes) {
    const std::size_t size = footprint(bytes);
    if (used_ + size > limit_) return nullptr;
    const auto found = std::find_if(free_.begin(), free_.end(), [&](const auto& run) { return run.second >= size; });
    if (found == free_.end()) return nullptr;
    const auto [offset, length] = *found;
    free_.erase(found);
    if (length > size) free_.emplace(offset + size, length - size);
    used_ += size;
    return base_ + offset;
}

void Arena::release(void* block, std::size_t bytes) {
    const std::size_t size = footprint(bytes);
    used_ -= size;
    const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(block) - base_);
    auto run = free_.emplace(offset, size).first;
    if (run != free_.begin()) {
        const auto before = std::prev(run);
        if (before->first + before->second == run->first) {
            before->second += run->second;
            free_.erase(run);
            run = before;
        }
    }
    const auto after = std::next(run);
    if (after != free_.end() && run->first + run->second == after->first) {
        run->second += after->second;
        free_.erase(after);
    }
    // Returns to the system the huge pages that contained a part of the block and are now entirely free.
    const auto base = reinterpret_cast<std::uintptr_t>(base_);
    const std::uintptr_t first = std::max(up(base + run->first), down(base + offset));
    const std::uintptr_t last = std::min(down(base + run->first + run->second), up(base + offset + size));
    if (first < last) madvise(base_ + (first - base), last - first, MADV_DONTNEED);
}

void Arena::set_limit(std::size_t bytes) { limit_ = std::min(bytes, capacity_); }

bool Arena::contains(const void* address) const { return address >= base_ && address < base_ + capacity_; }

void Arena::unlock() { mprotect(base_, capacity_, PROT_READ | PROT_WRITE); }
void Arena::lock() { mprotect(base_, capacity_, PROT_NONE); }

using Work = std::function<void()>;

struct Emulator {
    Arena arena{std::size_t{16} << 30};
    std::vector<Work> queue;
    std::optional<std::vector<Work>> recording;
    std::uint64_t submitted = 0, done = 0;
    std::size_t waits = 0;
    device::Fault fault{};
};

// Never destroyed: tensors with static lifetime may outlive any destructor here.
Emulator& emulator() {
    static auto* const instance = new Emulator;
    return *instance;
}

// The device's memory is accessible while the object exists.
class Access {
public:
    Access() { emulator().arena.unlock(); }
    ~Access() { emulator().arena.lock(); }
    Access(const Access&) = delete;
    Access& operator=(const Access&) = delete;
};

void run_all() {
    Emulator& e = emulator();
    const std::vector<Work> work = std::exchange(e.queue, {});
    e.done += work.size();
    const Access access;
    for (const Work& item : work) item();
}

bool is_mapped(std::uintptr_t address) {
#ifdef __SANITIZE_ADDRESS__
    constexpr std::uintptr_t first = std::uintptr_t{1} << 45;  // above the shadow memory of the sanitizer
#else
    constexpr std::uintptr_t first = std::uintptr_t{1} << 16;
#endif
    constexpr std::uintptr_t last = std::uintptr_t{1} << 47;
    if (address < first || address >= last) return false;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the question is whether this number is an address
    return msync(reinterpret_cast<void*>(address & ~(page - 1)), page, MS_ASYNC) == 0;
}

class EmulatedEvent : public device::Event {
public:
    explicit EmulatedEvent(std::uint64_t after) : after_(after) {}
    bool reached() const override { return emulator().done >= after_; }

private:
    std::uint64_t after_;
};

class EmulatedGraph : public device::Graph {
public:
    explicit EmulatedGraph(std::vector<Work> work) : work_(std::move(work)) {}
    void launch() override {
        for (const Work& item : work_) submit(0, item);
    }
    std::size_t nodes() const override { return work_.size(); }

private:
    std::vector<Work> work_;
};

}  // namespace

void submit(int, Work work) {
    Emulator& e = emulator();
    if (e.recording) {
        e.recording->push_back(std::move(work));
        return;
    }
    e.queue.push_back(std::move(work));
    ++e.submitted;
    constexpr std::size_t longest_queue = 4096;
    if (e.queue.size() >= longest_queue) run_all();
}

void check_arguments(std::span<const std::byte> functor, const char* kernel) {
    for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= functor.size(); at += sizeof(std::uintptr_t)) {
        std::uintptr_t word = 0;
        std::memcpy(&word, functor.data() + at, sizeof(word));
        // NOLINTNEXTLINE(performance-no-int-to-ptr): only compared
        if (emulator().arena.contains(reinterpret_cast<const void*>(word))) continue;
        if (word == reinterpret_cast<std::uintptr_t>(&emulator().fault)) continue;  // memory shared by host and device
        RADIAL_CHECK(!is_mapped(word), "kernel {} was handed host memory (word {} of its functor, {:#x})", kernel,
                     at / sizeof(word), word);
    }
}

void set_memory(std::size_t bytes) { emulator().arena.set_limit(bytes == 0 ? std::size_t{16} << 30 : bytes); }
std::size_t pending() { return emulator().queue.size(); }
std::size_t waits() { return emulator().waits; }

}  // namespace emulated

namespace device {

using emulated::emulator;

bool built() { return true; }
bool emulated() { return true; }
int count() { return 1; }

std::string unavailable(int index) {
    if (index == 0) return {};
    return fmt::format("no CUDA device: the driver lists 1, numbered from 0 (asked for cuda:{})", index);
}

std::string describe(int) { return "CUDA: emulated on the host, for tests"; }

void* allocate(int, std::size_t bytes) {
    void* const block = emulator().arena.allocate(bytes);
    // A value whose bits are all ones is a NaN in every floating-point type and negative in every signed integer type.
    constexpr int poison = 0xFF;
    if (block != nullptr) emulated::submit(0, [=] { std::memset(block, poison, bytes); });
    return block;
}

void release(int index, void* block, std::size_t bytes) {
    if (!capturing(index)) synchronize(index);  // as cudaFree does
    emulator().arena.release(block, bytes);
}

Memory memory(int) { return {emulator().arena.free_bytes(), emulator().arena.limit()}; }

void* allocate_pinned(std::size_t bytes) {
    void* const block = std::malloc(bytes);  // NOLINT(*-no-malloc): handed back to release_pinned
    if (block == nullptr) throw OutOfMemory(fmt::format("out of pinned host memory: asked for {} bytes", bytes));
    return block;
}
void release_pinned(void* block) { std::free(block); }  // NOLINT(*-no-malloc)

void copy(int index, void* to, const void* from, std::size_t bytes) {
    emulated::submit(index, [=] { std::memcpy(to, from, bytes); });
}

void fill(int index, void* to, unsigned char value, std::size_t bytes) {
    emulated::submit(index, [=] { std::memset(to, value, bytes); });
}

void synchronize(int index) {
    RADIAL_CHECK(!capturing(index), "cuda:{}: the host cannot wait for the device while a graph is being captured",
                 index);
    ++emulator().waits;
    emulated::run_all();
}

std::unique_ptr<Event> mark(int) { return std::make_unique<emulated::EmulatedEvent>(emulator().submitted); }

void begin_capture(int index) {
    RADIAL_CHECK(!capturing(index), "cuda:{}: a graph is being captured already", index);
    emulator().recording.emplace();
}

std::unique_ptr<Graph> end_capture(int index) {
    RADIAL_CHECK(capturing(index), "cuda:{}: no graph is being captured", index);
    std::vector<emulated::Work> work = std::move(*emulator().recording);
    emulator().recording.reset();
    return std::make_unique<emulated::EmulatedGraph>(std::move(work));
}

bool capturing(int) { return emulator().recording.has_value(); }

void push_range(const char*) {}
void pop_range() {}
Fault* fault(int) { return &emulator().fault; }

}  // namespace device
}  // namespace radial
