// A bound on what tensors may take, for building what nobody vouches for.
#pragma once

#include <cstddef>

namespace radial {

/// While one lives, tensors that this thread makes may take so many bytes in all, freed ones included; more is an
/// Error. For building what a file describes that nobody vouches for. They can be nested; the inner one counts.
class MemoryLimit {
public:
    explicit MemoryLimit(std::size_t bytes);
    ~MemoryLimit();
    MemoryLimit(const MemoryLimit&) = delete;
    MemoryLimit& operator=(const MemoryLimit&) = delete;
    /// Called with every tensor's bytes. Throws Error when they are too many.
    static void take(std::size_t bytes);

private:
    std::size_t left_;
    MemoryLimit* outer_;
};

}  // namespace radial
