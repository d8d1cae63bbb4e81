// The interfaces of losses and regularisers, their registries, and the parts that losses share: class weights, input
// checks, and the score "distance".
#pragma once

#include "radial/core/nn/module.h"
#include "radial/core/tensor/tensor.h"
#include "radial/core/util/options.h"
#include "radial/core/util/registry.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace radial {

/// The weights of the classes, or none, in which case every sample has weight 1. Keeps copies on the device where they
/// were last used, so that a training step copies nothing from the host.
class ClassWeights {
public:
    /// Sets the weights [classes], each at least 0 and not all of them 0; an empty vector removes the weights. Throws
    /// Error, naming `loss`, for invalid weights.
    void set(std::string_view loss, std::int64_t classes, const std::vector<double>& weights);
    /// Returns the weights [classes] in the dtype and on the device of `x`; undefined without weights.
    Tensor like(const Tensor& x);
    /// Returns the sum of the weights of the samples with these labels (int64 [N]): a float64 scalar on the device of
    /// the labels; undefined without weights.
    Tensor sum_over(const Tensor& labels);

private:
    Tensor given_;       ///< float64
    Tensor like_, sum_;  ///< cached copies for like() and sum_over()
};

/// A number that a loss reports in addition to its value: a mean over the samples of the last batch that was passed to
/// forward().
struct LossMetric {
    /// The name under which the number is logged, such as "mean_kernel": lower-case letters, digits and underscores,
    /// starting with a letter. It must not begin with "initial_" or equal the name of another logged number, such as
    /// "lr" or "train_loss".
    std::string name;
    std::string description;  ///< one or two sentences for reports, as plain text
    Tensor value;             ///< a floating-point scalar on the feature's device; a new tensor for each forward()
};

/// A number for each sample of a batch that measures how well the sample fits the classes: the larger, the better. A
/// small score indicates a sample of none of the classes (an outlier).
struct LossScore {
    /// The name by which users choose the score, such as "kernel": lower-case letters, digits and underscores, starting
    /// with a letter. It must not be "probability" or "energy", the scores that every classifier has.
    std::string name;
    std::string description;  ///< one or two sentences, as plain text
    Tensor values;            ///< floating-point [N], on the feature's device
};

/// The last part of a classifier: maps features [N, D] and labels (int64 [N]) to a scalar. Its parameters are trained
/// together with those of the network. Other state (centres, running means) is updated by forward() while training(),
/// and is saved.
class Loss : public Module {
public:
    /// Returns the mean loss over the batch, a scalar. feature [N, D], labels int64 [N] in [0, classes). Throws Error
    /// when a shape does not fit or a label is out of range.
    virtual Tensor forward(const Tensor& feature, const Tensor& labels) = 0;
    /// Returns the logits [N, classes] of feature [N, D]; the class with the largest logit is predicted.
    virtual Tensor logits(const Tensor& feature) = 0;
    /// The vectors that represent the classes: [classes, D], or [classes * K, D] with the K vectors of a class in
    /// consecutive rows; undefined if the loss has none.
    virtual Tensor prototypes() const { return {}; }
    /// The features in the space in which the loss compares them with prototypes(): [N, D], differentiable; `feature`
    /// itself unless the loss transforms it. Changes no state. Throws Error when a shape does not fit.
    virtual Tensor in_prototype_space(const Tensor& feature) { return feature; }
    /// The metrics of the last forward(), which training logs by name. Every forward() produces the same names in the
    /// same order. Empty before the first forward() and for a loss that reports nothing.
    virtual std::vector<LossMetric> metrics() const { return {}; }
    /// Returns the loss's own scores of the samples, in addition to those that are computed from logits(): for example
    /// the largest kernel, or the negative distance to the nearest prototype. The first score is the default. Every
    /// call returns the same names in the same order. In evaluation mode, the scores of a sample do not depend on the
    /// batch. Empty for a loss that has none. feature [N, D]. Throws Error when a shape does not fit.
    virtual std::vector<LossScore> scores(const Tensor& /*feature*/) { return {}; }
    /// Sets the weight of the samples of each class, one number of at least 0 per class; an empty vector removes the
    /// weights. The weights are not saved. Every mean of a term l over samples becomes sum(w l) / sum(w), including the
    /// terms that a paper adds for each sample (center, ring, G-CPL, LGM, MagFace). Terms over classes or pairs (range,
    /// exclusive, SoftTriple's spread) are not weighted. Throws Error for a loss that is not a softmax over classes,
    /// and for invalid weights.
    virtual void set_class_weights(const std::vector<double>& weights);
    /// Whether the loss supports class weights.
    virtual bool has_class_weights() const { return false; }

    /// Whether forward() of a batch equals the mean of forward() over the parts of the batch, weighted by their
    /// batch_weight(). A batch that is too large for memory can then be differentiated part by part. False for a loss
    /// that compares the samples of a batch with each other, or that updates state from each batch in training.
    virtual bool additive() const { return false; }
    /// The smallest number of samples, over all ranks, that forward() accepts in training.
    virtual std::int64_t smallest_batch() const { return 1; }
    /// The sum of the class weights of the samples with these labels (int64 [N]): a float64 scalar on their device.
    /// Undefined without class weights, in which case each sample has weight 1. If the sum is 0, the loss is 0.
    virtual Tensor batch_weight(const Tensor& labels);
};

