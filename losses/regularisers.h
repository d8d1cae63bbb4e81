// Terms that are added to a loss: distances to class centres or prototypes, feature lengths, and angles of prototypes.
#pragma once

#include "radial/core/nn/first_batch.h"
#include "radial/losses/loss.h"

namespace radial {

/// Options of Center.
struct CenterOptions {
    std::int64_t classes = 10;  ///< number of classes
    std::int64_t dim = 32;      ///< feature dimension
    double alpha = 0.5;         ///< fraction by which a centre moves in each step, in [0, 1]

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("alpha", self.alpha, "fraction by which a centre moves in a step, in [0, 1]");
    }
};

/// L = 1/2 mean of |x - c_y|^2 (Wen et al., ECCV 2016, Eq. 2; the mean over the batch as in their code). The centres
/// get no gradient. After each forward() in training they are updated:
///
///     c_j -= alpha * sum_i 1[y_i = j] (c_j - x_i) / (1 + n_j)
///
/// where n_j is the number of samples of class j in the batch (Eq. 4). Buffer: centres [classes, dim], initially
/// Xavier-uniform as in the authors' code.
class Center : public Regulariser {
public:
    /// Throws Error when classes or dim is below 1, or alpha is outside [0, 1].
    explicit Center(const CenterOptions& options);
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;
    /// See Regulariser. The weights do not affect the update of the centres.
    void set_class_weights(const std::vector<double>& weights) override {
        class_weights_.set("Center", options_.classes, weights);
    }

    /// The regulariser's entry in the registry.
    static RegulariserInfo info();
    /// The registry's entry for softmax + lambda * center, with a default lambda of 0.003 (Wen et al. 2016, Eq. 5).
    static LossInfo loss_info();

private:
    void move_centres(const Tensor& feature, const Tensor& own, const Tensor& labels);

    CenterOptions options_;
    Tensor centres_;
    ClassWeights class_weights_;
};

/// L = 1/2 mean of (|x| - R)^2 (Zheng et al., CVPR 2018). Parameter: radius [1], R, which the first training batch sets
/// to the mean length of its features, as the paper advises. Buffer: started [1].
class Ring : public Regulariser {
public:
    Ring();
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;
    void set_class_weights(const std::vector<double>& weights) override {
        class_weights_.set("Ring", std::ssize(weights), weights);
    }
    bool additive() const override { return first_.over(); }

    /// The regulariser's entry in the registry.
    static RegulariserInfo info();
    /// The registry's entry for softmax + lambda * ring, with a default lambda of 0.01 (Zheng et al. 2018).
    static LossInfo loss_info();

private:
    Tensor radius_;
    FirstBatch first_;
    ClassWeights class_weights_;
};

/// Options of Range.
struct RangeOptions {
    double alpha = 5e-5;       ///< weight of the distances within classes
    double beta = 1e-4;        ///< weight of the distances between classes
    double margin = 2e4;       ///< M: squared distance above which two centres add nothing
    std::int64_t largest = 2;  ///< k: number of largest distances per class

    /// Lists the options that can be set by name: see radial::fields().
    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("alpha", self.alpha, "weight of the distances within classes");
        visit("beta", self.beta, "weight of the distances between classes");
        visit("margin", self.margin, "squared distance above which two centres add nothing");
        visit("k", self.largest, "number of largest distances per class");
    }
};

/// L = alpha * sum over classes of H_c + beta * max(0, M - D), where H_c is the harmonic mean of the k largest squared
/// distances between two samples of class c in the batch, and D is the smallest squared distance between the centres of
/// two classes, where a centre is the mean of the samples of its class in the batch (Zhang, Fang, Wen, Li, Qiao, ICCV
/// 2017, Eq. 5 to 8). A class with two equal samples among these pairs adds 0 to the first sum and gets no gradient
/// from it.
class Range : public Regulariser {
public:
    /// Throws Error when alpha, beta or margin is below 0, or largest below 1.
    explicit Range(const RangeOptions& options = {});
    /// The value of the term. `prototypes` are ignored.
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;

    /// The regulariser's entry in the registry.
    static RegulariserInfo info();
    /// The registry's entry for softmax + range, as published.
    static LossInfo loss_info();

private:
    RangeOptions options_;
};

/// L = mean of |x - W_y|^2, where W_y is the nearest prototype if the class has several (the prototype loss of Yang et
/// al., CVPR 2018). The prototypes are those of the main loss: [classes, D], or [classes * K, D] with the K prototypes
/// of a class in consecutive rows.
class Compact : public Regulariser {
public:
    /// Throws Error when classes is below 1.
    explicit Compact(std::int64_t classes);
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;
    void set_class_weights(const std::vector<double>& weights) override {
        class_weights_.set("Compact", classes_, weights);
    }
    bool additive() const override { return true; }

    /// The regulariser's entry in the registry.
    static RegulariserInfo info();

private:
    std::int64_t classes_;
    ClassWeights class_weights_;
};

/// L = mean over classes of max_{j != i} cos(W_i, W_j) (Zhao, Xu, Cheng: RegularFace, CVPR 2019), over the prototypes
/// [classes, D] of the main loss. Uses memory for 1024 rows of cosines at a time.
class Exclusive : public Regulariser {
public:
    /// Throws Error when classes is below 2.
    explicit Exclusive(std::int64_t classes);
    Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) override;

    bool additive() const override { return true; }

    /// The regulariser's entry in the registry.
    static RegulariserInfo info();

private:
    Tensor nearest(const Tensor& prototypes);

    std::int64_t classes_;
    Tensor classes_in_order_;  ///< 0, 1, 2, ..., on the device of the last call
};

}  // namespace radial
