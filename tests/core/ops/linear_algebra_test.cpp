// Tests of matrix products and of ops that compare rows: gradients with every transposition, values, messages.
#include "../gradcheck.h"
#include "radial/losses/functional.h"

#include <array>
#include <cmath>
#include <memory>

namespace radial::test {
namespace {

/// The numbers of samples (n) and classes (c), and the dimension (d). In the last case, one block on the CPU cannot
/// hold all classes.
struct HeadSize {
    std::int64_t n, c, d;
};
const std::vector<HeadSize> sizes = {{1, 1, 2}, {1, 5, 3}, {5, 7, 2}, {8, 10, 16}, {3, 33, 5}};

Tensor matrix(const std::vector<float>& values, std::int64_t columns) {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size()) / columns, columns});
}
Tensor label_list(const std::vector<std::int64_t>& labels) {
    return Tensor::from(labels, {static_cast<std::int64_t>(labels.size())});
}

}  // namespace

TEST_CASE("gradients of matmul agree with differences, transposed or not") {
    RandomInputs random(51);
    for (int k = 0; k < 4; ++k) {
        const std::int64_t rows = random.integer(1, 7), inner = random.integer(1, 7), columns = random.integer(1, 7);
        for (const bool ta : {false, true}) {
            for (const bool tb : {false, true}) {
                const Tensor a = random.tensor(ta ? Shape{inner, rows} : Shape{rows, inner});
                const Tensor b = random.tensor(tb ? Shape{columns, inner} : Shape{inner, columns});
                INFO(a.str() << (ta ? "^T " : " ") << b.str() << (tb ? "^T" : ""));
                const TensorFunction f = [ta, tb](const auto& in) { return matmul(in[0], in[1], ta, tb); };
                CHECK(gradient_problem(f, {a, b}) == "");
            }
        }
    }
}

TEST_CASE("a matrix times itself gets both gradients") {
    RandomInputs random(52);
    const std::vector<Tensor> inputs{random.tensor({5, 5})};
    CHECK(gradient_problem([](const auto& in) { return matmul(in[0], in[0]); }, inputs) == "");
    CHECK(gradient_problem([](const auto& in) { return matmul(in[0], in[0], false, true); }, inputs) == "");
}

TEST_CASE("gradients of linear agree with differences, with and without bias") {
    RandomInputs random(53);
    for (const auto& [n, d, k] : {std::tuple{1, 1, 1}, {1, 5, 3}, {3, 7, 1}, {5, 16, 20}, {4, 1, 5}}) {
        INFO(n << " rows from " << d << " to " << k);
        const Tensor x = random.tensor({n, d}), w = random.tensor({k, d}), b = random.tensor({k});
        CHECK(gradient_problem([](const auto& in) { return linear(in[0], in[1], in[2]); }, {x, w, b}) == "");
        CHECK(gradient_problem([](const auto& in) { return linear(in[0], in[1]); }, {x, w}) == "");
    }
}

TEST_CASE("linear treats all dimensions but the last as rows") {
    RandomInputs random(54);
    const Tensor x = random.tensor({2, 3, 4}), w = random.tensor({5, 4}), b = random.tensor({5});
    const Tensor y = linear(x, w, b);
    CHECK(y.shape() == Shape{2, 3, 5});
    CHECK(y.to_vector<double>() == linear(x.view({6, 4}), w, b).to_vector<double>());
    CHECK(linear(x.view({24}).rows(0, 4), w).shape() == Shape{5});
    CHECK(linear(Tensor::zeros({2, 0, 4}), Tensor::zeros({5, 4})).shape() == Shape{2, 0, 5});
    CHECK(gradient_problem([](const auto& in) { return linear(in[0], in[1], in[2]); }, {x, w, b}) == "");
}

