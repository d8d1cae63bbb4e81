// Tests of ops on index tensors and masks, and of tensors made from numbers: values, gradients, messages.
#include "../bfloat16_check.h"
#include "../gradcheck.h"
#include "radial/core/memory/transfer.h"
#include "radial/core/ops.h"

#include <cmath>

namespace radial::test {
namespace {

using Values = std::vector<double>;

Values values_of(const Tensor& x) { return x.to_vector<double>(); }

Tensor index_of(const std::vector<std::int64_t>& values, const Shape& shape) { return Tensor::from(values, shape); }

Tensor matrix() { return Tensor::from<float>({0, 1, 2, 3, 4, 5}, {2, 3}); }

}  // namespace

TEST_CASE("gather takes an element of each line for each index") {
    CHECK(values_of(gather(matrix(), 1, index_of({2, 0, 0, 1}, {2, 2}))) == Values{2, 0, 3, 4});
    CHECK(values_of(gather(matrix(), 0, index_of({1, 0, 1}, {1, 3}))) == Values{3, 1, 5});
    CHECK(gather(matrix(), 1, Tensor::zeros({2, 0}, DType::int64)).shape() == Shape{2, 0});
    CHECK(gather(matrix(), 1, Tensor::zeros({0, 4}, DType::int64)).shape() == Shape{0, 4});
}

TEST_CASE("scatter_add adds every source to its place and leaves the input as it is") {
    const Tensor x = Tensor::full({2, 3}, 1), source = Tensor::from<float>({1, 2, 4, 8}, {2, 2});
    const Tensor y = scatter_add(x, 1, index_of({2, 2, 0, 1}, {2, 2}), source);
    CHECK(values_of(y) == Values{1, 1, 4, 5, 9, 1});
    CHECK(values_of(x) == Values(6, 1));
    CHECK(values_of(scatter_add(x, 0, Tensor::zeros({0, 3}, DType::int64), Tensor::zeros({0, 3}))) == Values(6, 1));
}

TEST_CASE("scatter_add keeps NaN and infinity") {
    const Tensor source = Tensor::from<float>({NAN, INFINITY, -INFINITY, INFINITY}, {4});
    const Values y = values_of(scatter_add(Tensor::zeros({3}), 0, index_of({0, 1, 2, 2}, {4}), source));
    CHECK(std::isnan(y[0]));
    CHECK(y[1] == INFINITY);
    CHECK(std::isnan(y[2]));
}

TEST_CASE("scatter_add in bfloat16 rounds a sum once") {
    const std::int64_t count = 1000;
    const Tensor ones = Tensor::full({count}, 1, DType::bfloat16), at = Tensor::zeros({count}, DType::int64);
    CHECK(scatter_add(Tensor::zeros({1}, DType::bfloat16), 0, at, ones).item() == 1000);
}

TEST_CASE("sums of scatter_add are those of a loop in the order of the index, for any shape") {
    RandomInputs random(8);
    for (const auto& [shape, dim] : {std::pair<Shape, int>{{2000}, 0}, {{300, 70}, 0}, {{70, 300}, 1}}) {
        INFO(shape.str());
        Shape places = shape;
        places[dim] = 7;
        const Tensor source = random.tensor(shape, -1, 1, DType::float32);
        const Tensor at = random.labels(shape.numel(), 7).view(shape);
        const Tensor found = scatter_add(Tensor::zeros(places), dim, at, source);
        std::vector<float> expected(static_cast<std::size_t>(places.numel()));
        const auto values = source.to_vector<float>();
        const auto indices = at.to_vector<std::int64_t>();
        const std::int64_t columns = shape.rank() == 2 ? shape[1] : 1, wide = places.rank() == 2 ? places[1] : 1;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::int64_t row = static_cast<std::int64_t>(i) / columns;
            const std::int64_t column = static_cast<std::int64_t>(i) % columns;
            const std::int64_t place = dim == 0 ? indices[i] * wide + column : row * wide + indices[i];
            expected[static_cast<std::size_t>(place)] += values[i];
        }
        CHECK(differences(found.to_vector<float>(), expected) == "");
    }
}

TEST_CASE("scatter writes the sources, the last one where an index is repeated") {
    const Tensor source = Tensor::from<float>({7, 8, 9}, {1, 3});
    CHECK(values_of(scatter(matrix(), 1, index_of({0, 2, 0}, {1, 3}), source)) == Values{9, 1, 8, 3, 4, 5});
}

