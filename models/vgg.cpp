// The table of VGG networks, and the network.
#include "radial/models/vgg.h"

#include "radial/core/autograd/autograd.h"
#include "radial/core/ops.h"
#include "radial/core/ops/conv.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/activation.h"
#include "radial/layers/linear.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace radial {
namespace {

constexpr std::int64_t pooled = 7;

struct Entry {
    std::string name;
    std::vector<std::int64_t> depths;
};
const std::vector<Entry>& table() {
    static const std::vector<Entry> entries = {
        {"vgg11", {1, 1, 2, 2, 2}},
        {"vgg13", {2, 2, 2, 2, 2}},
        {"vgg16", {2, 2, 3, 3, 3}},
        {"vgg19", {2, 2, 4, 4, 4}},
    };
    return entries;
}

std::shared_ptr<Conv2d> conv(std::int64_t in, std::int64_t out) {
    auto layer =
        std::make_shared<Conv2d>(Conv2dOptions{.in_channels = in, .out_channels = out, .kernel = 3, .padding = 1});
    init::kaiming_normal_(layer->weight(), std::sqrt(2.0), init::Fan::out);
    layer->bias().fill_(0);
    return layer;
}

std::shared_ptr<Linear> linear_layer(std::int64_t in, std::int64_t out) {
    auto layer = std::make_shared<Linear>(LinearOptions{.in_features = in, .out_features = out});
    normal_(layer->weight(), 0, 0.01);
    layer->bias().fill_(0);
    return layer;
}

void check(const VggOptions& options) {
    const auto positive = [](const std::vector<std::int64_t>& numbers) {
        return std::all_of(numbers.begin(), numbers.end(), [](std::int64_t n) { return n >= 1; });
    };
    RADIAL_CHECK(!options.depths.empty() && options.depths.size() == options.widths.size() &&
                     positive(options.depths) && positive(options.widths) && options.in_channels >= 1,
                 "Vgg: depths {}, widths {} and in_channels {}, expected as many widths as depths, all at least 1",
                 fmt::format("[{}]", fmt::join(options.depths, ", ")),
                 fmt::format("[{}]", fmt::join(options.widths, ", ")), options.in_channels);
    RADIAL_CHECK(options.hidden >= 0, "Vgg: hidden is {}, expected at least 0", options.hidden);
}

}  // namespace

const std::vector<std::string>& vgg_names() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all;
        for (const char* kind : {"", "-bn", "-cifar"})
            for (const Entry& entry : table()) all.push_back(entry.name + kind);
        return all;
    }();
    return names;
}

std::optional<VggOptions> vgg_options(std::string_view name) {
    for (const Entry& entry : table()) {
        if (!name.starts_with(entry.name)) continue;
        const std::string_view kind = name.substr(entry.name.size());
        if (kind.empty()) return VggOptions{.depths = entry.depths};
        if (kind == "-bn") return VggOptions{.depths = entry.depths, .batch_norm = true};
        if (kind == "-cifar") return VggOptions{.depths = entry.depths, .batch_norm = true, .hidden = 0};
    }
    return std::nullopt;
}

Vgg::Vgg(const VggOptions& options) : options_(options) {
    check(options_);
    features_ = register_module("features", std::make_shared<Group>());
    std::int64_t channels = options_.in_channels;
    int index = 0;  // counts the ReLUs and pools as layers too
    for (std::size_t s = 0; s < options_.depths.size(); ++s) {
        std::vector<Step>& steps = stages_.emplace_back();
        for (std::int64_t i = 0; i < options_.depths[s]; ++i) {
            const std::int64_t width = options_.widths[s];
            Step step{.conv = features_->register_module(fmt::format("{}", index++), conv(channels, width)),
                      .with_norm = {}};
            if (options_.batch_norm) {
                const BatchNorm2dOptions norm{.channels = width, .activation = Activation::relu};
                step.with_norm = {step.conv, features_->register_module(fmt::format("{}", index++),
                                                                        std::make_shared<BatchNorm2d>(norm))};
            }
            ++index;
            steps.push_back(std::move(step));
            channels = width;
        }
        ++index;
    }
    if (options_.hidden == 0) return;
    classifier_ = register_module("classifier", std::make_shared<Sequential>());
    classifier_->add(linear_layer(channels * pooled * pooled, options_.hidden))
        .add<ReLU>()
        .add<Dropout>(DropoutOptions{.p = options_.dropout})
        .add(linear_layer(options_.hidden, options_.hidden))
        .add<ReLU>()
        .add<Dropout>(DropoutOptions{.p = options_.dropout});
}

Tensor Vgg::run(const Step& step, Tensor x) const {
    if (options_.batch_norm) return step.with_norm.forward(x);
    if (!may_fuse()) return relu(step.conv->forward(std::move(x)));
    return conv2d_activated(x, step.conv->weight(), step.conv->bias(), step.conv->geometry(), Activation::relu);
}

Tensor Vgg::forward(Tensor x) {
    RADIAL_CHECK(x.defined() && x.rank() == 4 && x.size(1) == options_.in_channels,
                 "Vgg: input {}, expected [N, {}, H, W]", x.defined() ? "has shape " + x.shape().str() : "is undefined",
                 options_.in_channels);
    const Shape image = x.shape();
    for (const auto& steps : stages_) {
        const auto stage = [this, &steps](Tensor input) {
            for (const Step& step : steps) input = run(step, std::move(input));
            return max_pool2d(input);
        };
        x = recomputes() ? recompute(stage, x, parameters()) : stage(std::move(x));
    }
    if (classifier_ == nullptr) return global_avg_pool(x);
    const std::int64_t height = x.size(2), width = x.size(3);
    RADIAL_CHECK(height > 0 && height % pooled == 0 && width > 0 && width % pooled == 0,
                 "Vgg: input has shape {}, whose last map is {} x {}, expected a multiple of 7 x 7, as of 224 x 224",
                 image.str(), height, width);
    if (height != pooled || width != pooled) {
        const std::int64_t h = height / pooled, w = width / pooled;
        x = avg_pool2d(x, {.window_h = h, .window_w = w, .stride_h = h, .stride_w = w});
    }
    return classifier_->forward(flatten(x));
}

}  // namespace radial
