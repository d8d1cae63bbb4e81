// Tests of the tape: accumulation, errors and their messages, depth, when memory is freed, and when a gradient is
// complete.
#include "radial/core/autograd/autograd.h"
#include "../../expect.h"
#include "radial/core/memory/allocator.h"
#include "radial/core/ops.h"

namespace radial::test {
namespace {

Tensor leaf(const std::vector<float>& values) {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).set_requires_grad();
}

std::vector<double> grad_of(const Tensor& x) { return x.grad().to_vector<double>(); }

using Values = std::vector<double>;

Tensor pair_of(double value) {
    Tensor x = Tensor::full({2}, value);
    x.set_requires_grad();
    return x;
}

/// The indices in `leaves` of the leaves that backward() reported, in order, each with the first element of its
/// gradient at that time.
std::vector<std::pair<int, double>> told_by(const Tensor& loss, const std::vector<Tensor>& leaves) {
    std::vector<std::pair<int, double>> told;
    const WatchGradients watch([&](const std::shared_ptr<TensorImpl>& impl) {
        for (std::size_t i = 0; i < leaves.size(); ++i)
            if (leaves[i].impl() == impl)
                told.emplace_back(static_cast<int>(i), Tensor(impl->grad).to_vector<double>().front());
    });
    backward(loss);
    return told;
}

using Told = std::vector<std::pair<int, double>>;

}  // namespace

TEST_CASE("gradients of two graphs add up in a leaf") {
    const Tensor x = leaf({1, 2});
    sum(x * 3.0).backward();
    sum(square(x)).backward();
    CHECK(grad_of(x) == Values{5, 7});
    x.clear_grad();
    CHECK_FALSE(x.grad().defined());
    sum(x).backward();
    CHECK(grad_of(x) == Values{1, 1});
}

TEST_CASE("a gradient that someone holds is not changed by the next backward") {
    const Tensor x = leaf({1, 2});
    sum(x * 3.0).backward();
    const Tensor held = x.grad();
    sum(x * 3.0).backward();
    CHECK(held.to_vector<double>() == Values{3, 3});
    CHECK(grad_of(x) == Values{6, 6});
}

TEST_CASE("a shared subexpression passes on the sum of its gradients once") {
    const Tensor x = leaf({2});
    const Tensor y = square(x);        // 4
    const Tensor z = y * y + y * 5.0;  // dz/dy = 2y + 5 = 13
    sum(z).backward();
    CHECK(grad_of(x) == Values{13 * 4});
}

TEST_CASE("paths of different lengths to one op all arrive before it runs") {
    const Tensor x = leaf({1});
    const Tensor base = x * 2.0;
    Tensor path = base;
    for (int i = 0; i < 10; ++i) path = path + base;
    sum(path * base).backward();  // 11 base * base = 44 x^2
    CHECK(grad_of(x) == Values{88});
}

TEST_CASE("backward through a branch leaves leaves of the other branches alone") {
    const Tensor x = leaf({3}), other = leaf({5});
    const Tensor shared = x * 2.0;
    const Tensor used = square(shared), unused = shared * other;
    used.backward();
    CHECK(grad_of(x) == Values{24});
    CHECK_FALSE(other.grad().defined());
    CHECK(unused.item() == 30);
}

TEST_CASE("a leaf that wants no gradient gets none") {
    const Tensor x = leaf({1}), fixed = Tensor::full({1}, 4);
    (x * fixed).backward();
    CHECK(grad_of(x) == Values{4});
    CHECK_FALSE(fixed.grad().defined());
}

TEST_CASE("a leaf is its own root") {
    const Tensor x = Tensor::full({}, 3).set_requires_grad();
    x.backward();
    CHECK(x.grad().item() == 1);
}

TEST_CASE("a second backward through a graph is an error that names the op") {
    const Tensor x = leaf({1, 2});
    const Tensor loss = sum(radial::exp(x));
    loss.backward();
    CHECK(error_of([&] { loss.backward(); }) ==
          "backward: the graph through sum was freed by an earlier backward(); run the forward pass again");
}

TEST_CASE("backward through a part that was already freed names the op where it ends") {
    const Tensor x = leaf({1, 2});
    const Tensor shared = radial::exp(x);
    const Tensor first = sum(shared), second = sum(square(shared));
    first.backward();
    CHECK(error_of([&] { second.backward(); }) ==
          "backward: the graph through exp was freed by an earlier backward(); run the forward pass again");
}

