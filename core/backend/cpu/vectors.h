// Vectors of floats as GCC and Clang extend C++ by them. Where a processor has none of a length the compiler takes
// several shorter ones.
#pragma once

namespace radial::vectors {

template <int lanes>
struct Types {
    using Vector __attribute__((vector_size(lanes * sizeof(float)))) = float;
    using InMemory __attribute__((vector_size(lanes * sizeof(float)), aligned(sizeof(float)), may_alias)) = float;
};

/// `lanes` numbers, a power of two.
template <int lanes>
using Vector = typename Types<lanes>::Vector;

// By reference: how a function returns such a vector depends on the processor that is compiled for.

/// The numbers from p on, which need not be aligned.
template <int lanes>
const typename Types<lanes>::InMemory& load(const float* p) {
    return *reinterpret_cast<const typename Types<lanes>::InMemory*>(p);
}
template <int lanes>
typename Types<lanes>::InMemory& at(float* p) {
    return *reinterpret_cast<typename Types<lanes>::InMemory*>(p);
}
template <int lanes>
void add(float* p, const Vector<lanes>& more) {
    at<lanes>(p) += more;
}

}  // namespace radial::vectors
