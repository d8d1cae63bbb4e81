// Tests that the compiler, with this build's options, does not change constants.
#include "catch.h"

#include <cstring>
#include <vector>

#if defined(__GNUC__) && !defined(__clang__)
#define RADIAL_TEST_OPTIMIZED __attribute__((noinline, optimize("O2")))  // also in a build without optimisation
#else
#define RADIAL_TEST_OPTIMIZED __attribute__((noinline))
#endif

namespace radial::test {
namespace {

RADIAL_TEST_OPTIMIZED void copy_doubles(double* to) {
    const double values[] = {0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0};
    std::memcpy(to, values, sizeof values);
}

RADIAL_TEST_OPTIMIZED void copy_integers(long long* to) {
    const long long values[] = {1, 1, 0, 0};
    std::memcpy(to, values, sizeof values);
}

}  // namespace

// g++ 12.2 for AVX-512 copies such an array wrong, with its first number in place of the zeros, unless it is given the
// options in CMakeLists.txt.
TEST_CASE("a constant array whose numbers repeat and end with zeros is copied unchanged", "[core]") {
    std::vector<double> doubles(8);
    copy_doubles(doubles.data());
    CHECK(std::vector<double>(doubles.begin(), doubles.begin() + 4) == std::vector<double>(4, 0.5));
    CHECK(std::vector<double>(doubles.begin() + 4, doubles.end()) == std::vector<double>(4, 0.0));
    std::vector<long long> integers(4);
    copy_integers(integers.data());
    CHECK(std::vector<long long>(integers.begin(), integers.begin() + 2) == std::vector<long long>(2, 1));
    CHECK(std::vector<long long>(integers.begin() + 2, integers.end()) == std::vector<long long>(2, 0));
}

}  // namespace radial::test
