// Sums of losses as text: what is read, and what is said about the rest.
#include "../expect.h"
#include "radial/losses/sum_loss.h"

namespace radial::test {

TEST_CASE("a name alone is one term of weight 1", "[losses][expression][host]") {
    CHECK(parse_expression("rbf-softmax") == std::vector<ExpressionTerm>{{1, "rbf-softmax"}});
}

TEST_CASE("a sum is read with or without spaces", "[losses][expression][host]") {
    const std::vector<ExpressionTerm> expected = {{1, "softmax"}, {0.01, "ring"}, {1, "triplet"}};
    CHECK(parse_expression("softmax + 0.01 * ring + triplet") == expected);
    CHECK(parse_expression("softmax+0.01*ring+triplet") == expected);
    CHECK(parse_expression("  softmax +\t0.01* ring   + 1 *triplet ") == expected);
}

TEST_CASE("factors are written as numbers usually are", "[losses][expression][host]") {
    const auto factor = [](const std::string& number) { return parse_expression("a + " + number + " * b")[1].weight; };
    CHECK(factor("1e-3") == 1e-3);
    CHECK(factor("2.5E+1") == 25);
    CHECK(factor(".5") == 0.5);
    CHECK(factor("3") == 3);
    CHECK(factor("-0.1") == -0.1);
    CHECK(parse_expression("a+1e-3*b")[1].weight == 1e-3);
}

TEST_CASE("the first term may have the factor 1 and no other", "[losses][expression][host]") {
    CHECK(parse_expression("1 * a") == std::vector<ExpressionTerm>{{1, "a"}});
    CHECK(error_of([] { parse_expression(" 0.5 * a + b"); }) ==
          "loss \" 0.5 * a + b\", at character 2: the first term predicts and has no factor, this one has 0.5");
}

TEST_CASE("text that is no sum is refused at the character where it goes wrong", "[losses][expression][host]") {
    const auto problem = [](const std::string& text) {
        const std::string message = error_of([&] { parse_expression(text); }), start = "loss \"" + text + "\", ";
        CHECK(message.starts_with(start));
        return message.substr(std::min(start.size(), message.size()));
    };
    CHECK(problem("") == "at character 1: expected a loss or a number, but it ends there");
    CHECK(problem("   ") == "at character 4: expected a loss or a number, but it ends there");
    CHECK(problem("a + * b") == "at character 5: expected a loss or a number, not \"*\"");
    CHECK(problem("a +") == "at character 4: expected a loss or a number, but it ends there");
    CHECK(problem("a b") == "at character 3: expected \"+\", not \"b\"");
    CHECK(problem("a - 0.1 * b") == "at character 3: expected \"+\", not \"-\"");
    CHECK(problem("a + 0.1 b") == "at character 9: expected \"*\", not \"b\"");
    CHECK(problem("a + 0.1") == "at character 8: expected \"*\", but it ends there");
    CHECK(problem("a + 0.1 * 2") == "at character 11: expected a loss, not \"2\"");
    CHECK(problem("a + 0.1 *") == "at character 10: expected a loss, but it ends there");
    CHECK(problem("a * 2") == "at character 3: expected \"+\", not \"*\"");
    CHECK(problem("a + 1,5 * b") == "at character 6: expected \"*\", not \",\"");
    CHECK(problem("a + λ * b") == "at character 5: expected a loss or a number, not \"λ\"");
    CHECK(problem("a + 1e999 * b") == "at character 5: this number is too large or too small");
    CHECK(problem("(a)") == "at character 1: expected a loss or a number, not \"(\"");
}

TEST_CASE("infinity and not-a-number are names, not factors", "[losses][expression][host]") {
    CHECK(error_of([] { parse_expression("a + inf * b"); }) ==
          "loss \"a + inf * b\", at character 9: expected \"+\", not \"*\"");
    CHECK(error_of([] { parse_expression("a + -inf * b"); }) ==
          "loss \"a + -inf * b\", at character 5: this number is too large or too small");
}

}  // namespace radial::test
