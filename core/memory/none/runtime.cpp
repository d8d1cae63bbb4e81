// Implements device_runtime.h for a build without CUDA.
#include "radial/core/memory/device_runtime.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>

namespace radial::device {
namespace {

[[noreturn]] void refuse(int index) { throw Error(unavailable(index)); }

}  // namespace

bool built() { return false; }
bool emulated() { return false; }
int count() { return 0; }
std::string unavailable(int index) {
    return fmt::format("no CUDA device: this build of Radial has no CUDA backend (asked for cuda:{})", index);
}
std::string describe(int index) { refuse(index); }
void* allocate(int index, std::size_t) { refuse(index); }
void release(int, void*, std::size_t) {}
Memory memory(int index) { refuse(index); }
void* allocate_pinned(std::size_t) { refuse(0); }
void release_pinned(void*) {}
void copy(int index, void*, const void*, std::size_t) { refuse(index); }
void fill(int index, void*, unsigned char, std::size_t) { refuse(index); }
void synchronize(int index) { refuse(index); }
std::unique_ptr<Event> mark(int index) { refuse(index); }
void begin_capture(int index) { refuse(index); }
std::unique_ptr<Graph> end_capture(int index) { refuse(index); }
bool capturing(int) { return false; }
void push_range(const char*) {}
void pop_range() {}
Fault* fault(int index) { refuse(index); }

}  // namespace radial::device