TEST_CASE("bmm broadcasts the leading extents, and gradients are summed over them") {
    RandomInputs random(55);
    for (const auto& [left, right] : {std::pair<Shape, Shape>{{2, 3, 4, 5}, {3, 5, 2}},
                                      {{4, 5}, {3, 5, 2}},
                                      {{2, 1, 4, 5}, {3, 5, 2}},
                                      {{3, 4, 5}, {5, 2}},
                                      {{4, 5}, {5, 2}}}) {
        const Tensor a = random.tensor(left), b = random.tensor(right);
        INFO(left.str() << " " << right.str());
        CHECK(gradient_problem([](const auto& in) { return bmm(in[0], in[1]); }, {a, b}) == "");
    }
    const Tensor a = Tensor::from<float>({1, 2, 3, 4}, {2, 1, 2}), b = Tensor::from<float>({1, 0, 2, 1}, {2, 2});
    CHECK(bmm(a, b).to_vector<double>() == std::vector<double>{5, 2, 11, 4});
    CHECK(bmm(a, b, false, true).to_vector<double>() == std::vector<double>{1, 4, 3, 10});
}

TEST_CASE("bmm gives the products of its matrices for few large and many small ones", "[host]") {
    for (const auto& [batch, size] : {std::pair<std::int64_t, std::int64_t>{2, 150}, {3, 20}, {40, 30}, {1, 5}}) {
        RandomInputs random(56);
        const Tensor a = random.tensor({batch, size, size}, -1, 1, DType::float32);
        const Tensor b = random.tensor({batch, size, size}, -1, 1, DType::float32), c = bmm(a, b, true, false);
        for (std::int64_t i = 0; i < batch; ++i) {
            const auto of = [i](const Tensor& x) { return x.rows(i, i + 1).view({x.size(1), x.size(2)}); };
            CHECK(relative_difference(of(c), matmul(of(a), of(b), true, false)) < 1e-6);
        }
    }
}

TEST_CASE("bmm of nothing is empty or 0, and errors name the shapes") {
    CHECK(bmm(Tensor::zeros({0, 2, 3}), Tensor::zeros({0, 3, 4})).shape() == Shape{0, 2, 4});
    const Tensor sums = bmm(Tensor::zeros({2, 2, 0}), Tensor::zeros({2, 0, 1}));
    CHECK(sums.to_vector<double>() == std::vector<double>{0, 0, 0, 0});
    CHECK(error_of([] {
              bmm(Tensor::zeros({2, 2, 3}), Tensor::zeros({2, 2, 3}));
          }) == "bmm: inner extents of [2, 2, 3] and [2, 2, 3] differ");
    CHECK(error_of([] {
              bmm(Tensor::zeros({2, 2, 3}), Tensor::zeros({3, 3, 2}));
          }) == "bmm: shapes [2] and [3] do not broadcast");
    CHECK(error_of([] {
              bmm(Tensor::zeros({3}), Tensor::zeros({3, 2}));
          }) == "bmm: batches are [3] and [3, 2], expected [..., M, K] and [..., K, N]");
}

TEST_CASE("products give the values of their definitions") {
    const Tensor a = Tensor::from<float>({1, 2, 3, 4, 5, 6}, {2, 3}),
                 b = Tensor::from<float>({1, 0, 2, 1, 0, 3}, {3, 2});
    using Values = std::vector<double>;
    CHECK(matmul(a, b).to_vector<double>() == Values{5, 11, 14, 23});
    CHECK(matmul(b, a, true, true).to_vector<double>() == Values{5, 14, 11, 23});
    CHECK(matmul(a, a, false, true).to_vector<double>() == Values{14, 32, 32, 77});
    CHECK(matmul(a, a, true).to_vector<double>() == Values{17, 22, 27, 22, 29, 36, 27, 36, 45});
    const Tensor bias = Tensor::from<float>({100, 200}, {2});
    CHECK(linear(a, a, bias).to_vector<double>() == Values{114, 232, 132, 277});
}

TEST_CASE("an empty batch has an empty result and gives its weights a gradient of zero") {
    for (const DType dtype : {DType::float32, DType::float64}) {
        const Tensor x = Tensor::zeros({0, 4}, dtype);
        const Tensor weight = Tensor::full({3, 4}, 2, dtype).set_requires_grad();
        const Tensor bias = Tensor::full({3}, 5, dtype).set_requires_grad();
        const Tensor y = linear(x, weight, bias);
        CHECK(y.shape() == Shape{0, 3});
        backward(y, Tensor::zeros({0, 3}, dtype));
        CHECK(weight.grad().to_vector<double>() == std::vector<double>(12, 0.0));
        CHECK(bias.grad().to_vector<double>() == std::vector<double>(3, 0.0));
    }
}

