// The table of the ops of core/ops.h; every_op.h says how to add one.
#include "every_op.h"

#include "radial/core/ops.h"

#include <map>

namespace radial::test {
namespace {

const std::string ops = "ops.safetensors", head_ops_file = "head_ops.safetensors", term_ops = "term_ops.safetensors";

const Shape image{8, 32, 28, 28};

/// A call on one large image.
LargeCall of_image(nlohmann::json attributes = nlohmann::json::object(), double low = -1, double high = 1) {
    return {.inputs = {{"x", image, low, high}}, .attributes = std::move(attributes)};
}

/// A call on two large images.
LargeCall of_images(double low = -1, double high = 1) { return {.inputs = {{"a", image}, {"b", image, low, high}}}; }

OpUnderTest unary(const std::string& name, std::size_t cases, Tensor (*op)(const Tensor&), LargeCall large = of_image(),
                  const std::string& fixture = ops) {
    return {fixture, name, cases,
            giving([op](const GoldenCase&, const TensorMap& in) { return op(input_of(in, "x")); }), std::move(large)};
}

OpUnderTest binary(const std::string& name, std::size_t cases, Tensor (*op)(const Tensor&, const Tensor&),
                   LargeCall large, Tensor (*with_scalar)(const Tensor&, double) = nullptr) {
    return {ops, name, cases, giving([op, with_scalar](const GoldenCase& golden, const TensorMap& in) {
                if (golden.attributes.contains("scalar"))
                    return with_scalar(input_of(in, "a"), golden.number("scalar", 0));
                return op(input_of(in, "a"), input_of(in, "b"));
            }),
            std::move(large)};
}

/// An op that returns one tensor.
OpUnderTest custom(const std::string& name, std::size_t cases,
                   const std::function<Tensor(const GoldenCase&, const TensorMap&)>& call, LargeCall large,
                   const std::string& fixture = ops) {
    return {fixture, name, cases, giving(call), std::move(large)};
}

/// An op on two sets of rows, x and w.
OpUnderTest of_rows(const std::string& name, std::size_t cases, Tensor (*op)(const Tensor&, const Tensor&),
                    const std::string& fixture = head_ops_file) {
    return custom(
        name, cases, [op](const GoldenCase&, const TensorMap& in) { return op(input_of(in, "x"), input_of(in, "w")); },
        {.inputs = {{"x", {256, 64}}, {"w", {100, 64}}}}, fixture);
}

Tensor there_and_back(const GoldenCase& golden, const TensorMap& in) {
    const std::map<std::string, DType> dtypes = {
        {"bfloat16", DType::bfloat16}, {"float32", DType::float32}, {"float64", DType::float64}};
    const Tensor x = input_of(in, "x");
    return cast(cast(x, dtypes.at(golden.attributes.at("dtype"))), x.dtype());
}

/// For rounding, which is piecewise constant: its gradient is defined as that of the identity.
OpUnderTest without_differences(OpUnderTest op) {
    op.smooth = [](const GoldenCase&) { return false; };
    return op;
}

TensorMap call_dropout(const GoldenCase& golden, TensorMap& in) {
    Generator generator(golden.attributes.at("seed").get<std::uint64_t>());
    return {{"y", dropout(input_of(in, "x"), golden.number("p", 0), generator)}};
}

template <Tensor (*op)(const Tensor&, const std::vector<int>&, bool)>
Tensor reduce(const GoldenCase& golden, const TensorMap& in) {
    return op(input_of(in, "x"), golden.attributes.at("dims").get<std::vector<int>>(), golden.flag("keep_dim", false));
}

Tensor call_slice(const GoldenCase& golden, const TensorMap& in) {
    const auto& a = golden.attributes;
    return slice(input_of(in, "x"), a.at("dim"), a.at("begin"), a.at("end"));
}

Tensor call_concat(const GoldenCase& golden, const TensorMap& in) {
    std::vector<Tensor> parts(golden.attributes.at("parts").get<std::size_t>());
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i] = in.at("part" + std::to_string(i));
    return radial::concat(parts, golden.attributes.at("dim"));
}

Tensor call_matmul(const GoldenCase& golden, const TensorMap& in) {
    return matmul(input_of(in, "a"), input_of(in, "b"), golden.flag("transpose_a", false),
                  golden.flag("transpose_b", false));
}

Tensor call_conv2d(const GoldenCase& golden, const TensorMap& in) {
    const auto [stride_h, stride_w] = golden.pair("stride", 1);
    const auto [pad_h, pad_w] = golden.pair("pad", 0);
    const auto [dilation_h, dilation_w] = golden.pair("dilation", 1);
    return conv2d(input_of(in, "x"), input_of(in, "weight"), input_of(in, "bias"),
                  {.stride_h = stride_h,
                   .stride_w = stride_w,
                   .pad_h = pad_h,
                   .pad_w = pad_w,
                   .dilation_h = dilation_h,
                   .dilation_w = dilation_w,
                   .groups = golden.attributes.at("groups")});
}

template <Tensor (*op)(const Tensor&, const PoolGeometry&)>
Tensor pool(const GoldenCase& golden, const TensorMap& in) {
    const auto [window_h, window_w] = golden.pair("window", 2);
    const auto [stride_h, stride_w] = golden.pair("stride", 2);
    const auto [pad_h, pad_w] = golden.pair("pad", 0);
    return op(input_of(in, "x"), {.window_h = window_h,
                                  .window_w = window_w,
                                  .stride_h = stride_h,
                                  .stride_w = stride_w,
                                  .pad_h = pad_h,
                                  .pad_w = pad_w});
}

Tensor call_batch_norm(const GoldenCase& golden, const TensorMap& in) {
    return batch_norm(input_of(in, "x"), input_of(in, "scale"), input_of(in, "shift"), input_of(in, "running_mean"),
                      input_of(in, "running_variance"),
                      {.momentum = golden.number("momentum", 0.1),
                       .epsilon = golden.number("epsilon", 1e-5),
                       .training = golden.flag("training", true),
                       .activation = golden.flag("relu", false) ? Activation::relu : Activation::none},
                      input_of(in, "residual"));
}

}  // namespace

