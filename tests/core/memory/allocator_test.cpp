// Tests of the caching allocator: reuse, its limit on waste, pools, exhausted memory, threads, statistics.
#include "radial/core/memory/allocator.h"

#include "../../expect.h"

#include <cstdlib>
#include <limits>
#include <set>
#include <thread>
#include <vector>

using namespace radial;
using namespace radial::test;

namespace {

/// The limit of a FakeMemory and a record of its calls. Shared with the test, because the allocator owns its RawApi.
struct Record {
    std::size_t capacity = std::numeric_limits<std::size_t>::max();
    std::size_t used = 0;
    int allocations = 0;
    int releases = 0;
    std::set<void*> hidden = {};
};

/// A RawApi that allocates from the system, up to a limit.
struct FakeMemory {
    Record* record;
    void* allocate(std::size_t bytes) const {
        if (record->used + bytes > record->capacity) return nullptr;
        record->used += bytes;
        ++record->allocations;
        return std::malloc(bytes);  // NOLINT(*-no-malloc): replaces the system's memory
    }
    void release(void* block, std::size_t bytes) const {
        record->used -= bytes;
        ++record->releases;
        std::free(block);  // NOLINT(*-no-malloc)
    }
    void hide(void* block, std::size_t) const { record->hidden.insert(block); }
    void show(void* block, std::size_t) const { record->hidden.erase(block); }
};

using Allocator = CachingAllocator<FakeMemory>;
constexpr std::size_t KiB = 1024;

}  // namespace

TEST_CASE("a released block serves the next request of its size", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    void* const first = allocator.allocate(100 * KiB);
    allocator.release(first);
    void* const second = allocator.allocate(100 * KiB);
    CHECK(second == first);
    CHECK(record.allocations == 1);
    allocator.release(second);
}

TEST_CASE("a block in use is never handed out twice", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    void* const first = allocator.allocate(KiB);
    void* const second = allocator.allocate(KiB);
    CHECK(first != second);
    allocator.release(first);
    allocator.release(second);
}

TEST_CASE("a kept block serves a smaller request, but not one of half its size", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    allocator.release(allocator.allocate(100 * KiB));
    void* const near = allocator.allocate(60 * KiB);
    CHECK(record.allocations == 1);
    allocator.release(near);
    void* const half = allocator.allocate(50 * KiB);
    CHECK(record.allocations == 2);
    allocator.release(half);
}

TEST_CASE("the smallest kept block that fits is taken", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    void* const large = allocator.allocate(120 * KiB);
    void* const small = allocator.allocate(100 * KiB);
    allocator.release(large);
    allocator.release(small);
    CHECK(allocator.allocate(90 * KiB) == small);
    CHECK(allocator.allocate(90 * KiB) == large);
    allocator.release(small);
    allocator.release(large);
}

TEST_CASE("when memory runs out the kept blocks are returned and the request is tried again", "[host]") {
    Record record{.capacity = 300 * KiB};
    Allocator allocator(FakeMemory{&record});
    allocator.release(allocator.allocate(200 * KiB));
    void* const block = allocator.allocate(90 * KiB);  // there is enough memory left
    CHECK(record.releases == 0);
    void* const other = allocator.allocate(210 * KiB);  // possible only after kept blocks are returned
    CHECK(other != nullptr);
    CHECK(record.releases == 1);
    CHECK(allocator.statistics().reserved == 300 * KiB);
    allocator.release(block);
    allocator.release(other);
}

TEST_CASE("running out says what was asked, what is held, and what to do", "[host]") {
    Record record{.capacity = 100 * KiB};
    Allocator allocator(FakeMemory{&record});
    void* const held = allocator.allocate(60 * KiB);
    CHECK(error_of<OutOfMemory>([&] { allocator.allocate(50001); }) ==
          "out of memory: asked for 50001 bytes; 61440 are in tensors, 61440 reserved. Try a smaller batch");
    CHECK(allocator.statistics().current == 60 * KiB);
    void* const fits = allocator.allocate(30 * KiB);  // the allocator still works after a failure
    allocator.release(held);
    allocator.release(fits);
}

TEST_CASE("a size that overflows is out of memory, not a small block", "[host]") {
    Record record{.capacity = 100 * KiB};
    Allocator allocator(FakeMemory{&record});
    CHECK(error_of<OutOfMemory>([&] {
              allocator.allocate(std::numeric_limits<std::size_t>::max() - 5);
          }).starts_with("out of memory: asked for 18446744073709551610 bytes"));
}

TEST_CASE("statistics tell current, peak and reserved bytes", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    void* const a = allocator.allocate(8 * KiB);
    void* const b = allocator.allocate(4 * KiB);
    allocator.release(a);
    CHECK(allocator.statistics().current == 4 * KiB);
    CHECK(allocator.statistics().peak == 12 * KiB);
    CHECK(allocator.statistics().reserved == 12 * KiB);
    CHECK(allocator.statistics().reserved == record.used);
    allocator.reset_peak();
    CHECK(allocator.statistics().peak == 4 * KiB);
    allocator.flush();
    CHECK(allocator.statistics().reserved == 4 * KiB);
    CHECK(record.used == 4 * KiB);
    allocator.release(b);
    CHECK(allocator.statistics().current == 0);
}

