// Tests of the edit distance, of finding the nearest name, and of shortening long names.
#include "radial/core/util/text.h"
#include "../../catch.h"

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

TEST_CASE("only the beginning of a long word is compared", "[host]") {
    const std::vector<std::string> names = {"softmax", "center"};
    CHECK(nearest("softmax" + std::string(10'000'000, 'x'), names) == "softmax");
}

TEST_CASE("a long text is cut for a message, between characters", "[host]") {
    CHECK(shortened("abc", 3) == "abc");
    CHECK(shortened("abcd", 3) == "abc... (4 bytes)");
    CHECK(shortened("aä", 2) == "a... (3 bytes)");
    CHECK(shortened("äb", 2) == "ä... (3 bytes)");
}

TEST_CASE("a list is cut short after eight, and the rest counted", "[host]") {
    std::vector<std::string> items(8, "a");
    CHECK(first_of(items, "are missing") == items);
    items.push_back("b");
    const std::vector<std::string> cut = first_of(items, "are missing");
    CHECK(cut.size() == 9);
    CHECK(cut.back() == "1 more are missing");
}

}  // namespace radial::test
