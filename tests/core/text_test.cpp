// Edit distance and the nearest name.
#include "radial/core/text.h"
#include "../catch.h"

#include <vector>

namespace radial::test {

TEST_CASE("edit distance counts insertions, deletions, substitutions and swaps", "[host]") {
    CHECK(edit_distance("", "abc") == 3);
    CHECK(edit_distance("kitten", "sitting") == 3);
    CHECK(edit_distance("gmama", "gamma") == 1);
    CHECK(edit_distance("same", "same") == 0);
}

TEST_CASE("nearest gives the closest choice, the first of equals, or nothing", "[host]") {
    const std::vector<std::string> names = {"softmax", "rbf-softmax", "center"};
    CHECK(nearest("rbfsoftmax", names) == "rbf-softmax");
    CHECK(nearest("centre", names) == "center");
    CHECK(nearest("ab", std::vector<std::string>{"ac", "ad"}) == "ac");
    CHECK(nearest("ab", {}) == "");
}

}  // namespace radial::test
