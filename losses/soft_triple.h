// SoftTriple loss: softmax over similarities to classes with several centres each.
#pragma once

#include "radial/losses/softmax_like.h"

namespace radial {

/// Options of SoftTriple.
struct SoftTripleOptions {
    std::int64_t classes = 10;            ///< number of classes
    std::int64_t dim = 32;                ///< feature dimension
    std::int64_t centres_per_class = 10;  ///< K
    double lambda = 20;                   ///< factor of the similarities
    double gamma = 0.1;                   ///< temperature of the softmax over a class's centres
    double delta = 0.01;                  ///< margin, subtracted from the similarity to the own class
    double tau = 0.2;                     ///< weight of the term that merges a class's centres
    SoftmaxLikeOptions softmax{};         ///< label smoothing and recomputation
};

/// L = mean of -log softmax_c(lambda (S_c - delta 1[c = y]))[y], S_c = sum_k softmax_k(s_ck / gamma) s_ck, where s_ck
/// is the cosine between x and centre k of class c (Qian et al., ICCV 2019), plus tau / (C K (K - 1)) * sum over
/// classes and pairs of their centres of sqrt(2 - 2 cos(w_s, w_t)), with 1e-5 added under the root as in the authors'
/// code. Logits: lambda S_c. Parameter: centres [classes * K, dim], those of a class in consecutive rows, initially
/// Xavier-uniform.
class SoftTriple : public SoftmaxLike {
public:
    /// Throws Error when classes, dim or centres_per_class is below 1, lambda or gamma is not above 0, or delta or tau
    /// is negative or not a number.
    explicit SoftTriple(const SoftTripleOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels) override;
    Tensor logits(const Tensor& feature) override;
    /// All centres, [classes * K, dim], those of a class in consecutive rows.
    Tensor prototypes() const override { return centres_; }

    /// The loss's entry in the registry.
    static LossInfo info();

private:
    Tensor similarities(const Tensor& feature, const Tensor& unit_centres) const;
    Tensor spread(const Tensor& unit_centres) const;

    SoftTripleOptions options_;
    Tensor centres_;
};

}  // namespace radial
