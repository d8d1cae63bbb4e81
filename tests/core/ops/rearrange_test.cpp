// Tests of ops that read boxes and diagonals, pad, shift, repeat, join and split: values, gradients, messages.
#include "../bfloat16_check.h"
#include "../gradcheck.h"
#include "radial/core/ops.h"

#include <cmath>

namespace radial::test {
namespace {

using Values = std::vector<double>;

/// 0, 1, 2, ... in a tensor of this shape.
Tensor counted(const Shape& shape, DType dtype = DType::float32) {
    return reshape(arange(0, static_cast<double>(shape.numel()), 1, dtype), shape);
}

Values values_of(const Tensor& x) { return x.to_vector<double>(); }

const std::vector<DType> all_types = {DType::float32, DType::float64, DType::int32,
                                      DType::int64,   DType::uint8,   DType::bfloat16};

}  // namespace

TEST_CASE("slice with a step takes every step-th element, the last of them below the end") {
    const Tensor x = counted({2, 5});
    CHECK(values_of(slice(x, 1, 0, 5, 2)) == Values{0, 2, 4, 5, 7, 9});
    CHECK(values_of(slice(x, 1, 1, 4, 2)) == Values{1, 3, 6, 8});
    CHECK(values_of(slice(x, 0, 0, 2, 7)) == Values{0, 1, 2, 3, 4});
    CHECK(slice(x, 1, 2, 2, 3).shape() == Shape{2, 0});
}

TEST_CASE("slices count from the back and are clamped as in Python") {
    const Tensor x = counted({3, 5});
    CHECK(values_of(slice(x, {{1, 99}, {-2}})) == Values{8, 9, 13, 14});
    CHECK(values_of(slice(x, {{}, {.begin = -99, .end = -1, .step = 2}})) == Values{0, 2, 5, 7, 10, 12});
    CHECK(values_of(slice(x, {{2}})) == Values{10, 11, 12, 13, 14});
    CHECK(slice(x, {{2, 1}}).shape() == Shape{0, 5});
    CHECK(slice(x, {{1, 3}}).raw() == x.rows(1, 3).raw());
}

TEST_CASE("flip reverses the order, twice is the tensor itself") {
    const Tensor x = counted({2, 3});
    CHECK(values_of(flip(x, {1})) == Values{2, 1, 0, 5, 4, 3});
    CHECK(values_of(flip(x, {0, 1})) == Values{5, 4, 3, 2, 1, 0});
    CHECK(values_of(flip(flip(x, {-1}), {1})) == values_of(x));
    CHECK(flip(Tensor::zeros({0, 3}), {0}).shape() == Shape{0, 3});
}

TEST_CASE("roll moves elements around the end by any number of places") {
    const Tensor x = counted({5});
    CHECK(values_of(roll(x, {2}, {0})) == Values{3, 4, 0, 1, 2});
    CHECK(values_of(roll(x, {-1}, {0})) == Values{1, 2, 3, 4, 0});
    CHECK(values_of(roll(x, {-11}, {0})) == Values{1, 2, 3, 4, 0});
    CHECK(values_of(roll(x, {2, 1}, {0, -1})) == Values{2, 3, 4, 0, 1});
    CHECK(roll(Tensor::zeros({0, 2}), {3}, {0}).shape() == Shape{0, 2});
}

TEST_CASE("pad fills the ends by its mode") {
    const Tensor x = Tensor::from<float>({1, 2, 3}, {3});
    const auto padded = [&](PadMode mode) { return values_of(pad(x, {{2, 1}}, {.mode = mode, .value = 9})); };
    CHECK(padded(PadMode::constant) == Values{9, 9, 1, 2, 3, 9});
    CHECK(padded(PadMode::reflect) == Values{3, 2, 1, 2, 3, 2});
    CHECK(padded(PadMode::replicate) == Values{1, 1, 1, 2, 3, 3});
    CHECK(padded(PadMode::circular) == Values{2, 3, 1, 2, 3, 1});
}

TEST_CASE("pad takes NaN and infinity as values and as elements") {
    const Tensor x = Tensor::from<float>({NAN, INFINITY}, {2});
    const Values padded = values_of(pad(x, {{1, 1}}, {.value = -INFINITY}));
    CHECK(padded[0] == -INFINITY);
    CHECK(std::isnan(padded[1]));
    CHECK(padded[2] == INFINITY);
    CHECK(padded[3] == -INFINITY);
}

TEST_CASE("pad of an empty dimension is all constant") {
    const Tensor x = Tensor::zeros({2, 0}).set_requires_grad();
    const Tensor y = pad(x, {{0, 0}, {1, 1}}, {.value = 3});
    CHECK(values_of(y) == Values{3, 3, 3, 3});
    sum(y).backward();
    CHECK(x.grad().shape() == Shape{2, 0});
}

TEST_CASE("circular and replicated padding may exceed the extent") {
    const Tensor x = Tensor::from<float>({1, 2}, {2});
    CHECK(values_of(pad(x, {{3, 4}}, {.mode = PadMode::circular})) == Values{2, 1, 2, 1, 2, 1, 2, 1, 2});
    CHECK(values_of(pad(x, {{3, 4}}, {.mode = PadMode::replicate})) == Values{1, 1, 1, 1, 2, 2, 2, 2, 2});
    RandomInputs random(5);
    for (const PadMode mode : {PadMode::circular, PadMode::replicate}) {
        const TensorFunction f = [mode](const auto& in) { return pad(in[0], {{3, 4}, {0, 5}}, {.mode = mode}); };
        CHECK(gradient_problem(f, {random.tensor({2, 3})}) == "");
        CHECK(gradient_problem(f, {random.tensor({1, 1})}) == "");
    }
}

TEST_CASE("repeat tiles, and adds dimensions in front") {
    const Tensor x = counted({2, 2});
    CHECK(values_of(repeat(x, {1, 2})) == Values{0, 1, 0, 1, 2, 3, 2, 3});
    CHECK(values_of(repeat(x, {2, 1})) == Values{0, 1, 2, 3, 0, 1, 2, 3});
    CHECK(repeat(x, {3, 1, 1}).shape() == Shape{3, 2, 2});
    CHECK(repeat(x, {2}).shape() == Shape{2, 4});
    CHECK(repeat(x, {0, 1}).shape() == Shape{0, 2});
    CHECK(repeat(Tensor::zeros({0}), {4}).shape() == Shape{0});
}

TEST_CASE("broadcast_to repeats extents of 1 and missing dimensions") {
    const Tensor x = Tensor::from<std::int64_t>({1, 2}, {2, 1});
    CHECK(values_of(broadcast_to(x, {2, 3})) == Values{1, 1, 1, 2, 2, 2});
    CHECK(values_of(broadcast_to(x, {2, 2, 1})) == Values{1, 2, 1, 2});
    CHECK(broadcast_to(x, {2, 0}).shape() == Shape{2, 0});
}

TEST_CASE("the gradient of what was broadcast to no elements is 0") {
    const Tensor x = Tensor::full({2, 1}, 1).set_requires_grad();
    sum(broadcast_to(x, {2, 0})).backward();
    CHECK(values_of(x.grad()) == Values{0, 0});
}

TEST_CASE("tril and triu keep a triangle, and drop what is not finite outside of it") {
    const Tensor x = Tensor::from<float>({1, NAN, 3, 4, 5, 6}, {2, 3});
    CHECK(values_of(tril(x)) == Values{1, 0, 0, 4, 5, 0});
    CHECK(values_of(triu(x, 2)) == Values{0, 0, 3, 0, 0, 0});
    CHECK(values_of(triu(x, -1)).at(3) == 4);
    CHECK(tril(Tensor::zeros({2, 0, 3})).shape() == Shape{2, 0, 3});
}

TEST_CASE("diagonal moves the diagonal to the last dimension") {
    const Tensor x = counted({2, 2, 3});
    CHECK(values_of(diagonal(x, 0, 1, 2)) == Values{0, 4, 6, 10});
    CHECK(diagonal(x).shape() == Shape{3, 2});
    CHECK(values_of(diagonal(x)) == Values{0, 9, 1, 10, 2, 11});
    CHECK(diagonal(x, 7).shape() == Shape{3, 0});
}

TEST_CASE("diag makes a matrix of a vector and takes it back") {
    const Tensor x = Tensor::from<float>({1, 2}, {2});
    CHECK(values_of(diag(x, 1)) == Values{0, 1, 0, 0, 0, 2, 0, 0, 0});
    CHECK(values_of(diag(diag(x, -1), -1)) == Values{1, 2});
}

TEST_CASE("stack joins along a new dimension") {
    const Tensor a = Tensor::from<float>({1, 2}, {2}), b = Tensor::from<float>({3, 4}, {2});
    CHECK(values_of(stack({a, b}, 0)) == Values{1, 2, 3, 4});
    CHECK(values_of(stack({a, b}, -1)) == Values{1, 3, 2, 4});
}

TEST_CASE("concat and stack join more parts than one op of the tape takes") {
    std::vector<Tensor> parts(70);
    for (std::size_t i = 0; i < parts.size(); ++i)
        parts[i] = Tensor::full({1}, static_cast<double>(i), DType::float64).set_requires_grad();
    const Tensor y = concat(parts, 0);
    CHECK(values_of(y) == values_of(arange(0, 70)));
    CHECK(stack(parts, 0).shape() == Shape{70, 1});
    sum(y * y).backward();
    CHECK(parts[69].grad().item() == 138);
}

TEST_CASE("split and chunk divide a dimension, and concat restores it") {
    const Tensor x = counted({2, 7});
    const std::vector<Tensor> parts = split(x, {2, 0, 5}, 1);
    REQUIRE(parts.size() == 3);
    CHECK(values_of(parts[0]) == Values{0, 1, 7, 8});
    CHECK(parts[1].shape() == Shape{2, 0});
    CHECK(values_of(concat(parts, 1)) == values_of(x));
    const std::vector<Tensor> chunks = chunk(x, 3, -1);
    REQUIRE(chunks.size() == 3);
    CHECK(chunks[0].shape() == Shape{2, 3});
    CHECK(chunks[2].shape() == Shape{2, 1});
    CHECK(chunk(x, 4, 1).size() == 4);
    CHECK(chunk(x, 5, 1).size() == 4);  // of two elements each, as in PyTorch
    CHECK(chunk(x, 1, 0).size() == 1);
}

TEST_CASE("gradients of split parts add up") {
    RandomInputs random(6);
    const TensorFunction f = [](const auto& in) {
        const std::vector<Tensor> parts = split(in[0], {2, 3}, 1);
        return concat({square(parts[1]), parts[0] * 3.0}, 1);
    };
    CHECK(gradient_problem(f, {random.tensor({3, 5})}) == "");
}

TEST_CASE("meshgrid gives the coordinates of a grid") {
    const std::vector<Tensor> grid = meshgrid({counted({2}), counted({3})});
    REQUIRE(grid.size() == 2);
    CHECK(values_of(grid[0]) == Values{0, 0, 0, 1, 1, 1});
    CHECK(values_of(grid[1]) == Values{0, 1, 2, 0, 1, 2});
}

TEST_CASE("ops that move elements take every type") {
    for (const DType dtype : all_types) {
        INFO(name_of(dtype));
        const Tensor x = counted({2, 3, 4}, dtype);
        const auto agree = [&](const auto& f) {
            const Tensor y = f(x);
            CHECK(y.dtype() == dtype);
            CHECK(values_of(y) == values_of(f(x.to(DType::float64))));
        };
        agree([](const Tensor& t) { return permute(t, {2, 0, 1}); });
        agree([](const Tensor& t) { return slice(t, 2, 0, 4, 3); });
        agree([](const Tensor& t) { return flip(t, {0, 2}); });
        agree([](const Tensor& t) { return roll(t, {1, 2}, {1, 2}); });
        agree([](const Tensor& t) { return pad(t, {{}, {1, 1}, {1, 0}}, {.value = 7}); });
        agree([](const Tensor& t) { return repeat(t, {2, 1, 2}); });
        agree([](const Tensor& t) { return broadcast_to(t, {2, 2, 3, 4}); });
        agree([](const Tensor& t) { return tril(t); });
        agree([](const Tensor& t) { return diagonal(t, 1, 1, 2); });
        agree([](const Tensor& t) { return stack({t, t}, 1); });
    }
}

TEST_CASE("large tensors are permuted as element by element") {
    for (const auto& [shape, order] : {std::pair<Shape, std::vector<int>>{{3, 37, 70}, {0, 2, 1}},
                                       {{5, 9, 11, 64}, {2, 0, 1, 3}},
                                       {{300, 2, 41}, {2, 1, 0}},
                                       {{7, 3, 19, 5, 23}, {4, 1, 2, 0, 3}},
                                       {{40, 300}, {1, 0}}}) {
        INFO(shape.str());
        const Tensor x = counted(shape, DType::int32), y = permute(x, order);
        const auto from = x.to_vector<std::int32_t>(), found = y.to_vector<std::int32_t>();
        const auto strides = x.shape().strides();
        std::vector<std::int32_t> expected(from.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
            std::int64_t rest = static_cast<std::int64_t>(i), at = 0;
            for (int d = y.rank() - 1; d >= 0; --d) {
                at += rest % y.shape()[d] * strides[static_cast<std::size_t>(order[static_cast<std::size_t>(d)])];
                rest /= y.shape()[d];
            }
            expected[i] = from[static_cast<std::size_t>(at)];
        }
        CHECK(differences(found, expected) == "");
    }
}

TEST_CASE("channels_last images stay channels_last where their dimensions stay") {
    const Tensor x = counted({2, 3, 4, 5}), last = x.to(Layout::channels_last);
    const auto agree = [&](const auto& f) {
        CHECK(f(last).layout() == Layout::channels_last);
        CHECK(values_of(f(last)) == values_of(f(x)));
    };
    agree([](const Tensor& t) { return slice(t, 3, 0, 5, 2); });
    agree([](const Tensor& t) { return slice(t, {{}, {1, 3}, {2}, {.step = 3}}); });
    agree([](const Tensor& t) { return flip(t, {1, 3}); });
    agree([](const Tensor& t) { return roll(t, {1, -2}, {2, 1}); });
    agree([](const Tensor& t) { return repeat(t, {1, 2, 1, 2}); });
    for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate, PadMode::circular})
        agree([mode](const Tensor& t) { return pad(t, {{}, {1, 2}, {3, 0}, {1, 1}}, {.mode = mode, .value = 5}); });
}