TEST_CASE("an empty request has a block of its own", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    void* const a = allocator.allocate(0);
    void* const b = allocator.allocate(0);
    CHECK(a != nullptr);
    CHECK(a != b);
    allocator.release(a);
    allocator.release(b);
}

TEST_CASE("what nobody may touch is hidden from the memory checker, what is handed out is shown", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    void* const block = allocator.allocate(KiB);
    CHECK(record.hidden.empty());
    allocator.release(block);
    CHECK(record.hidden.count(block) == 1);
    CHECK(allocator.allocate(KiB) == block);
    CHECK(record.hidden.empty());
    allocator.release(block);
    allocator.flush();
    CHECK(record.hidden.empty());
}

TEST_CASE("the allocator's end returns everything it kept", "[host]") {
    Record record;
    {
        Allocator allocator(FakeMemory{&record});
        for (const std::size_t size : {KiB, 10 * KiB, 3000 * KiB}) allocator.release(allocator.allocate(size));
        allocator.enter_pool(1);
        allocator.release(allocator.allocate(KiB));
        allocator.leave_pool();
        CHECK(record.allocations == 4);
    }
    CHECK(record.used == 0);
    CHECK(record.allocations == record.releases);
}

TEST_CASE("a pool's blocks serve the pool alone until it is dissolved", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    allocator.enter_pool(1);
    void* const pooled = allocator.allocate(KiB);
    allocator.release(pooled);
    CHECK(allocator.allocate(KiB) == pooled);
    allocator.leave_pool();
    allocator.release(pooled);  // returns to its pool, even if no pool is entered

    void* const everybodys = allocator.allocate(KiB);
    CHECK(everybodys != pooled);
    allocator.enter_pool(2);
    void* const others = allocator.allocate(KiB);
    CHECK(others != pooled);
    allocator.leave_pool();

    allocator.dissolve_pool(1);
    CHECK(allocator.allocate(KiB) == pooled);
    for (void* const block : {pooled, everybodys, others}) allocator.release(block);
}

TEST_CASE("a pool takes no block that everybody's tensors left", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    void* const everybodys = allocator.allocate(KiB);
    allocator.release(everybodys);
    allocator.enter_pool(1);
    void* const pooled = allocator.allocate(KiB);
    CHECK(pooled != everybodys);
    allocator.leave_pool();
    CHECK(allocator.allocate(KiB) == everybodys);
    allocator.release(everybodys);
    allocator.release(pooled);
}

TEST_CASE("a block in use when its pool is dissolved goes to everybody when it comes back", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    allocator.enter_pool(1);
    void* const block = allocator.allocate(KiB);
    allocator.leave_pool();
    allocator.dissolve_pool(1);
    void* const other = allocator.allocate(KiB);
    CHECK(other != block);
    allocator.release(block);
    CHECK(allocator.allocate(KiB) == block);
    allocator.release(block);
    allocator.release(other);
}

TEST_CASE("running out returns everybody's kept blocks to the system, never a pool's", "[host]") {
    Record record{.capacity = 300 * KiB};
    Allocator allocator(FakeMemory{&record});
    allocator.enter_pool(1);
    void* const pooled = allocator.allocate(100 * KiB);
    allocator.leave_pool();
    allocator.release(pooled);
    allocator.release(allocator.allocate(200 * KiB));
    CHECK_THROWS_AS(allocator.allocate(250 * KiB), OutOfMemory);
    CHECK(record.used == 100 * KiB);
    CHECK(allocator.statistics().reserved == 100 * KiB);
    allocator.enter_pool(1);
    CHECK(allocator.allocate(100 * KiB) == pooled);
    allocator.leave_pool();
    allocator.release(pooled);
    allocator.dissolve_pool(1);
    allocator.flush();
    CHECK(record.used == 0);
}

TEST_CASE("threads that allocate and release at once never share a block", "[host]") {
    Record record;
    Allocator allocator(FakeMemory{&record});
    std::vector<int> clashes(4, 0);
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int id = 0; id < 4; ++id) {
        threads.emplace_back([&allocator, &clashes, id] {
            for (int i = 0; i < 2000; ++i) {
                auto* const block = static_cast<int*>(allocator.allocate(KiB * static_cast<std::size_t>(1 + i % 3)));
                *block = id;
                std::this_thread::yield();
                clashes[static_cast<std::size_t>(id)] += *block != id;
                allocator.release(block);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(clashes == std::vector<int>(4, 0));
    CHECK(allocator.statistics().current == 0);
    CHECK(allocator.statistics().reserved == record.used);
}

TEST_CASE("the host's statistics follow tensors", "[host]") {
    const MemoryStatistics before = memory_statistics();
    reset_peak_memory();
    {
        const Tensor x = Tensor::zeros({1 << 20});
        CHECK(memory_statistics().current >= before.current + x.bytes());
    }
    CHECK(memory_statistics().current == before.current);
    CHECK(memory_statistics().peak >= before.current + (std::size_t{4} << 20));
    release_cached_memory();
    CHECK(memory_statistics().reserved <= before.reserved + (std::size_t{4} << 20));
}

TEST_CASE("a tensor's elements are aligned for vector instructions", "[host]") {
    for (const std::int64_t count : {1, 17, 5000, 2000000})
        CHECK(reinterpret_cast<std::uintptr_t>(Tensor::empty({count}).raw()) % 64 == 0);
}