TEST_CASE("a saved tensor changed in place is an error that names the op") {
    const Tensor x = leaf({1, 2});
    const Tensor factor = Tensor::full({2}, 3);
    const Tensor loss = sum(x * factor);
    const auto saved_at = factor.version();
    factor.fill_(4);
    CHECK(
        error_of([&] { loss.backward(); }) ==
        fmt::format("mul: its second factor float32[2] was changed in place between forward and backward (version {}, "
                    "saved at {})",
                    saved_at + 1, saved_at));
}

TEST_CASE("a write through a view of a saved tensor is noticed") {
    const Tensor x = leaf({1, 2, 3, 4});
    const Tensor factor = Tensor::full({4}, 3);
    const std::vector<Tensor> views{factor.rows(1, 2), factor.view({2, 2}), factor.detach()};
    for (const Tensor& view : views) {
        const Tensor loss = sum(x * factor);
        view.fill_(4);
        CHECK(error_of([&] { loss.backward(); }).find("was changed in place") != std::string::npos);
    }
}

TEST_CASE("a change in place of a tensor that backward does not read is allowed") {
    const Tensor x = leaf({1, 2});
    const Tensor term = Tensor::full({2}, 3);
    const Tensor loss = sum(x + term);
    term.fill_(4);
    loss.backward();
    CHECK(grad_of(x) == Values{1, 1});
}

TEST_CASE("under NoGrad nothing is recorded") {
    const Tensor x = leaf({1});
    CHECK(grad_enabled());
    {
        const NoGrad outer;
        {
            const NoGrad inner;
            CHECK_FALSE(grad_enabled());
        }
        CHECK_FALSE(grad_enabled());
        const Tensor y = x * 2.0;
        CHECK_FALSE(y.requires_grad());
        CHECK(graph_ops(y).empty());
        CHECK(error_of([&] { y.backward(); }) ==
              "backward: float32[1] has no graph (no leaf requires a gradient, or it was made under NoGrad)");
    }
    CHECK(grad_enabled());
    CHECK((x * 2.0).requires_grad());
}

TEST_CASE("ops on tensors that want no gradient record nothing") {
    const Tensor x = Tensor::full({2}, 1);
    CHECK(graph_ops(x * x).empty());
    CHECK_FALSE((x * x).requires_grad());
}

TEST_CASE("detach cuts the graph and shares the elements") {
    const Tensor x = leaf({3});
    const Tensor y = x * 2.0;
    const Tensor cut = y.detach();
    CHECK(cut.raw() == y.raw());
    CHECK_FALSE(cut.requires_grad());
    (cut * x).backward();
    CHECK(grad_of(x) == Values{6});
}

TEST_CASE("backward of something larger than a scalar needs a seed of its shape") {
    const Tensor x = leaf({1, 2, 3});
    CHECK(error_of([&] { (x * 2.0).backward(); }) ==
          "backward: float32[3] is not a scalar, so a seed of its shape is needed");
    CHECK(error_of([&] { backward(x * 2.0, Tensor::zeros({2})); }) ==
          "backward: seed is float32[2], expected float32[3]");
    CHECK(error_of([&] { backward(x * 2.0, Tensor::zeros({3}, DType::float64)); }) ==
          "backward: seed is float64[3], expected float32[3]");
    const Tensor seed = Tensor::from<float>({1, 10, 100}, {3});
    backward(x * 2.0, seed);
    CHECK(grad_of(x) == Values{2, 20, 200});
    CHECK(seed.to_vector<double>() == Values{1, 10, 100});
}

TEST_CASE("only floating leaves can want a gradient") {
    const Tensor x = leaf({1});
    CHECK(error_of([&] { (x * 2.0).set_requires_grad(); }) ==
          "set_requires_grad: float32[1] is the result of an op; only leaves can be marked");
    CHECK(error_of([] { Tensor::zeros({2}, DType::int64).set_requires_grad(); }) ==
          "set_requires_grad: int64[2] is not floating");
}

TEST_CASE("graph_ops names the ops, the root's first") {
    const Tensor x = leaf({1, 2});
    const auto ops = graph_ops(sum(radial::exp(x)));
    CHECK(ops == std::vector<std::string>{"sum", "exp"});
}

TEST_CASE("a chain of 200,000 ops neither overflows in backward nor in destruction") {
    const Tensor x = leaf({1});
    const Tensor zero = Tensor::zeros({1});
    const auto chain = [&] {
        Tensor y = x;
        for (int i = 0; i < 200000; ++i) y = y + zero;
        return y;
    };
    chain().backward();
    CHECK(grad_of(x) == Values{1});
    {
        const Tensor never_differentiated = chain();
        CHECK(never_differentiated.item() == 1);
    }
    const Tensor kept = chain();
    kept.backward();
    CHECK(grad_of(x) == Values{2});
}