Tensor input_of(const TensorMap& inputs, const std::string& name) {
    const auto found = inputs.find(name);
    return found == inputs.end() ? Tensor() : found->second;
}

GoldenFunction giving(const std::function<Tensor(const GoldenCase&, const TensorMap&)>& call) {
    return [call](const GoldenCase& golden, TensorMap& in) { return TensorMap{{"y", call(golden, in)}}; };
}

const OpFamily& elementwise_ops() {
    static const OpFamily family = {
        binary(
            "add", 8, [](const Tensor& a, const Tensor& b) { return a + b; }, of_images(),
            [](const Tensor& a, double b) { return a + b; }),
        binary(
            "sub", 6, [](const Tensor& a, const Tensor& b) { return a - b; }, of_images()),
        binary(
            "mul", 8, [](const Tensor& a, const Tensor& b) { return a * b; }, of_images(),
            [](const Tensor& a, double b) { return a * b; }),
        binary(
            "div", 6, [](const Tensor& a, const Tensor& b) { return a / b; }, of_images(0.5, 2)),
        unary("exp", 2, exp),
        unary("log", 2, log, of_image({}, 0.1, 4)),
        unary("sqrt", 2, sqrt, of_image({}, 0.1, 4)),
        unary("square", 2, square),
        without_differences(custom("cast", 5, there_and_back, of_image({{"dtype", "float64"}}))),
        unary("normal_cdf", 2, normal_cdf, of_image({}, -4, 4), head_ops_file),
        unary("softplus", 2, softplus, of_image({}, -4, 4), head_ops_file),
        custom(
            "clamp", 2,
            [](const GoldenCase& golden, const TensorMap& in) {
                return clamp(input_of(in, "x"), golden.number("low", 0), golden.number("high", 0));
            },
            of_image({{"low", -0.5}, {"high", 0.5}}), head_ops_file),
    };
    return family;
}

const OpFamily& activation_ops() {
    static const OpFamily family = {
        custom(
            "relu", 6,
            [](const GoldenCase& golden, const TensorMap& in) {
                const Tensor x = input_of(in, "x");
                // A temporary is overwritten; the result must not change.
                return golden.flag("temporary", false) ? relu(mul(x, 1.0)) : relu(x);
            },
            of_image()),
        custom("prelu", 6,
               [](const GoldenCase&, const TensorMap& in) { return prelu(input_of(in, "x"), input_of(in, "slope")); },
               {.inputs = {{"x", image}, {"slope", {32}, 0, 0.5}}}),
        unary("silu", 5, silu),
        unary("gelu", 5, gelu, of_image({}, -4, 4)),
        unary("sigmoid", 5, sigmoid),
        unary("tanh", 5, tanh),
    };
    return family;
}

const OpFamily& random_ops() {
    static const OpFamily family = {{ops, "dropout", 3, call_dropout, of_image({{"p", 0.3}, {"seed", 99}})}};
    return family;
}

const OpFamily& reduction_ops() {
    static const nlohmann::json channels = {{"dims", {0, 2, 3}}};
    static const OpFamily family = {
        custom("sum", 7, reduce<sum>, of_image(channels)),
        custom("mean", 7, reduce<mean>, of_image(channels)),
        custom(
            "max", 4,
            [](const GoldenCase& golden, const TensorMap& in) {
                return max(input_of(in, "x"), golden.attributes.at("dim"));
            },
            of_image({{"dim", 3}})),
        unary("median", 3, median, {.inputs = {{"x", {2000}}}}, head_ops_file),
        unary("argmax", 3, argmax, {.inputs = {{"x", {512, 1000}}}}),
        custom("label_ranks", 6,
               [](const GoldenCase&, const TensorMap& in) {
                   return label_ranks(input_of(in, "x"), input_of(in, "labels"));
               },
               {.inputs = {{"x", {512, 1000}}, {.name = "labels", .shape = {512}, .below = 1000}}}),
        unary("log_softmax", 4, log_softmax, {.inputs = {{"x", {512, 1000}, -4, 4}}}),
        unary("log_sum_exp", 6, log_sum_exp, {.inputs = {{"x", {512, 1000}, -4, 4}}}, term_ops),
    };
    return family;
}

