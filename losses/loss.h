// What every loss offers: a value to minimise, logits to predict with, prototypes to look at.
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/util/registry.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// The last part of a classifier: from features [N, D] and labels (int64 [N]) to a scalar. Its parameters train with
/// the network's. What it keeps beside them (centres, running means) moves in forward() while training(), and is saved.
class Loss : public Module {
public:
    /// Mean loss over the batch. feature [N, D], labels int64 [N] in [0, classes). Scalar.
    /// Throws Error when a shape does not fit or a label is out of range.
    virtual Tensor forward(const Tensor& feature, const Tensor& labels) = 0;
    /// Scores to predict with, highest wins: [N, classes].
    virtual Tensor logits(const Tensor& feature) = 0;
    /// What represents the classes: [classes, D], or [classes * K, D] with the K of a class next to each other;
    /// undefined where the loss has nothing of the kind.
    virtual Tensor prototypes() const { return {}; }
    /// Mean of the kernel between each feature and its own class's prototype in the last forward(), a scalar on the
    /// feature's device; undefined before that and where the loss has no kernel. Near 0 means that no gradient flows.
    virtual Tensor mean_kernel() const { return {}; }
    /// Makes each sample count as much as its class says: one number of at least 0 a class; empty ends that. Not saved.
    /// Every mean over samples becomes sum(w l) / sum(w), also in the terms that a paper adds for each sample (center,
    /// ring, G-CPL, LGM, MagFace). Terms over classes or pairs (range, exclusive, SoftTriple's spread) have none.
    /// Throws Error for a loss that is not a softmax over classes, and for numbers that do not fit.
    virtual void set_class_weights(const std::vector<double>& weights);
    /// Whether the loss has class weights.
    virtual bool has_class_weights() const { return false; }

    /// Whether forward() of a batch is the mean of forward() of its parts, in which each counts by its batch_weight():
    /// a batch that is too large for the memory can then be differentiated part by part. Not so for a loss that
    /// compares the samples of a batch with each other, or takes a state from each batch that it is trained on.
    virtual bool additive() const { return false; }
    /// The sum of the class weights of samples with these labels (int64 [N]): a float64 scalar on their device.
    /// Undefined without class weights, where each sample counts 1. Where a sum is 0, so is the loss.
    virtual Tensor batch_weight(const Tensor& labels);
};

/// A term beside a loss: from features [N, D], labels (int64 [N]) and the loss's prototypes (see Loss; undefined
/// where it has none) to a scalar.
class Regulariser : public Module {
public:
    /// Throws Error when a shape does not fit, or without prototypes where it needs them.
    virtual Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) = 0;
    /// See Loss. A term that is not a mean over samples ignores them.
    virtual void set_class_weights(const std::vector<double>& weights);
    /// See Loss; a batch's parts count as the loss beside it says. A term that does not depend on the batch is
    /// additive.
    virtual bool additive() const { return false; }
};

/// Options of a loss as name and value, from a command line or a config file.
using LossSettings = std::map<std::string, double>;

/// What the registry knows of a loss or a regulariser.
template <class T>
struct RegistryEntry {
    std::string name;       ///< as on the command line: "rbf-softmax"
    std::string formula;    ///< one line of plain text
    std::string source;     ///< paper, year, equation
    LossSettings defaults;  ///< every option with its default value
    /// Wants a value for every option of `defaults`; make_loss() fills in those not given.
    std::function<std::unique_ptr<T>(std::int64_t classes, std::int64_t dim, const LossSettings&)> make;
};
using LossInfo = RegistryEntry<Loss>;
using RegulariserInfo = RegistryEntry<Regulariser>;

/// Every loss, and every regulariser: the library's, in the order of registry.cpp, then those that were registered.
const Registry<LossInfo>& loss_registry();
const Registry<RegulariserInfo>& regulariser_registry();
/// Gives make_loss(), and so every program, one more loss or regulariser. To be called before training starts, as from
/// main(). Throws Error for a name that another loss or regulariser has or that no sum could hold, and for an entry
/// without `make`.
void register_loss(LossInfo info);
void register_regulariser(RegulariserInfo info);
/// Takes back what was registered under a name. Throws Error where nothing was.
void unregister_loss(std::string_view name);
void unregister_regulariser(std::string_view name);
/// Throws Error that lists the names and suggests the nearest.
const LossInfo& find_loss(std::string_view name);

/// Builds a loss from the registry, or a sum: "softmax + 0.01 * ring + 0.1 * triplet". The first term is a loss, which
/// predicts; the others are regularisers or, where none has the name, losses.
/// Options not in `settings` keep their defaults. In a sum an option goes to every term that has it, and "ring.radius"
/// to the term of that name alone. Throws Error for an unknown name or option, suggesting the nearest, and for text
/// that is no sum.
std::unique_ptr<Loss> make_loss(std::string_view expression, std::int64_t classes, std::int64_t dim,
                                const LossSettings& settings = {});
/// Every option that make_loss() would use and its value. Throws as it does.
LossSettings loss_settings(std::string_view expression, const LossSettings& settings = {});

}  // namespace radial