TEST_CASE("a chain whose links are used twice is destroyed without recursion") {
    const Tensor x = leaf({1});
    Tensor y = x;
    for (int i = 0; i < 100000; ++i) y = (y + y) * 0.5;
    y = Tensor();
    CHECK_FALSE(x.grad().defined());
}

TEST_CASE("what backward no longer needs is freed while it runs") {
    constexpr std::int64_t count = 1 << 20, depth = 16;
    constexpr std::size_t bytes = count * sizeof(float);
    const Tensor x = Tensor::full({count}, 0.5).set_requires_grad();
    const std::size_t before = memory_statistics(default_device()).current;
    const auto loss = [&] {
        Tensor y = x;
        for (std::int64_t i = 0; i < depth; ++i) y = radial::tanh(y);  // each op keeps its result
        return sum(y);
    }();
    const std::size_t held = memory_statistics(default_device()).current - before;
    CHECK(held >= depth * bytes);
    reset_peak_memory(default_device());
    loss.backward();
    // The peak is one or two gradients above the memory that forward kept, not one gradient per layer.
    CHECK(memory_statistics(default_device()).peak - before < held + 3 * bytes);
    // Only the leaf's gradient and the scalar remain, although `loss` still refers to the graph.
    CHECK(memory_statistics(default_device()).current - before < 2 * bytes);
}

TEST_CASE("a graph dropped without backward gives its memory back") {
    const Tensor x = Tensor::full({1 << 16}, 0.5).set_requires_grad();
    const std::size_t before = memory_statistics(default_device()).current;
    for (int i = 0; i < 3; ++i) {
        const Tensor loss = sum(radial::tanh(radial::exp(x)));
        CHECK(memory_statistics(default_device()).current > before);
    }
    CHECK(memory_statistics(default_device()).current == before);
}

TEST_CASE("an op written by a user is differentiated like any other") {
    const Tensor x = leaf({1, 2});
    const Tensor y = record("triple", x.detach() * 3.0, {x}, [](const Tensor& grad, Needs needs) {
        CHECK(needs[0]);
        return Grads{grad * 3.0};
    });
    sum(y * y).backward();
    CHECK(grad_of(x) == Values{18, 36});
}

TEST_CASE("an op whose gradient has the wrong shape is named") {
    const Tensor x = leaf({1, 2});
    const Tensor y =
        record("broken", x.detach() * 1.0, {x}, [](const Tensor&, Needs) { return Grads{Tensor::zeros({3})}; });
    CHECK(error_of([&] { sum(y).backward(); }) ==
          "backward: broken gave a gradient of float32[3] for an input of shape [2]");
}

TEST_CASE("backward tells a leaf as soon as its gradient is final, the last used first", "[core][autograd]") {
    const Tensor a = pair_of(2), b = pair_of(3), c = pair_of(4);
    CHECK(told_by(sum(((a * b) * c)), {a, b, c}) == Told{{2, 6}, {0, 12}, {1, 8}});
}

TEST_CASE("a leaf that is used several times is told once, after the last part of its gradient", "[core][autograd]") {
    const Tensor a = pair_of(2), b = pair_of(3);
    const Tensor early = a * b;
    CHECK(told_by(sum(early + square(a)), {a, b}) == Told{{0, 7}, {1, 2}});
}

TEST_CASE("a leaf of a recomputed segment that is used outside too is told when both are done", "[core][autograd]") {
    const Tensor a = pair_of(2), b = pair_of(3), x = pair_of(1);
    const auto segment = [&](const Tensor& input) { return input * a * b; };
    const Tensor early = x * a;  // x a, which the segment multiplies by a b
    const Told told = told_by(sum(recompute(segment, early, {a})), {a, b, x});
    REQUIRE(told.size() == 3);
    CHECK(told[0] == std::pair(1, 4.0));  // complete already within the segment
    for (const auto& [which, gradient] : told)
        if (which == 0) CHECK(gradient == 12);  // d(x a a b)/da
}

TEST_CASE("backward of a leaf itself tells it, and without a watcher nobody is told", "[core][autograd]") {
    Tensor a = Tensor::full({}, 2.0);
    a.set_requires_grad();
    CHECK(told_by(a, {a}) == Told{{0, 1}});
    a.clear_grad();
    backward(a * 3.0);
    CHECK(a.grad().item() == 3);
}

}  // namespace radial::test