TEST_CASE("products of bfloat16 are those of its values, rounded") {
    const UseReferenceBackend plain;  // the CPU's fast path supports float32 only
    RandomInputs random(54);
    const Tensor a = random.tensor({5, 33}).to(DType::bfloat16), b = random.tensor({33, 7}).to(DType::bfloat16);
    const Tensor c = matmul(a, b);
    CHECK(c.dtype() == DType::bfloat16);
    CHECK(relative_difference(c, matmul(a.to(DType::float64), b.to(DType::float64))) < 0x1p-8);
    CHECK(differences(matmul(transpose(b.to(DType::float64)).to(DType::bfloat16), a, false, true).to_vector<double>(),
                      transpose(c.to(DType::float64)).to_vector<double>()) == "");
}

TEST_CASE("products of bfloat16 by the CPU's own units are those of its values, rounded once") {
    RandomInputs random(57);
    for (const auto& [m, k, n] : std::vector<std::array<std::int64_t, 3>>{{1, 1, 1}, {5, 33, 7}, {64, 256, 48}}) {
        const Tensor a = random.tensor({m, k}).to(DType::bfloat16), b = random.tensor({k, n}).to(DType::bfloat16);
        const Tensor wanted = matmul(a.to(DType::float64), b.to(DType::float64));
        for (const bool turned_a : {false, true}) {
            for (const bool turned_b : {false, true}) {
                INFO(m << " x " << k << " x " << n << ", transposed: " << turned_a << turned_b);
                const Tensor left = turned_a ? transpose(a.to(DType::float64)).to(DType::bfloat16) : a;
                const Tensor right = turned_b ? transpose(b.to(DType::float64)).to(DType::bfloat16) : b;
                const Tensor c = matmul(left, right, turned_a, turned_b);
                CHECK(c.dtype() == DType::bfloat16);
                CHECK(relative_difference(c, wanted) < 0x1p-8);
            }
        }
    }
}