TEST_CASE("gradients of scatter agree with differences, repeated indices included") {
    RandomInputs random(9);
    const Tensor at = index_of({0, 2, 0, 1, 1, 1, 4, 0}, {2, 4});
    const TensorFunction f = [&](const auto& in) { return scatter(in[0], 1, at, in[1]); };
    CHECK(gradient_problem(f, {random.tensor({3, 5}), random.tensor({2, 4})}) == "");
    const Tensor down = index_of({1, 0, 1, 1, 2, 0}, {3, 2});
    const TensorFunction g = [&](const auto& in) { return scatter(in[0], 0, down, in[1]); };
    CHECK(gradient_problem(g, {random.tensor({3, 4}), random.tensor({3, 2})}) == "");
}

TEST_CASE("index_select takes slices along any dimension, of any type") {
    for (const DType dtype : {DType::float32, DType::float64, DType::int32, DType::int64, DType::uint8}) {
        const Tensor x = matrix().to(dtype);
        CHECK(values_of(index_select(x, 1, index_of({2, 2, 0}, {3}))) == Values{2, 2, 0, 5, 5, 3});
        CHECK(values_of(index_select(x, 0, index_of({1}, {1}))) == Values{3, 4, 5});
    }
    CHECK(index_select(matrix(), 1, Tensor::zeros({0}, DType::int64)).shape() == Shape{2, 0});
    const Tensor images = Tensor::zeros({2, 3, 4, 5}).to(Layout::channels_last);
    CHECK(index_select(images, 1, index_of({0, 2}, {2})).layout() == Layout::channels_last);
}

TEST_CASE("masked_fill replaces what the mask marks, NaN included") {
    const Tensor x = Tensor::from<float>({1, NAN, 3, 4}, {2, 2}), mask = Tensor::from<float>({0, 2}, {2});
    CHECK(values_of(masked_fill(x, mask, -5)) == Values{1, -5, 3, -5});
    const Tensor marked = Tensor::from<float>({NAN, 0, -0.0F, 1}, {2, 2});
    const Values y = values_of(masked_fill(x, marked, -INFINITY));
    CHECK(y[0] == -INFINITY);
    CHECK(std::isnan(y[1]));
    CHECK(y[2] == 3);
    CHECK(y[3] == -INFINITY);
    CHECK(masked_fill(Tensor::zeros({0, 2}), mask, 1).shape() == Shape{0, 2});
}

TEST_CASE("no gradient passes where masked_fill has filled") {
    const Tensor x = Tensor::full({2, 2}, 1).set_requires_grad();
    sum(masked_fill(x, Tensor::from<float>({0, 1}, {2}), INFINITY) * 3.0).backward();
    CHECK(values_of(x.grad()) == Values{3, 0, 3, 0});
}

TEST_CASE("ops on indices in bfloat16 are float32's, rounded") {
    RandomInputs random(10);
    const Tensor at = index_of({0, 2, 0, 1, 1, 1, 4, 0}, {2, 4}), rows = index_of({1, 1, 0, 1}, {4});
    const std::vector<Tensor> x{random.tensor({2, 5})}, both{random.tensor({2, 5}), random.tensor({2, 4})};
    CHECK(bfloat16_problem([&](const auto& in) { return gather(in[0], 1, at); }, x) == "");
    CHECK(bfloat16_problem([&](const auto& in) { return scatter_add(in[0], 1, at, in[1]); }, both) == "");
    CHECK(bfloat16_problem([&](const auto& in) { return scatter(in[0], 1, at, in[1]); }, both) == "");
    CHECK(bfloat16_problem([&](const auto& in) { return index_select(in[0], 0, rows); }, x) == "");
    CHECK(bfloat16_problem([](const auto& in) { return masked_fill(in[0], in[0], 2); }, x) == "");
}

TEST_CASE("one_hot marks the labels in any type") {
    const Tensor labels = index_of({1, 0, 2}, {3});
    for (const DType dtype : {DType::float32, DType::bfloat16, DType::int64, DType::uint8}) {
        CHECK(one_hot(labels, 3, dtype).dtype() == dtype);
        CHECK(values_of(one_hot(labels, 3, dtype)) == Values{0, 1, 0, 1, 0, 0, 0, 0, 1});
    }
    CHECK(one_hot(Tensor::zeros({2, 0}, DType::int64), 3).shape() == Shape{2, 0, 3});
}

TEST_CASE("arange, linspace and eye take any type") {
    for (const DType dtype : {DType::float32, DType::float64, DType::int32, DType::int64, DType::uint8}) {
        CHECK(arange(2, 8, 2, dtype).dtype() == dtype);
        CHECK(values_of(arange(2, 8, 2, dtype)) == Values{2, 4, 6});
        CHECK(values_of(linspace(0, 6, 4, dtype)) == Values{0, 2, 4, 6});
        CHECK(values_of(eye(2, dtype)) == Values{1, 0, 0, 1});
    }
    CHECK(eye(2, 3).shape() == Shape{2, 3});
    CHECK(arange(3, 3).shape() == Shape{0});
}

