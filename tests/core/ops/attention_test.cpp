// Tests of scaled dot-product attention: values, masks, many heads, bfloat16, messages.
#include "../gradcheck.h"

#include <cmath>

namespace radial::test {
namespace {

using Values = std::vector<double>;

Tensor random_tensor(std::uint64_t seed, const Shape& shape, DType dtype = DType::float32) {
    return RandomInputs(seed).tensor(shape, -1, 1, dtype);
}

/// The result and the gradients of q, k and v, where the result's gradient is the result.
std::vector<Values> results(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask = {}) {
    std::vector<Tensor> leaves;
    for (const Tensor& x : {q, k, v}) leaves.push_back(x.clone().set_requires_grad());
    const Tensor y = scaled_dot_product_attention(leaves[0], leaves[1], leaves[2], mask);
    backward(y, y.detach());
    std::vector<Values> all{y.to_vector<double>()};
    for (const Tensor& leaf : leaves) all.push_back(leaf.grad().to_vector<double>());
    return all;
}

}  // namespace

TEST_CASE("attention of zero queries is the mean of the values") {
    const Tensor q = Tensor::zeros({1, 2, 3}), k = random_tensor(1, {1, 4, 3});
    const Tensor v = Tensor::from<float>({1, 2, 3, 6}, {1, 4, 1});
    CHECK(scaled_dot_product_attention(q, k, v).to_vector<double>() == Values{3, 3});
    CHECK(scaled_dot_product_attention(q, k, v, {}, {.causal = true}).to_vector<double>() == Values{1, 1.5});
}

TEST_CASE("the scale multiplies the products") {
    const Tensor q = Tensor::full({1, 1}, 1, DType::float64), k = Tensor::from<double>({0, 1}, {2, 1});
    const Tensor v = Tensor::from<double>({0, 1}, {2, 1});
    for (const double scale : {0.5, 2.0}) {
        const double found = scaled_dot_product_attention(q, k, v, {}, {.scale = scale}).item();
        CHECK(std::abs(found - 1 / (1 + std::exp(-scale))) < 1e-15);
    }
}

TEST_CASE("a uint8 mask is one of -inf where it is 0") {
    const Tensor q = random_tensor(1, {2, 3, 4, 5}), k = random_tensor(2, {2, 3, 6, 5}),
                 v = random_tensor(3, {2, 3, 6, 5});
    std::vector<std::uint8_t> flags;
    std::vector<float> addends;
    for (int i = 0; i < 24; ++i) {
        flags.push_back(i % 3 == 0 ? 0 : 1);
        addends.push_back(i % 3 == 0 ? -INFINITY : 0.0F);
    }
    CHECK(results(q, k, v, Tensor::from(flags, {4, 6})) == results(q, k, v, Tensor::from(addends, {4, 6})));
}

TEST_CASE("a query without keys gets 0 and gives no gradient") {
    const Tensor q = random_tensor(1, {2, 3}), k = random_tensor(2, {4, 3}), v = random_tensor(3, {4, 3});
    const std::vector<std::uint8_t> flags{0, 0, 0, 0, 1, 0, 0, 0};
    const auto all = results(q, k, v, Tensor::from(flags, {2, 4}));
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(all[0][i] == 0);
        CHECK(all[1][i] == 0);
        CHECK(all[0][3 + i] == v.to_vector<double>()[i]);
    }
}

TEST_CASE("a NaN key reaches exactly the queries that may attend to it") {
    const Tensor q = random_tensor(1, {3, 2}), v = random_tensor(3, {3, 1});
    const Tensor k = Tensor::from<float>({1, 2, 3, 4, NAN, 1}, {3, 2});
    const Values y = scaled_dot_product_attention(q, k, v, {}, {.causal = true}).to_vector<double>();
    CHECK_FALSE(std::isnan(y[1]));
    CHECK(std::isnan(y[2]));
}

TEST_CASE("heads are independent, however many are processed together") {
    // 20 heads of 200 x 200 products do not fit into one pass on the CPU.
    const std::int64_t heads = 20, length = 200, dim = 4, size = length * dim;
    const Shape shape{heads, length, dim};
    const Tensor q = random_tensor(1, shape), k = random_tensor(2, shape), v = random_tensor(3, shape);
    const auto all = results(q, k, v);
    for (const std::int64_t head : {0, 12, 13, 19}) {
        const auto one = results(q.rows(head, head + 1), k.rows(head, head + 1), v.rows(head, head + 1));
        for (std::size_t i = 0; i < all.size(); ++i) {
            double largest = 0;
            for (std::int64_t e = 0; e < size; ++e)
                largest = std::max(largest, std::abs(all[i][static_cast<std::size_t>(head * size + e)] -
                                                     one[i][static_cast<std::size_t>(e)]));
            INFO("head " << head << ", tensor " << i);
            CHECK(largest < 1e-5);
        }
    }
}

TEST_CASE("bfloat16 attention differs from float32 by its rounding") {
    const Shape shape{2, 3, 9, 8};
    const Tensor q = random_tensor(1, shape), k = random_tensor(2, shape), v = random_tensor(3, shape);
    const auto narrow = [](const Tensor& x) { return x.to(DType::bfloat16); };
    const auto wide = [&](const Tensor& x) { return narrow(x).to(DType::float32); };
    const auto found = results(narrow(q), narrow(k), narrow(v)), expected = results(wide(q), wide(k), wide(v));
    for (std::size_t i = 0; i < found.size(); ++i)
        CHECK(relative_difference(Tensor::from(found[i], shape), Tensor::from(expected[i], shape)) < 0.03);
}

TEST_CASE("attention over nothing is empty or 0") {
    CHECK(scaled_dot_product_attention(Tensor::zeros({0, 2, 3}), Tensor::zeros({0, 4, 3}), Tensor::zeros({0, 4, 5}))
              .shape() == Shape{0, 2, 5});
    const Tensor none = Tensor::zeros({1, 0, 3});
    CHECK(scaled_dot_product_attention(random_tensor(1, {1, 2, 3}), none, none).to_vector<double>() == Values(6, 0.0));
    CHECK(results(none, random_tensor(1, {1, 2, 3}), random_tensor(2, {1, 2, 3}))[2] == Values(6, 0.0));
}

TEST_CASE("attention names what does not fit") {
    const Tensor q = Tensor::zeros({2, 4, 3});
    CHECK(
        error_of([&] {
            scaled_dot_product_attention(q, Tensor::zeros({2, 5, 4}), Tensor::zeros({2, 5, 3}));
        }) ==
        "scaled_dot_product_attention: q is [2, 4, 3], k is [2, 5, 4], v is [2, 5, 3], expected [..., L, D], [..., S, "
        "D], [..., S, E]");
    CHECK(error_of([&] {
              scaled_dot_product_attention(q, q, q, Tensor::zeros({3, 4}));
          }) == "scaled_dot_product_attention: shapes [3, 4] and [2, 4, 4] do not broadcast");
    CHECK(error_of([&] {
              scaled_dot_product_attention(q, q, q, Tensor::zeros({5, 2, 4, 4}));
          }) == "scaled_dot_product_attention: mask is [5, 2, 4, 4], expected it to broadcast to [2, 4, 4]");
    CHECK(error_of([&] {
              scaled_dot_product_attention(q, q, q, Tensor::zeros({4, 4}, DType::int64));
          }) == "scaled_dot_product_attention: mask is int64[4, 4], expected float32 or uint8");
}

}  // namespace radial::test
