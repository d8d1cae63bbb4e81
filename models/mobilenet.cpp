// MobileNetV3: the tables of its blocks, the block, and the network.
#include "radial/models/mobilenet.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial {
namespace {

constexpr Activation re = Activation::relu, hs = Activation::hard_swish;
constexpr std::int64_t channel_divisor = 8, squeeze_factor = 4, last_expansion = 6;
constexpr double hidden_deviation = 0.01;

struct Entry {
    std::string name;
    std::int64_t hidden;
    std::vector<MobileNetV3Row> rows;
};
const std::vector<Entry>& table() {
    static const std::vector<Entry> entries = {
        {"mobilenet-v3-large",
         1280,
         {{3, 16, 16, false, re, 1},
          {3, 64, 24, false, re, 2},
          {3, 72, 24, false, re, 1},
          {5, 72, 40, true, re, 2},
          {5, 120, 40, true, re, 1},
          {5, 120, 40, true, re, 1},
          {3, 240, 80, false, hs, 2},
          {3, 200, 80, false, hs, 1},
          {3, 184, 80, false, hs, 1},
          {3, 184, 80, false, hs, 1},
          {3, 480, 112, true, hs, 1},
          {3, 672, 112, true, hs, 1},
          {5, 672, 160, true, hs, 2},
          {5, 960, 160, true, hs, 1},
          {5, 960, 160, true, hs, 1}}},
        {"mobilenet-v3-small",
         1024,
         {{3, 16, 16, true, re, 2},
          {3, 72, 24, false, re, 2},
          {3, 88, 24, false, re, 1},
          {5, 96, 40, true, hs, 2},
          {5, 240, 40, true, hs, 1},
          {5, 240, 40, true, hs, 1},
          {5, 120, 48, true, hs, 1},
          {5, 144, 48, true, hs, 1},
          {5, 288, 96, true, hs, 2},
          {5, 576, 96, true, hs, 1},
          {5, 576, 96, true, hs, 1}}},
    };
    return entries;
}

std::int64_t scaled(const MobileNetV3Options& options, std::int64_t channels) {
    return rounded_channels(options.width * static_cast<double>(channels), channel_divisor);
}

void check(const MobileNetV3Options& o) {
    RADIAL_CHECK(!o.rows.empty() && o.stem_width >= 1 && o.hidden >= 1 && o.in_channels >= 1,
                 "MobileNetV3: {} rows, stem_width {}, hidden {} and in_channels {}, expected each to be at least 1",
                 o.rows.size(), o.stem_width, o.hidden, o.in_channels);
    RADIAL_CHECK(o.width > 0, "MobileNetV3: width is {}, expected above 0", o.width);
    RADIAL_CHECK(o.dropout >= 0 && o.dropout < 1, "MobileNetV3: dropout is {}, expected at least 0 and below 1",
                 o.dropout);
    for (std::size_t i = 0; i < o.rows.size(); ++i) {
        const MobileNetV3Row& r = o.rows[i];
        RADIAL_CHECK(
            r.kernel >= 1 && r.expanded >= 1 && r.channels >= 1 && r.stride >= 1,
            "MobileNetV3: row {} has kernel {}, expanded {}, channels {} and stride {}, expected each to be at "
            "least 1",
            i, r.kernel, r.expanded, r.channels, r.stride);
    }
}

}  // namespace

std::int64_t MobileNetV3Options::feature_dim() const { return scaled(*this, hidden); }

const std::vector<std::string>& mobilenet_names() {
    static const std::vector<std::string> names = names_of(table());
    return names;
}

std::optional<MobileNetV3Options> mobilenet_options(std::string_view name) {
    for (const Entry& entry : table())
        if (entry.name == name) return MobileNetV3Options{.rows = entry.rows, .hidden = entry.hidden};
    return std::nullopt;
}

