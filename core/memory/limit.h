// Limits the memory that tensors may allocate, for building objects from untrusted descriptions.
#pragma once

#include <cstddef>

namespace radial {

/// While the object exists, tensors created on this thread may allocate at most the given number of bytes in total,
/// including those freed since; a further one throws Error. For building a network from a file that is not trusted.
/// Objects can be nested; the innermost is in effect.
class MemoryLimit {
public:
    /// Starts counting from 0.
    explicit MemoryLimit(std::size_t bytes);
    ~MemoryLimit();
    MemoryLimit(const MemoryLimit&) = delete;
    MemoryLimit& operator=(const MemoryLimit&) = delete;
    /// Called with the size of every new tensor. Throws Error when the limit is exceeded.
    static void take(std::size_t bytes);

private:
    std::size_t left_;
    MemoryLimit* outer_;
};

}  // namespace radial
