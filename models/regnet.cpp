// RegNet: the rule for its widths, the published networks, its block, and the network.
#include "radial/models/regnet.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial {
namespace {

constexpr std::int64_t width_quantum = 8, stem_kernel = 3, stage_stride = 2;
constexpr double y_squeeze_ratio = 0.25;

/// A published network. The numbers are torchvision's, which are those of pycls.
struct Entry {
    std::string name;
    std::int64_t depth, initial;
    double slope, step;
    std::int64_t group_width;
};
const std::vector<Entry>& table() {
    static const std::vector<Entry> entries = {
        {"regnet-x-400mf", 22, 24, 24.48, 2.54, 16},   {"regnet-x-800mf", 16, 56, 35.73, 2.28, 16},
        {"regnet-x-1-6gf", 18, 80, 34.01, 2.25, 24},   {"regnet-x-3-2gf", 25, 88, 26.31, 2.25, 48},
        {"regnet-x-8gf", 23, 80, 49.56, 2.88, 120},    {"regnet-x-16gf", 22, 216, 55.59, 2.1, 128},
        {"regnet-x-32gf", 23, 320, 69.86, 2.0, 168},   {"regnet-y-400mf", 16, 48, 27.89, 2.09, 8},
        {"regnet-y-800mf", 14, 56, 38.84, 2.4, 16},    {"regnet-y-1-6gf", 27, 48, 20.71, 2.65, 24},
        {"regnet-y-3-2gf", 21, 80, 42.63, 2.66, 24},   {"regnet-y-8gf", 17, 192, 76.82, 2.19, 56},
        {"regnet-y-16gf", 18, 200, 106.23, 2.48, 112}, {"regnet-y-32gf", 20, 232, 115.89, 2.53, 232},
    };
    return entries;
}

void check(const RegNetOptions& o) {
    RADIAL_CHECK(o.depth >= 1 && o.group_width >= 1 && o.stem_width >= 1 && o.in_channels >= 1,
                 "RegNet: depth {}, group_width {}, stem_width {} and in_channels {} must each be at least 1", o.depth,
                 o.group_width, o.stem_width, o.in_channels);
    RADIAL_CHECK(o.initial >= width_quantum && o.initial % width_quantum == 0,
                 "RegNet: initial width is {}, expected a multiple of {} above 0", o.initial, width_quantum);
    RADIAL_CHECK(o.slope >= 0 && o.step > 1, "RegNet: slope {} and step {}, expected at least 0 and above 1", o.slope,
                 o.step);
    RADIAL_CHECK(o.squeeze_ratio >= 0, "RegNet: squeeze_ratio is {}, expected at least 0", o.squeeze_ratio);
}

/// Initialises the weights of a squeeze-and-excitation from N(0, 2 / fan_out) and leaves its biases as they are.
void start(const SqueezeExcite& squeeze) {
    for (const auto& conv : {squeeze.reduce(), squeeze.expand()})
        init::kaiming_normal_(conv->weight(), std::sqrt(2.0), init::Fan::out);
}

}  // namespace

std::vector<RegNetStage> RegNetOptions::stages() const {
    check(*this);
    std::vector<RegNetStage> result;
    const auto first = static_cast<double>(initial), quantum = static_cast<double>(width_quantum);
    for (std::int64_t block = 0; block < depth; ++block) {
        const double linear = first + slope * static_cast<double>(block);
        const double exponent = std::nearbyint(std::log(linear / first) / std::log(step));
        const auto quanta = static_cast<std::int64_t>(std::nearbyint(first * std::pow(step, exponent) / quantum));
        const std::int64_t width = quanta * width_quantum;
        if (result.empty() || result.back().width != width) result.push_back({0, width, group_width});
        ++result.back().depth;
    }
    for (RegNetStage& stage : result) {
        stage.group_width = std::min(group_width, stage.width);
        stage.width = rounded_channels(static_cast<double>(stage.width), stage.group_width);
    }
    return result;
}

const std::vector<std::string>& regnet_names() {
    static const std::vector<std::string> names = names_of(table());
    return names;
}

