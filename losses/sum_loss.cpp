// SumLoss: the terms and what they come to together.
#include "radial/losses/sum_loss.h"

#include "radial/core/ops.h"

#include <algorithm>
#include <cmath>

namespace radial {
namespace {

template <class T>
void check_term(const Weighted<T>& term) {
    RADIAL_CHECK(term.term != nullptr, "SumLoss: a term is null");
    RADIAL_CHECK(std::isfinite(term.weight), "SumLoss: a term's weight is {}, expected a finite number", term.weight);
}

// A sum takes further terms; anything else becomes one.
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
    Tensor total = head_->forward(feature, labels);
    for (const Term& term : terms_) {
        total = total + term.weight * (term.loss != nullptr
                                           ? term.loss->forward(feature, labels)
                                           : term.regulariser->forward(feature, labels, head_->prototypes()));
    }
    return total;
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

std::unique_ptr<Loss> operator+(std::unique_ptr<Loss> loss, Weighted<Loss> term) {
    return plus(std::move(loss), std::move(term));
}
std::unique_ptr<Loss> operator+(std::unique_ptr<Loss> loss, Weighted<Regulariser> term) {
    return plus(std::move(loss), std::move(term));
}

}  // namespace radial
