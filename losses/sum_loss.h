// Sums of losses and regularisers, a + 0.01 * b: as objects, as registry entries, and as text that users write.
#pragma once

#include "radial/losses/loss.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// A loss or regulariser with a factor, as in 0.01 * b.
template <class T>
struct Weighted {
    double weight;            ///< the factor
    std::unique_ptr<T> term;  ///< the loss or regulariser
};

/// The sum head + sum of weight * term. Logits and prototypes are those of the head. Regularisers are computed from the
/// features in the space of the prototypes, losses from the features as they are.
class SumLoss : public Loss {
public:
    /// Throws Error when `head` is null.
    explicit SumLoss(std::unique_ptr<Loss> head);
    ///@{
    /// Adds a term. Throws Error when it is null or its weight is not finite.
    void add(Weighted<Loss> term);
    void add(Weighted<Regulariser> term);
    ///@}

    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override { return head_->logits(feature); }
    std::vector<LossScore> scores(const Tensor& feature) override { return head_->scores(feature); }
    Tensor prototypes() const override { return head_->prototypes(); }
    Tensor in_prototype_space(const Tensor& feature) override { return head_->in_prototype_space(feature); }
    /// The metrics of the head under their own names, then those of the terms, prefixed with "term1_", "term2_" and so
    /// on.
    std::vector<LossMetric> metrics() const override;
    /// Sets the class weights of the head, which must support them, and of every term that supports them.
    void set_class_weights(const std::vector<double>& weights) override;
    bool has_class_weights() const override { return head_->has_class_weights(); }
    /// True if the head and every term are additive.
    bool additive() const override;
    std::int64_t smallest_batch() const override;
    Tensor batch_weight(const Tensor& labels) override { return head_->batch_weight(labels); }

private:
    struct Term {
        double weight;
        std::shared_ptr<Loss> loss;  ///< exactly one of `loss` and `regulariser` is set
        std::shared_ptr<Regulariser> regulariser;
    };

    std::shared_ptr<Loss> head_;
    std::vector<Term> terms_;
};

///@{
/// A loss or a regulariser with a factor.
inline Weighted<Loss> operator*(double weight, std::unique_ptr<Loss> loss) { return {weight, std::move(loss)}; }
inline Weighted<Regulariser> operator*(double weight, std::unique_ptr<Regulariser> term) {
    return {weight, std::move(term)};
}
///@}
///@{
/// The sum of a loss and a term, as a SumLoss. Throws as SumLoss::add() does.
std::unique_ptr<Loss> operator+(std::unique_ptr<Loss> loss, Weighted<Loss> term);
std::unique_ptr<Loss> operator+(std::unique_ptr<Loss> loss, Weighted<Regulariser> term);
inline std::unique_ptr<Loss> operator+(std::unique_ptr<Loss> loss, std::unique_ptr<Loss> term) {
    return std::move(loss) + 1.0 * std::move(term);
}
inline std::unique_ptr<Loss> operator+(std::unique_ptr<Loss> loss, std::unique_ptr<Regulariser> term) {
    return std::move(loss) + 1.0 * std::move(term);
}
///@}

/// The registry's entry for head + lambda * term. `entry` provides name, formula and source; the options are those of
/// the head, those of the term, and "lambda". Its `make` throws Error when lambda is negative or not a number.
LossInfo with_term(LossInfo entry, LossInfo head, RegulariserInfo term, double lambda);

/// One term of a sum.
struct ExpressionTerm {
    double weight = 1;  ///< factor by which the term is multiplied
    std::string name;   ///< name of a loss or regulariser
    bool operator==(const ExpressionTerm&) const = default;
};

/// Parses NAME, or NAME + NUMBER * NAME + ..., with any number of spaces between the parts; a missing number means 1. A
/// name is a letter followed by letters, digits, hyphens and underscores; it is not looked up. Throws an Error that
/// quotes the text and states the position, counted from 1, of the first character that was not expected.
std::vector<ExpressionTerm> parse_expression(std::string_view text);

}  // namespace radial
