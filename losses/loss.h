// What every loss offers: a value to minimise, logits to predict with, prototypes to look at.
#pragma once

#include "radial/core/module.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial {

/// The last part of a classifier: from features [N, D] and labels (int64 [N]) to a scalar. Its parameters train with
/// the network's.
class Loss : public Module {
public:
    /// Mean loss over the batch. feature [N, D], labels int64 [N] in [0, classes). Scalar.
    /// Throws Error when a shape does not fit or a label is out of range.
    virtual Tensor forward(const Tensor& feature, const Tensor& labels) = 0;
    /// Scores to predict with, highest wins: [N, classes].
    virtual Tensor logits(const Tensor& feature) = 0;
    /// One representative vector a class [classes, D]; undefined where the loss has none.
    virtual Tensor prototypes() const { return {}; }
    /// Mean of the kernel between each feature and its own class's prototype in the last forward(), a scalar on the
    /// feature's device; undefined before that and where the loss has no kernel. Near 0 means that no gradient flows.
    virtual Tensor mean_kernel() const { return {}; }
};

/// Options of a loss as name and value, from a command line or a config file.
using LossSettings = std::map<std::string, double>;

/// What the registry knows of a loss.
struct LossInfo {
    std::string name;       ///< as on the command line: "rbf-softmax"
    std::string formula;    ///< one line of plain text
    std::string source;     ///< paper, year, equation
    LossSettings defaults;  ///< every option with its default value
    /// Wants a value for every option of `defaults`; make_loss() fills in those not given.
    std::function<std::unique_ptr<Loss>(std::int64_t classes, std::int64_t dim, const LossSettings&)> make;
};

/// Every loss, in the order of registry.cpp.
const std::vector<LossInfo>& loss_registry();
/// Throws Error that lists the names and suggests the nearest.
const LossInfo& find_loss(std::string_view name);
/// Builds a loss from the registry. Options not in `settings` keep their defaults; an option that the loss does not
/// have is an Error that suggests the nearest.
std::unique_ptr<Loss> make_loss(std::string_view name, std::int64_t classes, std::int64_t dim,
                                const LossSettings& settings = {});

}  // namespace radial
