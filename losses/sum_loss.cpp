// Sums of losses: the terms and their sum, registry entries for sums, and the parser of expressions.
#include "radial/losses/sum_loss.h"

#include "radial/core/ops.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace radial {
namespace {

template <class T>
void check_term(const Weighted<T>& term) {
    RADIAL_CHECK(term.term != nullptr, "SumLoss: a term is null");
    RADIAL_CHECK(std::isfinite(term.weight), "SumLoss: a term's weight is {}, expected a finite number", term.weight);
}

// Returns `loss` itself if it is a sum, or else a new sum with `loss` as its head.
std::unique_ptr<SumLoss> as_sum(std::unique_ptr<Loss> loss) {
    if (auto* const sum = dynamic_cast<SumLoss*>(loss.get())) {
        static_cast<void>(loss.release());
        return std::unique_ptr<SumLoss>(sum);
    }
    return std::make_unique<SumLoss>(std::move(loss));
}

template <class T>
std::unique_ptr<Loss> plus(std::unique_ptr<Loss> loss, Weighted<T> term) {
    std::unique_ptr<SumLoss> sum = as_sum(std::move(loss));
    sum->add(std::move(term));
    return sum;
}

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
        const bool begins = is_digit(peek()) || peek() == '-' || peek() == '.';  // rules out "inf" and "nan"
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

    /// The character at the current position, with all of its UTF-8 bytes.
    std::string_view character() const {
        std::size_t end = at_ + 1;
        while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0U) == 0x80U) ++end;
        return text_.substr(at_, end - at_);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

SumLoss::SumLoss(std::unique_ptr<Loss> head) : head_(std::move(head)) {
    RADIAL_CHECK(head_ != nullptr, "SumLoss: the loss is null");
    register_module("head", head_);
}

void SumLoss::add(Weighted<Loss> term) {
    check_term(term);
    terms_.push_back({.weight = term.weight, .loss = std::move(term.term), .regulariser = nullptr});
    register_module(fmt::format("term{}", terms_.size()), terms_.back().loss);
}

void SumLoss::add(Weighted<Regulariser> term) {
    check_term(term);
    terms_.push_back({.weight = term.weight, .loss = nullptr, .regulariser = std::move(term.term)});
    register_module(fmt::format("term{}", terms_.size()), terms_.back().regulariser);
}

Tensor SumLoss::forward(const Tensor& feature, const Tensor& labels) {
    Tensor total = head_->forward(feature, labels), placed;
    for (const Term& term : terms_) {
        if (term.loss != nullptr) {
            total = total + term.weight * term.loss->forward(feature, labels);
            continue;
        }
        if (!placed.defined()) placed = head_->in_prototype_space(feature);
        total = total + term.weight * term.regulariser->forward(placed, labels, head_->prototypes());
    }
    return total;
}

std::vector<LossMetric> SumLoss::metrics() const {
    std::vector<LossMetric> all = head_->metrics();
    for (std::size_t i = 0; i < terms_.size(); ++i) {
        const Term& term = terms_[i];
        for (LossMetric& metric : term.loss != nullptr ? term.loss->metrics() : term.regulariser->metrics()) {
            metric.name = fmt::format("term{}_{}", i + 1, metric.name);
            all.push_back(std::move(metric));
        }
    }
    return all;
}

void SumLoss::set_class_weights(const std::vector<double>& weights) {
    head_->set_class_weights(weights);
    for (const Term& term : terms_) {
        if (term.regulariser != nullptr) term.regulariser->set_class_weights(weights);
        if (term.loss != nullptr && term.loss->has_class_weights()) term.loss->set_class_weights(weights);
    }
}

bool SumLoss::additive() const {
    return head_->additive() && std::ranges::all_of(terms_, [](const Term& term) {
               return term.loss != nullptr ? term.loss->additive() : term.regulariser->additive();
           });
}

std::int64_t SumLoss::smallest_batch() const {
    std::int64_t fewest = head_->smallest_batch();
    for (const Term& term : terms_)
        if (term.loss != nullptr) fewest = std::max(fewest, term.loss->smallest_batch());
    return fewest;
}

std::unique_ptr<Loss> operator+(std::unique_ptr<Loss> loss, Weighted<Loss> term) {
    return plus(std::move(loss), std::move(term));
}
std::unique_ptr<Loss> operator+(std::unique_ptr<Loss> loss, Weighted<Regulariser> term) {
    return plus(std::move(loss), std::move(term));
}

LossInfo with_term(LossInfo entry, LossInfo head, RegulariserInfo term, double lambda) {
    entry.options = head.options;
    entry.options.insert(entry.options.end(), term.options.begin(), term.options.end());
    entry.options.push_back({.name = "lambda", .value = lambda, .text = "weight of the added term"});
    entry.make = [name = entry.name, make_head = std::move(head.make), make_term = std::move(term.make)](
                     std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
        const double weight = settings.at("lambda").number();
        RADIAL_CHECK(weight >= 0 && std::isfinite(weight), "{}: lambda is {}, expected a number of at least 0", name,
                     weight);
        return make_head(classes, dim, settings) + weight * make_term(classes, dim, settings);
    };
    return entry;
}

std::vector<ExpressionTerm> parse_expression(std::string_view text) { return Reader(text).read(); }

}  // namespace radial