const OpFamily& shape_ops() {
    static const OpFamily family = {
        custom(
            "reshape", 5,
            [](const GoldenCase& golden, const TensorMap& in) {
                const auto extents = golden.attributes.at("shape").get<std::vector<std::int64_t>>();
                return reshape(input_of(in, "x"), Shape(std::span<const std::int64_t>(extents)));
            },
            of_image({{"shape", {8, 32 * 28 * 28}}})),
        unary("flatten", 4, flatten),
        custom("slice", 5, call_slice, of_image({{"dim", 1}, {"begin", 8}, {"end", 24}})),
        unary("transpose", 3, transpose, {.inputs = {{"x", {512, 1000}}}}),
        custom("concat", 5, call_concat,
               {.inputs = {{"part0", image}, {"part1", image}}, .attributes = {{"dim", 1}, {"parts", 2}}}),
        custom("gather_rows", 3,
               [](const GoldenCase&, const TensorMap& in) {
                   return gather_rows(input_of(in, "x"), input_of(in, "index"));
               },
               {.inputs = {{"x", {1000, 128}}, {.name = "index", .shape = {512}, .below = 1000}}}),
        custom("pick", 3,
               [](const GoldenCase&, const TensorMap& in) { return pick(input_of(in, "x"), input_of(in, "index")); },
               {.inputs = {{"x", {512, 1000}}, {.name = "index", .shape = {512}, .below = 1000}}}),
        custom(
            "place", 3,
            [](const GoldenCase& golden, const TensorMap& in) {
                return place(input_of(in, "values"), input_of(in, "index"), golden.attributes.at("columns"));
            },
            {.inputs = {{"values", {512}}, {.name = "index", .shape = {512}, .below = 1000}},
             .attributes = {{"columns", 1000}}},
            term_ops),
        custom(
            "class_sums", 4,
            [](const GoldenCase& golden, const TensorMap& in) {
                return class_sums(input_of(in, "x"), input_of(in, "labels"), golden.attributes.at("classes"));
            },
            {.inputs = {{"x", {512, 128}}, {.name = "labels", .shape = {512}, .below = 100}},
             .attributes = {{"classes", 100}}},
            term_ops),
    };
    return family;
}

const OpFamily& product_ops() {
    static const OpFamily family = {
        custom("matmul", 12, call_matmul, {.inputs = {{"a", {256, 512}}, {"b", {512, 256}}}}),
        custom("linear", 4,
               [](const GoldenCase&, const TensorMap& in) {
                   return linear(input_of(in, "x"), input_of(in, "weight"), input_of(in, "bias"));
               },
               {.inputs = {{"x", {256, 512}}, {"weight", {256, 512}}, {"bias", {256}}}}),
        custom(
            "scale_channels", 5,
            [](const GoldenCase&, const TensorMap& in) {
                return scale_channels(input_of(in, "x"), input_of(in, "scale"));
            },
            {.inputs = {{"x", image}, {"scale", {8, 32}}}}, "zoo_ops.safetensors"),
        custom("conv2d", 14, call_conv2d,
               {.inputs = {{"x", {8, 32, 28, 28}}, {"weight", {64, 32, 3, 3}}, {"bias", {64}}},
                .attributes = {{"pad", {1, 1}}, {"groups", 1}}}),
    };
    return family;
}

const OpFamily& comparison_ops() {
    static const OpFamily family = {
        of_rows("squared_distances", 3, squared_distances),
        of_rows("cosines", 3, cosines),
        of_rows("distances", 4, distances, "pair_ops.safetensors"),
        unary("row_norms", 2, row_norms, {.inputs = {{"x", {512, 128}}}}, head_ops_file),
        unary("unit_rows", 2, unit_rows, {.inputs = {{"x", {512, 128}}}}, head_ops_file),
    };
    return family;
}

const OpFamily& pool_and_norm_ops() {
    static const OpFamily family = {
        custom("max_pool2d", 6, pool<max_pool2d>, of_image()),
        custom("avg_pool2d", 6, pool<avg_pool2d>, of_image()),
        unary("global_avg_pool", 4, global_avg_pool),
        custom("batch_norm", 32, call_batch_norm,
               {.inputs = {{"x", image},
                           {"scale", {32}, 0.5, 1.5},
                           {"shift", {32}},
                           {"residual", image},
                           {"running_mean", {32}},
                           {"running_variance", {32}, 0.5, 2}},
                .attributes = {{"relu", true}}}),
    };
    return family;
}

std::vector<const OpFamily*> every_op() {
    return {&elementwise_ops(), &activation_ops(), &random_ops(),          &reduction_ops(),
            &shape_ops(),       &product_ops(),    &comparison_ops(),      &pool_and_norm_ops(),
            &softmax_ops(),     &head_ops(),       &recomputed_head_ops(), &pair_ops()};
}

}  // namespace radial::test