/// A term added to a loss: maps features [N, D], labels (int64 [N]) and the prototypes of the main loss (see
/// Loss::prototypes(); undefined if it has none) to a scalar.
class Regulariser : public Module {
public:
    /// The value of the term. `feature` is in the space of the prototypes (Loss::in_prototype_space()). Throws Error
    /// when a shape does not fit, or when the term needs prototypes and there are none.
    virtual Tensor forward(const Tensor& feature, const Tensor& labels, const Tensor& prototypes) = 0;
    /// See Loss::metrics().
    virtual std::vector<LossMetric> metrics() const { return {}; }
    /// See Loss::set_class_weights(). A term that is not a mean over samples ignores the weights.
    virtual void set_class_weights(const std::vector<double>& weights);
    /// See Loss::additive(); the parts of a batch are weighted by the batch_weight() of the main loss. A term that does
    /// not depend on the batch is additive.
    virtual bool additive() const { return false; }
};

/// Options of a loss as names and values, from a command line or a config file.
using LossSettings = Settings;

/// The registry's entry for a loss or a regulariser.
template <class T>
struct RegistryEntry {
    std::string name;                 ///< name on the command line, such as "rbf-softmax"
    std::string formula;              ///< one line of plain text
    std::string source;               ///< paper, year and equation
    std::vector<OptionInfo> options;  ///< every option with its default value; see describe_options()
    /// Builds the loss or regulariser. The settings must contain a value of the right type for every option;
    /// make_loss() adds the default values of the options that were not given.
    std::function<std::unique_ptr<T>(std::int64_t classes, std::int64_t dim, const LossSettings&)> make;

    /// The default of each option.
    LossSettings defaults() const { return defaults_of(options); }
};
/// The registry's entry for a loss.
using LossInfo = RegistryEntry<Loss>;
/// The registry's entry for a regulariser.
using RegulariserInfo = RegistryEntry<Regulariser>;

/// Returns the registry entry of a loss or regulariser L that is constructed from a struct of options with a list of
/// fields: see fields(). If the struct has members `classes` and `dim`, `make` sets them too.
template <class T, class L, class Options>
RegistryEntry<T> registry_entry(std::string name, std::string formula, std::string source) {
    const auto make = [name](std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
        Options options;
        if constexpr (requires { options.classes; }) options.classes = classes;
        if constexpr (requires { options.dim; }) options.dim = dim;
        read_settings(name, settings, options);
        return std::make_unique<L>(options);
    };
    return {std::move(name), std::move(formula), std::move(source), describe_options<Options>(), make};
}
///@{
/// Returns the entry of a loss, or of a regulariser: see registry_entry().
template <class L, class Options>
LossInfo loss_entry(std::string name, std::string formula, std::string source) {
    return registry_entry<Loss, L, Options>(std::move(name), std::move(formula), std::move(source));
}
template <class L, class Options>
RegulariserInfo regulariser_entry(std::string name, std::string formula, std::string source) {
    return registry_entry<Regulariser, L, Options>(std::move(name), std::move(formula), std::move(source));
}
///@}

///@{
/// All losses, or all regularisers: those of the library, in the order of registry.cpp, then those registered by users.
const Registry<LossInfo>& loss_registry();
const Registry<RegulariserInfo>& regulariser_registry();
///@}
///@{
/// Adds a loss or a regulariser, which is then available to make_loss() and all programs. Call it before training
/// starts, for example from main(). Throws Error when another loss or regulariser has the name, when the name cannot be
/// part of a sum, and for an entry without `make`.
void register_loss(LossInfo info);
void register_regulariser(RegulariserInfo info);
///@}
///@{
/// Removes an entry that a user has registered. Throws Error when there is no such entry.
void unregister_loss(std::string_view name);
void unregister_regulariser(std::string_view name);
///@}
/// The loss with this name. If there is none, throws an Error that lists the names and suggests the nearest one.
const LossInfo& find_loss(std::string_view name);

/// Builds a loss of the registry, or a sum: "softmax + 0.01 * ring + 0.1 * triplet". The first term is a loss, which
/// computes the predictions. Each other term is a regulariser or, if no regulariser has the name, a loss. Options not
/// in `settings` keep their defaults. In a sum, an option applies to every term that has it; "ring.radius" applies only
/// to the term "ring". Throws Error for an unknown name or option, suggesting the nearest one, and for text that is not
/// a sum.
std::unique_ptr<Loss> make_loss(std::string_view expression, std::int64_t classes, std::int64_t dim,
                                const LossSettings& settings = {});
/// Returns all options that make_loss() would use, with their values. In a sum, the names have the form "ring.radius".
/// Throws as make_loss() does.
LossSettings loss_settings(std::string_view expression, const LossSettings& settings = {});

/// Throws Error unless `feature` is [N, D] with the same D as `prototypes` [classes, D]: "RbfSoftmax: feature has
/// dimension 10, prototypes have 32".
void check_feature(std::string_view loss, const Tensor& feature, const Tensor& prototypes);

/// Throws Error unless `labels` is int64 [N] with one label per row of `feature`. The ops check the values of the
/// labels.
void check_labels(std::string_view loss, const Tensor& labels, const Tensor& feature);

/// The score "distance" for squared distances [N, M] to M points, such as prototypes: the negative squared distance to
/// the nearest point.
LossScore nearest_score(const Tensor& squared_distances);

}  // namespace radial
