// What the rest of Radial asks of a CUDA device. Answered by cuda/, by emulated_cuda/ (a device played by the host, for
// tests), or by no_cuda/, which says that there is none.
//
// A device has one stream: copies, kernels and vendor calls run in the order in which they were submitted, after the
// submitting call has returned. Only the functions that say so wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace radial::device {

/// Whether this build has a CUDA backend, real or emulated.
bool built();
/// Whether kernels run on a device that the host plays.
bool emulated();
/// Devices that can be used.
int count();
/// Why CUDA device `index` (0 or more) cannot be used, worded as an error's message ("no CUDA device: ..." with the
/// driver's answer); empty when it can.
std::string unavailable(int index);
/// One line: the device's name, its memory, the driver and library versions.
std::string describe(int index);

/// Bytes of memory, or null when the device has none left. Never waits.
void* allocate(int index, std::size_t bytes);
void release(int index, void* block, std::size_t bytes);
/// Bytes that the driver could still give, and all there are.
struct Memory {
    std::size_t free = 0, total = 0;
};
Memory memory(int index);

/// Host memory that the device copies from at full speed while the host goes on. Throws OutOfMemory.
void* allocate_pinned(std::size_t bytes);
void release_pinned(void* block);

/// Submits a copy; either side is device memory or pinned memory, which must stay until the copy has run.
void copy(int index, void* to, const void* from, std::size_t bytes);
/// Submits the setting of bytes.
void fill(int index, void* to, unsigned char value, std::size_t bytes);
/// Waits until everything submitted has run. Throws Error for what failed meanwhile, and while capturing.
void synchronize(int index);

/// A point in the stream.
class Event {
public:
    virtual ~Event() = default;
    /// Whether everything submitted before it has run. Does not wait.
    virtual bool reached() const = 0;
};
/// Marks the present end of the stream.
std::unique_ptr<Event> mark(int index);

/// A sequence of submissions, recorded once and submitted again as one.
class Graph {
public:
    virtual ~Graph() = default;
    virtual void launch() = 0;
    virtual std::size_t nodes() const = 0;
};
/// From here on submissions are recorded, not run.
void begin_capture(int index);
/// Ends the recording. Null when something made it invalid.
std::unique_ptr<Graph> end_capture(int index);
bool capturing(int index);

/// Starts and ends a named range in a profiler's timeline (NVTX).
void push_range(const char* name);
void pop_range();
/// A range that lasts as long as it lives. `name` is a literal.
class Range {
public:
    explicit Range(const char* name) { push_range(name); }
    ~Range() { pop_range(); }
    Range(const Range&) = delete;
    Range& operator=(const Range&) = delete;
};

/// Where a kernel notes an index out of bounds, in memory that both sides see. Looked at after each wait.
struct Fault {
    std::int64_t raised, sample, value, limit;
};
Fault* fault(int index);

}  // namespace radial::device