MobileNetV3Block::MobileNetV3Block(const MobileNetV3Options& options, std::int64_t in_channels,
                                   const MobileNetV3Row& row)
    : shortcut_(row.stride == 1 && in_channels == row.channels) {
    const auto unit = [&](std::int64_t in, std::int64_t out, Activation activation) {
        return ConvNormUnitOptions{.in_channels = in,
                                   .out_channels = out,
                                   .activation = activation,
                                   .epsilon = options.norm_epsilon,
                                   .momentum = options.norm_momentum};
    };
    const auto block = register_module("block", std::make_shared<Group>());
    int index = 0;
    const auto add = [&](const auto& part) { block->register_module(std::to_string(index++), group_of(part)); };
    if (row.expanded != in_channels) {
        expand_ = make_conv_norm_unit(unit(in_channels, row.expanded, row.activation));
        add(*expand_);
    }
    ConvNormUnitOptions depthwise = unit(row.expanded, row.expanded, row.activation);
    depthwise.kernel = row.kernel;
    depthwise.stride = row.stride;
    depthwise.groups = row.expanded;
    depthwise_ = make_conv_norm_unit(depthwise);
    add(depthwise_);
    if (row.squeeze) {
        const auto quarter = static_cast<double>(row.expanded / squeeze_factor);
        squeeze_ =
            std::make_shared<SqueezeExcite>(SqueezeExciteOptions{.channels = row.expanded,
                                                                 .reduced = rounded_channels(quarter, channel_divisor),
                                                                 .activation = Activation::relu,
                                                                 .gate = SqueezeExciteOptions::Gate::hard_sigmoid});
        initialise(*squeeze_);
        add(*squeeze_);
    }
    project_ = make_conv_norm_unit(unit(row.expanded, row.channels, Activation::none));
    add(project_);
}

Tensor MobileNetV3Block::forward(Tensor x) {
    const Tensor shortcut = shortcut_ ? x : Tensor();
    if (expand_.has_value()) x = expand_->forward(x);
    x = depthwise_.forward(x);
    if (squeeze_ != nullptr) x = squeeze_->forward(std::move(x));
    return project_.forward(x, shortcut);
}

MobileNetV3::MobileNetV3(const MobileNetV3Options& options) : options_(options) {
    check(options_);
    ConvNormUnitOptions unit{.in_channels = options_.in_channels,
                             .out_channels = scaled(options_, options_.stem_width),
                             .kernel = 3,
                             .stride = 2,
                             .activation = Activation::hard_swish,
                             .epsilon = options_.norm_epsilon,
                             .momentum = options_.norm_momentum};
    std::int64_t channels = unit.out_channels;
    stem_ = make_conv_norm_unit(unit);
    const auto features = register_module("features", std::make_shared<Group>());
    features->register_module("0", group_of(stem_));
    for (MobileNetV3Row row : options_.rows) {
        row.expanded = scaled(options_, row.expanded);
        row.channels = scaled(options_, row.channels);
        auto block = std::make_shared<MobileNetV3Block>(options_, channels, row);
        blocks_.push_back(features->register_module(std::to_string(blocks_.size() + 1), std::move(block)));
        channels = row.channels;
    }
    unit.in_channels = channels;
    unit.out_channels = last_expansion * channels;
    unit.kernel = unit.stride = 1;
    last_ = make_conv_norm_unit(unit);
    features->register_module(std::to_string(blocks_.size() + 1), group_of(last_));
    hidden_ = std::make_shared<Linear>(LinearOptions{.in_features = unit.out_channels, .out_features = feature_dim()});
    normal_(hidden_->weight(), 0, hidden_deviation);
    hidden_->bias().fill_(0);
    register_module("classifier", std::make_shared<Group>())->register_module("0", hidden_);
    dropout_ = register_module("dropout", std::make_shared<Dropout>(DropoutOptions{.p = options_.dropout}));
}

Tensor MobileNetV3::forward(Tensor x) {
    RADIAL_CHECK(x.defined() && x.rank() == 4 && x.size(1) == options_.in_channels,
                 "MobileNetV3: input {}, expected [N, {}, H, W]",
                 x.defined() ? "has shape " + x.shape().str() : "is undefined", options_.in_channels);
    x = stem_.forward(x);
    for (const auto& block : blocks_) x = recomputes() ? recompute(*block, x) : block->forward(std::move(x));
    x = hidden_->forward(global_avg_pool(last_.forward(x)));
    return dropout_->forward(hard_swish(x));
}

}  // namespace radial
