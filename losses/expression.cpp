// A reader of sums, character by character.
#include "radial/losses/expression.h"

#include "radial/core/util/error.h"

#include <charconv>
#include <cmath>

namespace radial {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::vector<ExpressionTerm> read() {
        std::vector<ExpressionTerm> terms = {first()};
        for (skip_spaces(); at_ < text_.size(); skip_spaces()) {
            take('+', "\"+\"");
            terms.push_back(term());
        }
        return terms;
    }

private:
    ExpressionTerm first() {
        skip_spaces();
        const std::size_t start = at_;
        ExpressionTerm head = term();
        if (head.weight != 1)
            fail(start, fmt::format("the first term predicts and has no factor, this one has {}", head.weight));
        return head;
    }

    ExpressionTerm term() {
        skip_spaces();
        if (is_letter(peek())) return {1, name()};
        const double weight = number();
        skip_spaces();
        take('*', "\"*\"");
        skip_spaces();
        return {weight, name()};
    }

    double number() {
        double value = 0;
        const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
        const bool begins = is_digit(peek()) || peek() == '-' || peek() == '.';  // keeps "inf" and "nan" out
        if (!begins || error == std::errc::invalid_argument) expected("a loss or a number");
        if (error != std::errc{} || !std::isfinite(value)) fail(at_, "this number is too large or too small");
        at_ = static_cast<std::size_t>(end - text_.data());
        return value;
    }

    std::string name() {
        if (!is_letter(peek())) expected("a loss");
        const std::size_t start = at_;
        while (is_letter(peek()) || is_digit(peek()) || peek() == '-' || peek() == '_') ++at_;
        return std::string(text_.substr(start, at_ - start));
    }

    void take(char wanted, const char* what) {
        if (peek() != wanted) expected(what);
        ++at_;
    }

    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    void skip_spaces() {
        while (peek() == ' ' || peek() == '\t') ++at_;
    }

    [[noreturn]] void expected(const char* what) const {
        fail(at_, at_ < text_.size() ? fmt::format("expected {}, not \"{}\"", what, character())
                                     : fmt::format("expected {}, but it ends there", what));
    }
    [[noreturn]] void fail(std::size_t at, const std::string& problem) const {
        throw Error(fmt::format("loss \"{}\", at character {}: {}", text_, at + 1, problem));
    }

    /// The one at the current place, all bytes of it.
    std::string_view character() const {
        std::size_t end = at_ + 1;
        while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) ++end;
        return text_.substr(at_, end - at_);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<ExpressionTerm> parse_expression(std::string_view text) { return Reader(text).read(); }

}  // namespace radial
