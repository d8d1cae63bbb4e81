// The table of the ops of losses/functional.h; core/ops/every_op.h describes how to add an op.
#include "../core/ops/every_op.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"

namespace radial::test {
namespace {

// The sizes of a classifier's last layer.
constexpr std::int64_t rows = 256, classes = 500, dim = 128;

const LargeInput labels{.name = "labels", .shape = {rows}, .below = classes};
// Points whose distances are about the width of an RBF kernel.
const LargeInput feature{"feature", {rows, dim}, -0.1, 0.1}, prototypes{"prototypes", {classes, dim}, -0.1, 0.1},
    weight{"weight", {classes, dim}, -0.1, 0.1}, bias{"bias", {classes}}, logits{"logits", {rows, classes}, -4, 4};

OpUnderTest plain(const std::string& name, std::size_t cases,
                  const std::function<Tensor(const GoldenCase&, const TensorMap&)>& call, LargeCall large) {
    return {"ops.safetensors", name, cases, giving(call), std::move(large)};
}

TensorMap call_rbf_softmax_loss(const GoldenCase& golden, TensorMap& in) {
    RbfStatistics statistics;
    const Tensor y =
        rbf_softmax_loss(input_of(in, "feature"), input_of(in, "prototypes"), input_of(in, "labels"),
                         {.scale = golden.number("scale", 0), .gamma = golden.number("gamma", 0)}, {}, &statistics);
    return {{"y", y}, {"mean_kernel", statistics.mean_kernel}, {"mean_distance", statistics.mean_distance}};
}

HeadOptions options_of(const GoldenCase& golden, const TensorMap& in, bool recompute) {
    return {.smoothing = golden.number("smoothing", 0),
            .class_weights = input_of(in, "class_weights"),
            .recompute = recompute};
}

RbfKernel rbf_of(const GoldenCase& golden, const TensorMap& in) {
    return {.scale = golden.number("scale", 2),
            .gamma = golden.number("gamma", 1),
            .margin = golden.number("margin", 0),
            .scale_factor = input_of(in, "scale_factor"),
            .gamma_factor = input_of(in, "gamma_factor")};
}

DistanceLogits distances_of(const GoldenCase& golden, const TensorMap& in) {
    return {.gamma = golden.number("gamma", 1), .margin = golden.number("margin", 0), .bias = input_of(in, "bias")};
}

CosineMargin margin_of(const GoldenCase& golden, const TensorMap& in) {
    return {.scale = golden.number("scale", 64),
            .angle = golden.number("angle", 0),
            .cosine = golden.number("cosine", 0),
            .multiple = static_cast<int>(golden.number("multiple", 1)),
            .scale_factor = input_of(in, "scale_factor"),
            .sample_angle = input_of(in, "sample_angle"),
            .blend = input_of(in, "blend"),
            .hardness = input_of(in, "hardness")};
}

OpFamily heads(bool recompute) {
    const auto head = [recompute](const std::string& name, std::size_t cases,
                                  Tensor (*call)(const GoldenCase&, const TensorMap&, const HeadOptions&),
                                  std::vector<LargeInput> inputs,
                                  nlohmann::json attributes = nlohmann::json::object()) {
        inputs.push_back(labels);
        return OpUnderTest{"head_ops.safetensors",
                           name,
                           cases,
                           giving([call, recompute](const GoldenCase& golden, const TensorMap& in) {
                               return call(golden, in, options_of(golden, in, recompute));
                           }),
                           {.inputs = std::move(inputs), .attributes = std::move(attributes)}};
    };
    return {
        head("softmax_loss", 4,
             [](const GoldenCase&, const TensorMap& in, const HeadOptions& options) {
                 return softmax_loss(input_of(in, "feature"), input_of(in, "weight"), input_of(in, "bias"),
                                     input_of(in, "labels"), options);
             },
             {feature, weight, bias}, {{"smoothing", 0.1}}),
        head("cross_entropy", 4,
             [](const GoldenCase&, const TensorMap& in, const HeadOptions& options) {
                 return cross_entropy(input_of(in, "logits"), input_of(in, "labels"), options);
             },
             {logits}, {{"smoothing", 0.1}}),
        OpUnderTest{"head_ops.safetensors",
                    "focal_cross_entropy",
                    4,
                    giving([](const GoldenCase& golden, const TensorMap& in) {
                        return focal_cross_entropy(input_of(in, "logits"), input_of(in, "labels"),
                                                   golden.number("gamma", 2));
                    }),
                    {.inputs = {logits, labels}, .attributes = {{"gamma", 2}}}},
        head("rbf_softmax_loss", 12,
             [](const GoldenCase& golden, const TensorMap& in, const HeadOptions& options) {
                 return rbf_softmax_loss(input_of(in, "feature"), input_of(in, "prototypes"), input_of(in, "labels"),
                                         rbf_of(golden, in), options);
             },
             {feature, prototypes}, {{"margin", 0.1}}),
        head("distance_softmax_loss", 4,
             [](const GoldenCase& golden, const TensorMap& in, const HeadOptions& options) {
                 return distance_softmax_loss(input_of(in, "feature"), input_of(in, "prototypes"),
                                              input_of(in, "labels"), distances_of(golden, in), options);
             },
             {feature, prototypes, bias}, {{"margin", 0.4}}),
        head("distance_cross_entropy", 4,
             [](const GoldenCase& golden, const TensorMap& in, const HeadOptions& options) {
                 return distance_cross_entropy(input_of(in, "distances"), input_of(in, "labels"),
                                               distances_of(golden, in), options);
             },
             {{"distances", {rows, classes}, 0, 5}, bias}, {{"margin", 0.4}}),
        head("cosine_softmax_loss", 28,
             [](const GoldenCase& golden, const TensorMap& in, const HeadOptions& options) {
                 return cosine_softmax_loss(input_of(in, "feature"), input_of(in, "weight"), input_of(in, "labels"),
                                            margin_of(golden, in), options);
             },
             {feature, weight}, {{"scale", 16}, {"angle", 0.5}}),
        head("margin_cross_entropy", 28,
             [](const GoldenCase& golden, const TensorMap& in, const HeadOptions& options) {
                 return margin_cross_entropy(input_of(in, "cosines"), input_of(in, "labels"), margin_of(golden, in),
                                             options);
             },
             {{"cosines", {rows, classes}, -0.9, 0.9}}, {{"scale", 16}, {"angle", 0.5}}),
    };
}

/// The settings of a case for an op over pairs.
struct Settings {
    nlohmann::json values{};
    double number(const char* name, double otherwise) const { return values.value(name, otherwise); }
    bool flag(const char* name, bool otherwise) const { return number(name, otherwise ? 1 : 0) != 0; }
};

Settings settings_of(const GoldenCase& golden) {
    return {golden.attributes.value("settings", nlohmann::json::object())};
}

PairLabels labels_of(const TensorMap& in) { return {.rows = in.at("rows"), .columns = input_of(in, "columns")}; }

Tensor call_contrastive_loss(const GoldenCase& golden, const TensorMap& in) {
    const Settings s = settings_of(golden);
    return contrastive_loss(in.at("distances"), labels_of(in),
                            {.positive_margin = s.number("positive_margin", 0),
                             .margin = s.number("margin", 1),
                             .power = static_cast<int>(s.number("power", 2)),
                             .over_nonzero = s.flag("over_nonzero", false)});
}

Tensor call_triplet_loss(const GoldenCase& golden, const TensorMap& in) {
    const Settings s = settings_of(golden);
    Generator generator(static_cast<std::uint64_t>(s.number("seed", 0)));
    return triplet_loss(in.at("distances"), labels_of(in),
                        {.margin = s.number("margin", 0.2),
                         .miner = static_cast<TripletMiner>(s.number("miner", 0)),
                         .soft = s.flag("soft", false),
                         .over_nonzero = s.flag("over_nonzero", true),
                         .dimension = static_cast<std::int64_t>(s.number("dimension", 0)),
                         .cutoff = s.number("cutoff", 0.5),
                         .furthest = s.number("furthest", 1.4)},
                        generator);
}

Tensor call_multi_similarity_loss(const GoldenCase& golden, const TensorMap& in) {
    const Settings s = settings_of(golden);
    return multi_similarity_loss(in.at("similarities"), labels_of(in),
                                 {.alpha = s.number("alpha", 2),
                                  .beta = s.number("beta", 50),
                                  .base = s.number("base", 0.5),
                                  .mining = s.flag("mining", true),
                                  .epsilon = s.number("epsilon", 0.1)});
}

Tensor call_circle_loss(const GoldenCase& golden, const TensorMap& in) {
    const Settings s = settings_of(golden);
    return circle_loss(in.at("similarities"), labels_of(in),
                       {.margin = s.number("margin", 0.25),
                        .gamma = s.number("gamma", 256),
                        .through_weights = s.flag("through_weights", false)});
}

/// An op over pairs of a batch. The large call has 128 samples of 10 classes.
OpUnderTest over_pairs(const std::string& name, std::size_t cases, const std::string& labels_name,
                       const LargeInput& matrix, Tensor (*call)(const GoldenCase&, const TensorMap&),
                       nlohmann::json attributes = nlohmann::json::object()) {
    return {
        "pair_ops.safetensors",
        name,
        cases,
        giving(call),
        {.inputs = {matrix, {.name = labels_name, .shape = {128}, .below = 10}}, .attributes = std::move(attributes)}};
}

OpFamily make_pair_ops() {
    const LargeInput distances{"distances", {128, 128}, 0.1, 2}, similarities{"similarities", {128, 128}};
    OpFamily family = {
        over_pairs("contrastive_loss", 12, "rows", distances, call_contrastive_loss),
        over_pairs("triplet_loss", 22, "rows", distances, call_triplet_loss),
        over_pairs("supervised_contrastive_loss", 8, "rows", similarities,
                   [](const GoldenCase& golden, const TensorMap& in) {
                       return supervised_contrastive_loss(in.at("similarities"), labels_of(in),
                                                          settings_of(golden).number("temperature", 0.1));
                   }),
        over_pairs("multi_similarity_loss", 10, "rows", similarities, call_multi_similarity_loss),
        over_pairs("circle_loss", 12, "rows", similarities, call_circle_loss),
        over_pairs("proxy_anchor_loss", 8, "rows", similarities,
                   [](const GoldenCase& golden, const TensorMap& in) {
                       const Settings s = settings_of(golden);
                       return proxy_anchor_loss(in.at("similarities"), labels_of(in),
                                                {.alpha = s.number("alpha", 32), .delta = s.number("delta", 0.1)});
                   }),
        over_pairs("range_intra_loss", 6, "labels", distances,
                   [](const GoldenCase& golden, const TensorMap& in) {
                       return range_intra_loss(in.at("distances"), in.at("labels"), golden.attributes.at("k"));
                   },
                   {{"k", 2}}),
        over_pairs("range_inter_loss", 10, "labels", distances,
                   [](const GoldenCase& golden, const TensorMap& in) {
                       return range_inter_loss(in.at("distances"), in.at("labels"), golden.attributes.at("margin"));
                   },
                   {{"margin", 1.5}}),
        over_pairs(
            "batch_class_means", 5, "labels", {"x", {128, 64}},
            [](const GoldenCase&, const TensorMap& in) { return batch_class_means(in.at("x"), in.at("labels")); }),
    };
    for (OpUnderTest& op : family) {
        // Where all distances are 0, the loss is 0 by definition, and finite differences do not give its gradient: the
        // harmonic mean of small numbers of either sign is not continuous.
        if (op.name == "range_intra_loss")
            op.smooth = [](const GoldenCase& golden) {
                return max(reshape(golden.inputs.at("distances"), {1, golden.inputs.at("distances").numel()}), 1)
                           .item() > 0;
            };
        // In the published gradient of circle loss, the weights are constants.
        if (op.name == "circle_loss")
            op.smooth = [](const GoldenCase& golden) { return settings_of(golden).flag("through_weights", false); };
    }
    return family;
}

}  // namespace

const OpFamily& softmax_ops() {
    static const OpFamily family = {
        plain("cross_entropy", 8,
              [](const GoldenCase& golden, const TensorMap& in) {
                  return cross_entropy(input_of(in, "logits"), input_of(in, "labels"), golden.number("smoothing", 0));
              },
              {.inputs = {logits, labels}}),
        plain("softmax_loss", 4,
              [](const GoldenCase&, const TensorMap& in) {
                  return softmax_loss(input_of(in, "feature"), input_of(in, "weight"), input_of(in, "bias"),
                                      input_of(in, "labels"));
              },
              {.inputs = {feature, weight, bias, labels}}),
        {"ops.safetensors",
         "rbf_softmax_loss",
         4,
         call_rbf_softmax_loss,
         {.inputs = {feature, prototypes, labels}, .attributes = {{"scale", 4}, {"gamma", 1}}}},
        plain("rbf_logits", 4,
              [](const GoldenCase& golden, const TensorMap& in) {
                  return rbf_logits(input_of(in, "feature"), input_of(in, "prototypes"), golden.number("scale", 0),
                                    golden.number("gamma", 0));
              },
              {.inputs = {feature, prototypes}, .attributes = {{"scale", 4}, {"gamma", 1}}}),
    };
    return family;
}

const OpFamily& head_ops() {
    static const OpFamily family = heads(false);
    return family;
}

const OpFamily& recomputed_head_ops() {
    static const OpFamily family = heads(true);
    return family;
}

const OpFamily& pair_ops() {
    static const OpFamily family = make_pair_ops();
    return family;
}

}  // namespace radial::test