TEST_CASE("ops that rearrange in bfloat16 are float32's, rounded") {
    RandomInputs random(7);
    const std::vector<Tensor> images{random.tensor({2, 3, 5, 4})};
    const auto agrees = [&](const auto& f) { CHECK(bfloat16_problem(f, images) == ""); };
    agrees([](const auto& in) { return permute(in[0], {0, 2, 3, 1}); });
    agrees([](const auto& in) { return slice(in[0], 2, 1, 5, 2); });
    agrees([](const auto& in) { return flip(in[0], {3}); });
    agrees([](const auto& in) { return roll(in[0], {2}, {2}); });
    agrees([](const auto& in) { return repeat(in[0], {1, 1, 3, 2}); });
    agrees([](const auto& in) { return broadcast_to(in[0], {3, 2, 3, 5, 4}); });
    agrees([](const auto& in) { return pad(in[0], {{}, {}, {2, 2}, {1, 2}}, {.mode = PadMode::reflect}); });
    agrees([](const auto& in) { return tril(in[0]); });
    agrees([](const auto& in) { return diagonal(in[0], 0, 2, 3); });
}

TEST_CASE("ops that rearrange name what does not fit") {
    const Tensor x = Tensor::zeros({2, 3});
    CHECK(error_of([&] { slice(x, 1, 0, 3, 0); }) == "slice: step 0, expected at least 1");
    CHECK(error_of([&] { slice(x, 1, 0, 4, 2); }) == "slice: [0, 4) of dimension 1 of [2, 3], expected within [0, 3)");
    CHECK(error_of([&] { slice(x, {{}, {}, {}}); }) == "slice: 3 slices of [2, 3], which has 2 dimensions");
    CHECK(error_of([&] { slice(x, {{.step = -1}}); }) == "slice: step -1 of dimension 0, expected at least 1");
    CHECK(error_of([&] { flip(x, {0, -2}); }) == "flip: dimension -2 is named twice");
    CHECK(error_of([&] { roll(x, {1, 2}, {0}); }) == "roll: 2 shifts for 1 dimensions");
    CHECK(error_of([&] { broadcast_to(x, {3, 3}); }) == "broadcast_to: [2, 3] does not broadcast to [3, 3]");
    CHECK(error_of([&] { broadcast_to(x, {3}); }) == "broadcast_to: [2, 3] does not broadcast to [3]");
    CHECK(error_of([&] { repeat(x, {-1}); }) == "repeat: count -1, expected at least 0");
    CHECK(error_of([&] { tril(Tensor::zeros({3})); }) == "tril: input is [3], expected [..., M, N]");
    CHECK(error_of([&] { diagonal(x, 0, 1, -1); }) == "diagonal: dimensions 1 and -1 of [2, 3] are the same");
    CHECK(error_of([] { diag(Tensor::zeros({})); }) == "diag: input is [], expected [N] or [M, N]");
    CHECK(error_of([] { stack({}, 0); }) == "stack: nothing to join");
    CHECK(error_of([&] { stack({x, Tensor::zeros({3, 2})}, 0); }) == "stack: a part is [3, 2], the first [2, 3]");
    CHECK(error_of([&] { stack({x}, 3); }) == "stack: dimension 3 for parts [2, 3], expected within [-3, 2]");
    CHECK(error_of([&] {
              split(x, {1, 1}, 1);
          }) == "split: sizes add up to 2, expected 3, the extent of dimension 1 of [2, 3]");
    CHECK(error_of([&] { chunk(x, 0, 1); }) == "chunk: 0 parts, expected at least 1");
    CHECK(error_of([&] { meshgrid({x}); }) == "meshgrid: a vector is [2, 3], expected [N]");
}

TEST_CASE("pad names what does not fit") {
    const Tensor x = Tensor::zeros({2, 3});
    CHECK(error_of([&] { pad(x, {{1, 1}}); }) == "pad: padding of 1 dimensions, expected the 2 of [2, 3]");
    CHECK(error_of([&] { pad(x, {{}, {0, -1}}); }) == "pad: padding {0, -1} of dimension 1, expected at least 0");
    CHECK(error_of([&] {
              pad(x, {{2, 0}, {}}, {.mode = PadMode::reflect});
          }) == "pad: padding {2, 0} of dimension 0 of [2, 3], expected below the extent 2 for reflect");
    CHECK(error_of([&] {
              pad(Tensor::zeros({0}), {{1, 0}}, {.mode = PadMode::replicate});
          }) == "pad: dimension 0 of [0] has no elements to fill the padding with");
}

}  // namespace radial::test
