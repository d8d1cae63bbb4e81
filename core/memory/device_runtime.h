// The functions that Radial needs from a CUDA device, implemented by cuda/, by emulated/ (a device emulated on the
// host, for tests) or by none/, which reports that there is no device.
//
// A device has one stream: copies, kernels and library calls run asynchronously, in the order in which they were
// submitted. Only the functions that say so wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

/// The runtime of CUDA devices: memory, copies, events, graphs.
namespace radial::device {

/// Whether this build has a CUDA backend, real or emulated.
bool built();
/// Whether the CUDA device is emulated on the host.
bool emulated();
/// The number of usable devices.
int count();
/// The reason why CUDA device `index` (0 or more) cannot be used, worded as an error message ("no CUDA device: ..."
/// with the driver's answer); empty when it can be used.
std::string unavailable(int index);
/// One line: the device's name and memory, the driver and library versions.
std::string describe(int index);

/// Allocates device memory; null when the device has none left. Does not wait.
void* allocate(int index, std::size_t bytes);
/// Releases memory from allocate(). May wait for submitted work, as cudaFree() does.
void release(int index, void* block, std::size_t bytes);
/// Memory of a device, in bytes.
struct Memory {
    std::size_t free = 0, total = 0;  ///< available from the driver, and in total
};
/// The memory of a device.
Memory memory(int index);

/// Allocates pinned host memory, which the device copies asynchronously at full speed. Throws OutOfMemory.
void* allocate_pinned(std::size_t bytes);
/// Releases memory from allocate_pinned().
void release_pinned(void* block);

/// Submits a copy. Each side is device memory or pinned memory, which must stay allocated until the copy has run.
void copy(int index, void* to, const void* from, std::size_t bytes);
/// Submits setting all bytes to `value`.
void fill(int index, void* to, unsigned char value, std::size_t bytes);
/// Waits until all submitted work has run. Throws Error for a failure of that work, and while capturing.
void synchronize(int index);

/// A point in the stream.
class Event {
public:
    virtual ~Event() = default;
    /// Whether all work submitted before the event has run. Does not wait.
    virtual bool reached() const = 0;
};
/// An event at the current end of the stream.
std::unique_ptr<Event> mark(int index);

/// A recorded sequence of submissions that can be submitted again as one.
class Graph {
public:
    virtual ~Graph() = default;
    /// Submits the sequence.
    virtual void launch() = 0;
    /// The number of operations in the sequence.
    virtual std::size_t nodes() const = 0;
};
/// Starts recording submissions instead of running them.
void begin_capture(int index);
/// Ends the recording. Returns null when an operation made it invalid.
std::unique_ptr<Graph> end_capture(int index);
/// Whether submissions are being recorded.
bool capturing(int index);

/// Starts a named range in a profiler's timeline (NVTX). `name` is a string literal.
void push_range(const char* name);
/// Ends the range started last.
void pop_range();
/// A named range in a profiler's timeline that ends when the object is destroyed.
class Range {
public:
    /// Starts the range. `name` is a string literal.
    explicit Range(const char* name) { push_range(name); }
    ~Range() { pop_range(); }
    Range(const Range&) = delete;
    Range& operator=(const Range&) = delete;
};

/// A record in memory shared by host and device, in which kernels report an index out of bounds. Checked after each
/// wait.
struct Fault {
    std::int64_t raised, sample, value, limit;  ///< 1 after a fault; the sample, the index, its upper bound
};
/// The fault record of a device.
Fault* fault(int index);

}  // namespace radial::device
