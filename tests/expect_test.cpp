// Tests of the messages of the tests' own checks of long vectors.
#include "expect.h"

#include <cmath>
#include <vector>

namespace radial::test {

TEST_CASE("differences are empty between equal vectors and between equal bytes", "[host]") {
    CHECK(differences(std::vector<float>{1, 2}, {1, 2}) == "");
    CHECK(differences(std::vector<int>{}, {}) == "");
    CHECK(differences(std::string("ab\xff"), "ab\xff") == "");
}

TEST_CASE("differences count the elements and name the first and the one that differs most", "[host]") {
    std::vector<float> a(4096), b(4096);
    b[7] = 1.5F;
    a[9] = -2;
    a[4000] = b[4000] = 5;
    b[4001] = 1;
    CHECK(differences(a, b) == "3 of 4096 differ: [7] 0 and 1.5, the first; [9] -2 and 0, the most");
    CHECK(differences(std::string("abc"), "aBd") == "2 of 3 differ: [1] 98 and 66, the first; [1] 98 and 66, the most");
}

TEST_CASE("a NaN differs from every number and from itself, and is the largest difference", "[host]") {
    const std::vector<double> a{1, NAN, 3}, b{1e30, NAN, 4};
    CHECK(differences(a, b) == "3 of 3 differ: [0] 1 and 1e+30, the first; [1] nan and nan, the most");
}

TEST_CASE("differences between vectors of two lengths are their lengths", "[host]") {
    CHECK(differences(std::vector<int>{1}, {1, 2}) == "1 and 2 elements");
}

TEST_CASE("a failed check prints a short vector whole and of a long one the first elements", "[host]") {
    CHECK(Catch::Detail::stringify(std::vector<int>{1, -2}) == "{ 1, -2 }");
    CHECK(Catch::Detail::stringify(std::vector<std::vector<int>>{{1}, {}}) == "{ { 1 }, {  } }");
    CHECK(Catch::Detail::stringify(std::vector<int>(100'000, 7)) == "{ 7, 7, 7, 7, 7, 7, 7, 7, and 99992 more }");
}

}  // namespace radial::test