std::optional<RegNetOptions> regnet_options(std::string_view name) {
    for (const Entry& entry : table()) {
        if (entry.name != name) continue;
        return RegNetOptions{.depth = entry.depth,
                             .initial = entry.initial,
                             .slope = entry.slope,
                             .step = entry.step,
                             .group_width = entry.group_width,
                             .squeeze_ratio = name.starts_with("regnet-y") ? y_squeeze_ratio : 0};
    }
    return std::nullopt;
}

RegNetBlock::RegNetBlock(const RegNetOptions& options, std::int64_t in_channels, const RegNetStage& stage,
                         std::int64_t stride)
    : a_(make_conv_norm_unit({.in_channels = in_channels, .out_channels = stage.width})),
      b_(make_conv_norm_unit({.in_channels = stage.width,
                              .out_channels = stage.width,
                              .kernel = 3,
                              .stride = stride,
                              .groups = stage.width / stage.group_width})),
      c_(make_conv_norm_unit({.in_channels = stage.width, .out_channels = stage.width})) {
    if (stride != 1 || in_channels != stage.width) {
        projection_ = make_conv_norm_unit({.in_channels = in_channels,
                                           .out_channels = stage.width,
                                           .stride = stride,
                                           .activation = Activation::none});
        register_module("proj", group_of(*projection_));
    }
    const auto branch = register_module("f", std::make_shared<Group>());
    branch->register_module("a", group_of(a_));
    branch->register_module("b", group_of(b_));
    if (options.squeeze_ratio > 0) {
        const double reduced = std::nearbyint(options.squeeze_ratio * static_cast<double>(in_channels));
        squeeze_ = std::make_shared<SqueezeExcite>(
            SqueezeExciteOptions{.channels = stage.width,
                                 .reduced = std::max<std::int64_t>(1, static_cast<std::int64_t>(reduced)),
                                 .activation = Activation::relu});
        start(*squeeze_);
        branch->register_module("se", group_of(*squeeze_));
    }
    branch->register_module("c", group_of(c_));
    if (options.zero_init_residual) c_.norm()->weight().detach().fill_(0);
}

Tensor RegNetBlock::forward(Tensor x) {
    const Tensor shortcut = projection_.has_value() ? projection_->forward(x) : x;
    x = b_.forward(a_.forward(x));
    if (squeeze_ != nullptr) x = squeeze_->forward(std::move(x));
    return c_.forward(x, shortcut);
}

RegNet::RegNet(const RegNetOptions& options) : options_(options) {
    const std::vector<RegNetStage> stages = options_.stages();
    std::int64_t channels = options_.stem_width;
    stem_ = make_conv_norm_unit(
        {.in_channels = options_.in_channels, .out_channels = channels, .kernel = stem_kernel, .stride = stage_stride});
    register_module("stem", group_of(stem_));
    const auto trunk = register_module("trunk_output", std::make_shared<Group>());
    for (std::size_t s = 0; s < stages.size(); ++s) {
        const auto group = trunk->register_module(fmt::format("block{}", s + 1), std::make_shared<Group>());
        for (std::int64_t i = 0; i < stages[s].depth; ++i) {
            auto block = std::make_shared<RegNetBlock>(options_, channels, stages[s], i == 0 ? stage_stride : 1);
            blocks_.push_back(group->register_module(fmt::format("block{}-{}", s + 1, i), std::move(block)));
            channels = stages[s].width;
        }
    }
}

Tensor RegNet::forward(Tensor x) {
    RADIAL_CHECK(x.defined() && x.rank() == 4 && x.size(1) == options_.in_channels,
                 "RegNet: input {}, expected [N, {}, H, W]",
                 x.defined() ? "has shape " + x.shape().str() : "is undefined", options_.in_channels);
    x = stem_.forward(x);
    for (const auto& block : blocks_) x = recomputes() ? recompute(*block, x) : block->forward(std::move(x));
    return global_avg_pool(x);
}

}  // namespace radial