TEST_CASE("linear takes float32 weights beside a bfloat16 input and gives them float32 gradients") {
    const bool fast = GENERATE(false, true);
    const auto plain = fast ? nullptr : std::make_unique<UseReferenceBackend>();
    RandomInputs random(55);
    const Tensor x = random.tensor({6, 33}).to(DType::bfloat16), seed = random.tensor({6, 9}).to(DType::bfloat16);
    const Tensor weight = random.tensor({9, 33}, -1, 1, DType::float32),
                 bias = random.tensor({9}, -1, 1, DType::float32);
    const auto run = [&](DType input, const Tensor& w, DType parameters) {
        std::vector<Tensor> leaves{x.to(input).clone(), w.to(parameters).clone(), bias.to(parameters).clone()};
        for (Tensor& leaf : leaves) leaf.set_requires_grad();
        const Tensor y = linear(leaves[0], leaves[1], leaves[2]);
        backward(y, seed.to(input));
        return std::vector<Tensor>{y.detach(), leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
    };
    const auto mixed = run(DType::bfloat16, weight, DType::float32);
    const auto wide = run(DType::float64, weight.to(DType::bfloat16), DType::float64);
    CHECK(mixed[0].dtype() == DType::bfloat16);
    CHECK(mixed[1].dtype() == DType::bfloat16);
    CHECK(mixed[2].dtype() == DType::float32);
    CHECK(mixed[3].dtype() == DType::float32);
    CHECK(relative_difference(mixed[0], wide[0]) < 0x1p-7);  // the bias is rounded too
    CHECK(relative_difference(mixed[1], wide[1]) < 0x1p-8);
    CHECK(relative_difference(mixed[2], wide[2]) < 1e-5);
    CHECK(relative_difference(mixed[3], wide[3]) < 1e-5);
}

TEST_CASE("products of what does not fit say what it is") {
    const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({4, 5});
    CHECK(error_of([&] { matmul(a, b); }) == "matmul: inner extents of [2, 3] and [4, 5] differ");
    CHECK(error_of([&] { matmul(a, b, true, true); }) ==
          "matmul: inner extents of [2, 3] (transposed) and [4, 5] (transposed) differ");
    CHECK(error_of([&] { matmul(Tensor::zeros({3}), b); }) == "matmul: first matrix is [3], expected [M, K]");
    CHECK(error_of([&] { matmul(a, Tensor::zeros({3})); }) == "matmul: second matrix is [3], expected [K, N]");
    CHECK(error_of([&] { matmul(a, b.to(DType::float64)); }) ==
          "matmul: the second matrix is float64[4, 5], expected float32");
    CHECK(error_of([&] { linear(a, b); }) == "linear: input has 3 features, weight expects 5");
    CHECK(error_of([&] {
              linear(a, Tensor::zeros({4, 3}), Tensor::zeros({3}));
          }) == "linear: bias is [3], expected [4]");
    CHECK(error_of([&] {
              linear(a.to(DType::bfloat16), Tensor::zeros({4, 3}, DType::float64));
          }) == "linear: weight is float64[4, 3], expected bfloat16");
    CHECK(error_of([&] { linear(Tensor::zeros({}), b); }) == "linear: input is [], expected [..., D]");
    CHECK(error_of([&] { linear(a, Tensor::zeros({3})); }) == "linear: weight is [3], expected [K, D]");
}

TEST_CASE("gradients of distances, cosines, lengths and unit rows agree with differences") {
    RandomInputs random(204);
    for (const HeadSize& size : sizes) {
        INFO(size.n << " and " << size.c << " rows of " << size.d);
        const std::vector<Tensor> pair{random.tensor({size.n, size.d}), random.tensor({size.c, size.d})};
        CHECK(gradient_problem([](const auto& in) { return squared_distances(in[0], in[1]); }, pair) == "");
        CHECK(gradient_problem([](const auto& in) { return squared_distances(in[0], in[0]); }, {pair[0]}) == "");
        CHECK(gradient_problem([](const auto& in) { return cosines(in[0], in[1]); }, pair, {.step = 1e-4}) == "");
        CHECK(gradient_problem([](const auto& in) { return row_norms(in[0]); }, {pair[0]}, {.step = 1e-4}) == "");
        CHECK(gradient_problem([](const auto& in) { return unit_rows(in[0]); }, {pair[0]}, {.step = 1e-4}) == "");
    }
}

TEST_CASE("rows that are alike are at distance 0 however far out they lie, and by a product too") {
    const Tensor far = Tensor::full({3, 5}, 1000.1);
    CHECK(squared_distances(far, far).to_vector<float>() == std::vector<float>(9, 0.0F));
    const Tensor many = Tensor::full({300, 200}, 0.3);  // so many that distances are computed from a product
    for (const float d : squared_distances(many, many).to_vector<float>()) CHECK(d < 1e-4F);
}

TEST_CASE("a zero row has no direction: cosine and unit row 0, gradients 0") {
    Tensor x = Tensor::from<double>({0, 0, 3, 4}, {2, 2});
    x.set_requires_grad();
    CHECK(relative_difference(unit_rows(x), Tensor::from<double>({0, 0, 0.6, 0.8}, {2, 2})) < 1e-15);
    sum(cosines(x, x) + unit_rows(x)).backward();
    const auto grad = x.grad().to_vector<double>();
    CHECK(grad[0] == 0);
    CHECK(grad[1] == 0);
    CHECK(std::isfinite(grad[2]));
}

TEST_CASE("distances have the gradient of their differences", "[ops][pairs][gradcheck]") {
    RandomInputs random(3);
    CHECK(gradient_problem([](const auto& in) { return distances(in[0], in[1]); },
                           {random.distinct({5, 3}), random.distinct({4, 3})}) == "");
    CHECK(gradient_problem(
              [](const auto& in) {
                  return batch_class_means(in[0], label_list({2, 0, 2, 2, 0}));
              },
              {random.distinct({5, 3})}) == "");
}

TEST_CASE("the distance of equal points is 0 and so is its gradient", "[ops][pairs]") {
    Tensor x = matrix({0.1F, 0.7F, -3.3F, 0.1F, 0.7F, -3.3F}, 3);
    x.set_requires_grad();
    const Tensor d = distances(x, x);
    CHECK(d.to_vector<double>() == std::vector<double>{0, 0, 0, 0});
    sum(d).backward();
    CHECK(x.grad().to_vector<double>() == std::vector<double>(6, 0.0));
}

}  // namespace radial::test