TEST_CASE("linspace ends exactly at its end") {
    CHECK(values_of(linspace(0.1, 0.7, 8, DType::float64)).back() == 0.7);
    CHECK(values_of(linspace(5, 9, 1)) == Values{5});
}

TEST_CASE("numbers that make no sequence are named") {
    CHECK(error_of([] { arange(0, 3, 0); }) ==
          "arange: from 0 to 3 in steps of 0, expected finite numbers and a step other than 0");
    CHECK(error_of([] { arange(0, 3, -1); }) == "arange: from 0 to 3 in steps of -1, which lead away from it");
    CHECK(error_of([] { linspace(0, 1, -1); }) == "linspace: -1 numbers, expected at least 0");
    CHECK(error_of([] { eye(-1, 2); }) == "eye: -1 rows and 2 columns, expected at least 0");
}

TEST_CASE("ops on indices name what does not fit") {
    const Tensor at = index_of({0, 1}, {1, 2}), source = Tensor::zeros({1, 3});
    CHECK(error_of([&] { gather(matrix(), 2, at); }) == "gather: dimension 2 of [2, 3], which has 2");
    CHECK(error_of([&] {
              gather(matrix(), 1, Tensor::zeros({1, 2}));
          }) == "gather: index is float32[1, 2], expected int64 of rank 2");
    CHECK(error_of([&] { gather(matrix(), 1, index_of({0}, {1})); }) ==
          "gather: index is int64[1], expected int64 of rank 2");
    CHECK(error_of([&] {
              gather(matrix(), 1, index_of({0, 0, 0}, {3, 1}));
          }) == "gather: index [3, 1] exceeds the input [2, 3] in dimension 0, expected only in 1");
    CHECK(error_of([&] { scatter_add(matrix(), 1, at, source); }) ==
          "scatter_add: the source is [1, 3], expected the shape [1, 2] of the index");
    CHECK(error_of([&] { scatter(matrix(), 1, at, at); }) == "scatter: the source is int64[1, 2], expected float32");
    CHECK(error_of([&] { index_select(matrix(), 0, at); }) == "index_select: index is int64[1, 2], expected int64[M]");
    CHECK(error_of([&] { masked_fill(matrix(), Tensor::zeros({2}), 0); }) ==
          "masked_fill: shapes [2, 3] and [2] do not broadcast");
    CHECK(error_of([&] {
              masked_fill(matrix(), Tensor::zeros({2, 2, 3}), 0);
          }) == "masked_fill: the mask [2, 2, 3] does not broadcast to the input [2, 3]");
    CHECK(error_of([&] { one_hot(matrix(), 3); }) == "one_hot: labels are float32[2, 3], expected int64");
    CHECK(error_of([&] { one_hot(at, 0); }) == "one_hot: 0 classes, expected at least 1");
}

TEST_CASE("an index outside its dimension is named, at once or when the host waits for the device") {
    const Tensor x = Tensor::full({2, 3}, 1), one = Tensor::full({1, 2}, 1);
    for (const std::int64_t wrong : {std::int64_t{-1}, std::int64_t{3}, std::int64_t{1} << 60}) {
        const Tensor at = index_of({0, wrong}, {1, 2});
        const auto message = [&](const std::string& op) {
            return bad_index(fmt::format("{}: index {} is outside [0, 3)", op, wrong), wrong, 1, 3);
        };
        CHECK(error_after([&] { gather(x, 1, at); }) == message("gather"));
        CHECK(error_after([&] { scatter_add(x, 1, at, one); }) == message("scatter_add"));
        CHECK(error_after([&] { scatter(x, 1, at, one); }) == message("scatter"));
        CHECK(error_after([&] { index_select(x, 1, at.view({2})); }) == message("index_select"));
        CHECK(error_after([&] { one_hot(at.view({2}), 3); }) ==
              bad_index(fmt::format("one_hot: label {} of sample 1 is outside [0, 3)", wrong), wrong, 1, 3));
    }
    CHECK(error_of([] {
              gather(Tensor::zeros({2, 0}), 1, Tensor::zeros({2, 1}, DType::int64));
          }) == "gather: 2 elements asked of a dimension that has none");
}

TEST_CASE("a wrong index on a device writes nothing", "[device]") {
    const Tensor x = Tensor::full({2, 3}, 1), ones = Tensor::full({1, 3}, 1);
    const Tensor at = index_of({0, std::int64_t{1} << 60, -1}, {1, 3});
    const Tensor sums = scatter_add(x, 1, at, ones), put = scatter(x, 1, at, ones * 5.0);
    CHECK(error_of([] { synchronize(default_device()); }) != "(no error was thrown)");
    CHECK(values_of(sums) == Values{2, 1, 1, 1, 1, 1});
    CHECK(values_of(put) == Values{5, 1, 1, 1, 1, 1});
}

}  // namespace radial::test
