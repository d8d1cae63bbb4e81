// RbfNetwork: the units, their initial values, the read-out, and the registry entry.
#include "radial/losses/rbf_network.h"

#include "radial/core/distributed/communicator.h"
#include "radial/core/tensor/random.h"
#include "radial/losses/functional.h"
#include "radial/losses/loss.h"
#include "radial/losses/softmax.h"

#include <cmath>
#include <limits>
#include <vector>

namespace radial {
namespace {

// The smallest initial width. The features of an untrained network lie so close together that, at a usual learning
// rate, one step would move them out of the reach of units as narrow as the distances between them.
constexpr double least_width = 1;

// The factor by which the units are multiplied in the read-out. The units are all above 0 and initially similar, so
// together they act as one more bias. The steps of this bias grow with the number of units and push the features out of
// the units' reach; M^-1/4 reduces the steps by a factor of sqrt(M). LeNets++ on MNIST: 89% test accuracy after two
// epochs without the factor, 99% with it.
double read_out_factor(std::int64_t units) { return std::pow(static_cast<double>(units), -0.25); }

}  // namespace

RbfNetwork::RbfNetwork(const RbfNetworkOptions& options)
    : SoftmaxLike("RbfNetwork", options.classes, options.dim, options.softmax),
      options_(options),
      factor_(read_out_factor(options.classes * options.units_per_class)),
      first_(register_buffer("started", Tensor::zeros({1}), BufferKind::state)) {
    RADIAL_CHECK(options_.units_per_class >= 1, "RbfNetwork: units_per_class is {}, expected at least 1",
                 options_.units_per_class);
    const std::int64_t units = options_.classes * options_.units_per_class;
    centres_ = register_parameter("centres", Tensor::empty({units, options_.dim}));
    init::xavier_uniform_(centres_);
    log_widths_ = register_parameter("log_widths", Tensor::zeros({units}));
    // The initial weights are those of a Linear layer, divided by the factor to compensate for it.
    weight_ = register_parameter("weight", Tensor::empty({options_.classes, units}));
    init::kaiming_uniform_(weight_, std::sqrt(1.0 / 3.0) / factor_);
    bias_ = register_parameter("bias", Tensor::empty({options_.classes}));
    const double bound = 1.0 / std::sqrt(static_cast<double>(units));
    uniform_(bias_, -bound, bound);
}

Tensor RbfNetwork::units(const Tensor& feature) const {
    const Tensor x = cast(feature, centres_.dtype());
    return exp(squared_distances(x, centres_) * -exp(-log_widths_));
}

void RbfNetwork::place_units(const Tensor& feature) {
    const NoGrad guard;
    const std::int64_t count = centres_.size(0), batch = feature.size(0);
    std::vector<std::int64_t> rows;
    for (std::int64_t m = 0; m < count; ++m) rows.push_back(m % batch);
    const Tensor x = cast(feature.detach(), centres_.dtype());
    const Tensor chosen = gather_rows(x, Tensor::from(rows, {count}, x.device()));
    constexpr double tiny = 1e-12;  // for a batch of equal features, whose distances are all 0
    const Tensor distance = mean(squared_distances(x, chosen)) + tiny;
    // max(1, least_width / distance), the ratio of the units' width to the mean squared distance.
    const Tensor stretch = clamp(least_width * exp(-log(distance)), 1, std::numeric_limits<double>::infinity());
    const Tensor middle = mean(x, {0}, true);
    centres_.copy_(middle + sqrt(stretch) * (chosen - middle));
    log_widths_.copy_(Tensor::zeros_like(log_widths_) + log(distance * stretch));
}

Tensor RbfNetwork::forward(const Tensor& feature, const Tensor& labels) {
    check_feature("RbfNetwork", feature, centres_);
    check_labels("RbfNetwork", labels, feature);
    if (feature.size(0) > 0 && first_.begins(training())) place_units(rows_of_all_ranks(feature));
    const Tensor kernel = units(feature);
    {
        const NoGrad guard;
        mean_kernel_ = mean(max(kernel.detach(), 1));
    }
    if (options_.squared_error) return squared_error(linear(factor_ * kernel, weight_, bias_), labels);
    return softmax_loss(factor_ * kernel, weight_, bias_, labels, head(weight_));
}

Tensor RbfNetwork::squared_error(const Tensor& outputs, const Tensor& labels) {
    const HeadOptions options = head(outputs);
    const double hit = 1 - options.smoothing, share = options.smoothing / static_cast<double>(options_.classes);
    const Tensor hits = Tensor::full({outputs.size(0)}, hit, outputs.dtype(), outputs.device());
    const Tensor target = place(hits, labels, options_.classes) + share;
    return class_weighted_mean(sum(square(outputs - target), {1}), labels, options.class_weights);
}

std::vector<LossMetric> RbfNetwork::metrics() const {
    if (!mean_kernel_.defined()) return {};
    return {{.name = "mean_kernel",
             .description = "The largest unit's value for each training feature: 1 at a unit's centre; near 0 no "
                            "gradient reaches the units.",
             .value = mean_kernel_}};
}

Tensor RbfNetwork::logits(const Tensor& feature) {
    check_feature("RbfNetwork", feature, centres_);
    return linear(factor_ * units(feature), weight_, bias_);
}

std::vector<LossScore> RbfNetwork::scores(const Tensor& feature) {
    check_feature("RbfNetwork", feature, centres_);
    return {{.name = "kernel",
             .description = "The largest unit's value: 1 at a unit's centre, near 0 far from all units.",
             .values = max(units(feature), 1)}};
}

LossInfo RbfNetwork::info() {
    return loss_entry<RbfNetwork, RbfNetworkOptions>(
        "rbf-network", "mean over i of -log softmax_j(b_j + M^-1/4 * sum_m W_jm * exp(-|x_i - c_m|^2 / w_m))[y_i]",
        "Broomhead, Lowe: Multivariable functional interpolation and adaptive networks, 1988");
}

}  // namespace radial
