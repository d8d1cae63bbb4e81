// Tests of activations and dropout: gradients away from the kinks, values, overwriting of the input, messages.
#include "radial/core/ops/kernels/activation.h"
#include "../bfloat16_check.h"
#include "../gradcheck.h"
#include "radial/core/ops.h"

namespace radial::test {
namespace {

const std::vector<Shape> shapes = {{5}, {3, 7}, {1, 1, 3, 3}, {2, 3, 5, 3}, {1, 16, 2, 3}, {2, 20, 1, 3}};

void check_everywhere(const std::string& name, const TensorFunction& f) {
    RandomInputs random(21);
    for (const Shape& shape : shapes) {
        INFO(name << " of " << shape.str());
        CHECK(gradient_problem(f, {random.away_from_zero(shape)}) == "");
    }
}

// The gradients of sum(y^3) with respect to x and slope, where y = prelu(x * 1, slope). x * 1 is a temporary that prelu
// may overwrite, unless `keep_input` is set.
std::pair<Tensor, Tensor> gradients(const Tensor& values, const Tensor& slopes, bool keep_input) {
    Tensor x = values.clone(), slope = slopes.clone();
    x.set_requires_grad();
    slope.set_requires_grad();
    Tensor input = x * 1.0;
    const void* const memory = input.raw();
    const Tensor held = keep_input ? input : Tensor();
    const Tensor y = prelu(std::move(input), slope);
    // On a device, prelu does not read the slopes and never overwrites its input.
    const bool invertible = slope.to_vector<double>()[0] > 0 && y.device() == Device{};
    CHECK((y.raw() == memory) == (!keep_input && invertible));
    sum(y * square(y)).backward();
    return {x.grad(), slope.grad()};
}

}  // namespace

TEST_CASE("gradients of the activations agree with differences") {
    check_everywhere("relu", [](const auto& in) { return relu(in[0]); });
    check_everywhere("silu", [](const auto& in) { return silu(in[0]); });
    check_everywhere("gelu", [](const auto& in) { return gelu(in[0]); });
    check_everywhere("sigmoid", [](const auto& in) { return sigmoid(in[0]); });
    check_everywhere("tanh", [](const auto& in) { return radial::tanh(in[0]); });
    // A temporary, so that relu may overwrite its input.
    check_everywhere("relu of a sum", [](const auto& in) { return relu(in[0] + 0.0); });
}

TEST_CASE("gradients of prelu agree with differences, one slope for all or one a channel") {
    RandomInputs random(22);
    const TensorFunction f = [](const auto& in) { return prelu(in[0], in[1]); };
    for (const Shape& shape : {Shape{3, 7}, Shape{1, 1, 3, 3}, Shape{2, 3, 5, 3}, Shape{1, 5, 3, 2}, Shape{3, 16, 2, 2},
                               Shape{2, 20, 1, 3}}) {
        INFO("prelu of " << shape.str());
        CHECK(gradient_problem(f, {random.away_from_zero(shape), random.tensor({1})}) == "");
        CHECK(gradient_problem(f, {random.away_from_zero(shape), random.tensor({shape[1]})}) == "");
    }
}

TEST_CASE("dropout's gradient goes through the elements it kept") {
    RandomInputs random(23);
    for (const double p : {0.0, 0.3, 0.8}) {
        const TensorFunction f = [p](const auto& in) {
            Generator generator(5);
            return dropout(in[0], p, generator);
        };
        CHECK(gradient_problem(f, {random.tensor({3, 17})}) == "");
        CHECK(gradient_problem(f, {random.tensor({2, 3, 5, 3})}) == "");
    }
}

TEST_CASE("dropout zeroes a share p of the elements and scales the others") {
    Generator generator(3);
    const auto y = dropout(Tensor::full({10000}, 1.0), 0.25, generator).to_vector<double>();
    const auto zeros = std::count(y.begin(), y.end(), 0.0);
    CHECK(zeros > 2300);
    CHECK(zeros < 2700);
    CHECK(std::all_of(y.begin(), y.end(), [](double v) { return v == 0 || v == Approx(1 / 0.75); }));
}

TEST_CASE("dropout takes new numbers at every call and the same ones from the same state") {
    const Tensor x = Tensor::full({1000}, 1.0);
    Generator generator(3), again(3);
    const auto first = dropout(x, 0.5, generator).to_vector<float>();
    CHECK(dropout(x, 0.5, generator).to_vector<float>() != first);
    CHECK(differences(dropout(x, 0.5, again).to_vector<float>(), first) == "");
}

TEST_CASE("dropout drops the same elements in either layout") {
    const Tensor x = Tensor::full({2, 3, 4, 5}, 1.0);
    Generator generator(3), again(3);
    CHECK(differences(dropout(x, 0.5, generator).to_vector<float>(),
                      dropout(x.to(Layout::channels_last), 0.5, again).to_vector<float>()) == "");
}

TEST_CASE("activations give the values of their definitions") {
    const Tensor x = Tensor::from<double>({-2, -0.5, 0, 0.5, 3}, {5, 1});
    const auto s = [](double v) { return 1 / (1 + std::exp(-v)); };
    const auto values = x.to_vector<double>();
    const auto relus = relu(x).to_vector<double>(), sigmoids = sigmoid(x).to_vector<double>();
    const auto silus = silu(x).to_vector<double>(), tanhs = radial::tanh(x).to_vector<double>();
    const auto prelus = prelu(x, Tensor::full({1}, 0.25, DType::float64)).to_vector<double>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double v = values[i];
        CHECK(relus[i] == std::max(v, 0.0));
        CHECK(sigmoids[i] == Approx(s(v)));
        CHECK(silus[i] == Approx(v * s(v)));
        CHECK(tanhs[i] == Approx(std::tanh(v)));
        CHECK(prelus[i] == (v > 0 ? v : 0.25 * v));
    }
}

TEST_CASE("sigmoid and silu neither overflow nor lose their limits far from zero") {
    const Tensor x = Tensor::from<float>({-1000, -200, 200, 1000}, {4});
    CHECK(sigmoid(x).to_vector<double>() == std::vector<double>{0, 0, 1, 1});
    CHECK(silu(x).to_vector<double>() == std::vector<double>{0, 0, 200, 1000});
    CHECK(radial::tanh(x).to_vector<double>() == std::vector<double>{-1, -1, 1, 1});
}

TEST_CASE("gelu and its gradient keep six digits in float32, also far below zero") {
    for (double v = -12.5; v <= 12.5; v += 0.013) {
        const Tensor x = Tensor::from<float>({static_cast<float>(v)}, {1}).set_requires_grad();
        const Tensor y = gelu(x);
        y.backward();
        const double at = x.item(), phi = std::erfc(-at / std::sqrt(2.0)) / 2;
        const double density = std::exp(-at * at / 2) / std::sqrt(2 * M_PI);
        INFO("x = " << at);
        CHECK(y.item() == Approx(at * phi).epsilon(6e-6).margin(1e-37));
        CHECK(x.grad().item() ==
              Approx(phi + at * density).epsilon(6e-6).margin(5e-7 * std::abs(at) * density + 1e-36));
    }
}

TEST_CASE("gelu neither overflows nor loses its limits far from zero") {
    const Tensor x = Tensor::from<float>({-1000, -20, 20, 1000}, {4});
    CHECK(gelu(x).to_vector<double>() == std::vector<double>{0, 0, 20, 1000});
}

TEST_CASE("an activation by its name in the enumeration is the op of that name") {
    const Tensor x = Tensor::from<float>({-2, -0.5, 0, 3}, {4});
    CHECK(activated(x, Activation::none).to_vector<float>() == x.to_vector<float>());
    CHECK(activated(x, Activation::relu).to_vector<float>() == relu(x).to_vector<float>());
    CHECK(activated(x, Activation::silu).to_vector<float>() == silu(x).to_vector<float>());
    CHECK(activated(x, Activation::gelu).to_vector<float>() == gelu(x).to_vector<float>());
    CHECK(activated(x, Activation::relu6).to_vector<float>() == relu6(x).to_vector<float>());
    CHECK(activated(x, Activation::hard_swish).to_vector<float>() == hard_swish(x).to_vector<float>());
}

TEST_CASE("relu overwrites a temporary and never a tensor that someone holds") {
    const Tensor x = Tensor::from<float>({-1, 2}, {2});
    const Tensor y = relu(x);
    CHECK(x.to_vector<double>() == std::vector<double>{-1, 2});
    CHECK(y.to_vector<double>() == std::vector<double>{0, 2});
    Tensor temporary = x.clone();
    const void* const address = temporary.raw();
    const Tensor overwritten = relu(std::move(temporary));
    CHECK(overwritten.raw() == address);
}

TEST_CASE("activations in bfloat16 are float32's, rounded") {
    RandomInputs random(24);
    for (const Shape& shape : {Shape{7}, Shape{3, 7}, Shape{2, 16, 3, 3}}) {
        INFO(shape.str());
        const std::vector<Tensor> inputs{random.tensor(shape, -3, 3)};
        CHECK(bfloat16_problem([](const auto& in) { return relu(in[0]); }, inputs) == "");
        CHECK(bfloat16_problem([](const auto& in) { return relu(in[0] * 2.0); }, inputs) == "");
        CHECK(bfloat16_problem([](const auto& in) { return silu(in[0]); }, inputs) == "");
        CHECK(bfloat16_problem([](const auto& in) { return gelu(in[0]); }, inputs) == "");
        // The rounded results are saved for backward: near 1, few digits of 1 - y remain.
        CHECK(bfloat16_problem([](const auto& in) { return sigmoid(in[0]); }, inputs, 0x1p-6) == "");
        CHECK(bfloat16_problem([](const auto& in) { return radial::tanh(in[0]); }, inputs, 0x1p-6) == "");
        const auto dropped = [](const auto& in) {
            Generator generator(5);
            return dropout(in[0], 0.3, generator);
        };
        CHECK(bfloat16_problem(dropped, inputs) == "");
    }
    CHECK(std::isnan(relu(Tensor::full({8}, NAN).to(DType::bfloat16)).to_vector<double>()[3]));
}

TEST_CASE("prelu in bfloat16 is float32's, rounded, in either layout and over any number of channels") {
    RandomInputs random(25);
    for (const Shape& shape : {Shape{3, 7}, Shape{5, 16}, Shape{2, 3, 5, 3}, Shape{3, 16, 2, 3}, Shape{2, 24, 1, 1}}) {
        for (const std::int64_t slopes : {std::int64_t{1}, shape[1]}) {
            for (const Layout layout : {Layout::row_major, Layout::channels_last}) {
                INFO(shape.str() << ", " << slopes << " slopes, " << name_of(layout));
                const Tensor x = random.tensor(shape);
                const std::vector<Tensor> inputs{shape.rank() == 4 ? x.to(layout) : x,
                                                 random.tensor({slopes}, 0.1, 0.6)};
                CHECK(bfloat16_problem([](const auto& in) { return prelu(in[0], in[1]); }, inputs) == "");
                CHECK(bfloat16_problem([](const auto& in) { return prelu(in[0] * 1.0, in[1]); }, inputs) == "");
            }
        }
    }
}

TEST_CASE("slopes of prelu stay float32 beside bfloat16 activations") {
    RandomInputs random(26);
    for (const Shape& shape : {Shape{5, 7}, Shape{3, 16, 4, 3}}) {
        for (const std::int64_t slopes : {std::int64_t{1}, shape[1]}) {
            INFO(shape.str() << ", " << slopes << " slopes");
            Tensor x = random.tensor(shape).to(DType::bfloat16), slope = random.tensor({slopes}).to(DType::float32);
            Tensor exact_x = x.to(DType::float32).set_requires_grad(), exact_slope = slope.clone().set_requires_grad();
            x.set_requires_grad();
            slope.set_requires_grad();
            const Tensor y = prelu(x, slope), exact = prelu(exact_x, exact_slope);
            CHECK(relative_difference(y, exact.to(DType::bfloat16)) == 0);
            const Tensor seed = random.tensor(shape).to(DType::bfloat16);
            backward(y, seed);
            backward(exact, seed.to(DType::float32));
            CHECK(x.grad().dtype() == DType::bfloat16);
            CHECK(relative_difference(x.grad(), exact_x.grad().to(DType::bfloat16)) == 0);
            CHECK(slope.grad().dtype() == DType::float32);
            CHECK(relative_difference(slope.grad(), exact_slope.grad()) < 1e-6);
        }
    }
}

TEST_CASE("a counter in memory moves dropout's numbers") {
    const std::uint64_t base = 40;
    const std::vector<float> ones(100, 1.0F);
    std::vector<float> moved(100), expected(100);
    const kernels::MemoryIndex at(Tensor::zeros({100}));
    for (std::int64_t i = 0; i < 100; ++i) {
        kernels::Dropout<float>{ones.data(), moved.data(), 0.5, 2, 9, 3, &base, at}(i);
        kernels::Dropout<float>{ones.data(), expected.data(), 0.5, 2, 9, 43, nullptr, at}(i);
    }
    CHECK(differences(moved, expected) == "");
}

TEST_CASE("activations on what does not fit say what it is") {
    const Tensor x = Tensor::zeros({2, 3}), counts = Tensor::zeros({2}, DType::int64);
    CHECK(error_of([&] { prelu(x, Tensor::zeros({4})); }) ==
          "prelu: slope is [4], expected [3] or [1] for input [2, 3]");
    CHECK(error_of([&] { prelu(Tensor::zeros({3}), Tensor::zeros({1})); }) ==
          "prelu: input is [3], expected [N, C, ...]");
    CHECK(error_of([&] { prelu(x, Tensor::zeros({3}, DType::float64)); }) ==
          "prelu: slope is float64[3], expected float32");
    CHECK(error_of([&] { prelu(x.to(DType::bfloat16), Tensor::zeros({3}, DType::float64)); }) ==
          "prelu: slope is float64[3], expected bfloat16");
    CHECK(error_of([&] { prelu(x, Tensor::zeros({3}, DType::bfloat16)); }) ==
          "prelu: slope is bfloat16[3], expected float32");
    CHECK(error_of([&] { relu(counts); }) == "relu: the input is int64[2], expected float32 or float64");
    CHECK(error_of([&] { silu(counts); }) == "silu: the input is int64[2], expected float32 or float64");
    CHECK(error_of([&] { sigmoid(Tensor()); }) == "sigmoid: the input is undefined");
    CHECK(error_of([&] { radial::tanh(Tensor()); }) == "tanh: the input is undefined");
    Generator generator;
    CHECK(error_of([&] { dropout(x, 1.0, generator); }) == "dropout: probability is 1, expected within [0, 1)");
    CHECK(error_of([&] { dropout(x, -0.5, generator); }) == "dropout: probability is -0.5, expected within [0, 1)");
    CHECK(error_of([&] { dropout(x, NAN, generator); }) == "dropout: probability is nan, expected within [0, 1)");
}

TEST_CASE("prelu over its input's memory gives the gradients of prelu beside it") {
    RandomInputs random(7);
    for (const Shape& shape : {Shape{3, 5}, Shape{2, 3, 5, 7}}) {
        const Tensor x = random.away_from_zero(shape);
        for (const double slope : {0.25, 1.5}) {
            const Tensor slopes = Tensor::full({shape[1]}, slope, DType::float64);
            const auto [dx, dslope] = gradients(x, slopes, false);
            const auto [expected_dx, expected_dslope] = gradients(x, slopes, true);
            CHECK(relative_difference(dx, expected_dx) < 1e-14);
            CHECK(relative_difference(dslope, expected_dslope) < 1e-14);
        }
    }
}

TEST_CASE("prelu with a slope that is not positive leaves its input alone") {
    RandomInputs random(8);
    const Tensor x = random.away_from_zero({4, 3});
    for (const double slope : {0.0, -0.5}) {
        const Tensor slopes = Tensor::full({3}, slope, DType::float64);
        const auto [dx, dslope] = gradients(x, slopes, false);
        const auto [expected_dx, expected_dslope] = gradients(x, slopes, true);
        CHECK(relative_difference(dx, expected_dx) == 0);
        CHECK(relative_difference(dslope, expected_dslope) == 0);
    }
}

TEST_CASE("prelu does not overwrite what another op keeps for backward") {
    Tensor x = Tensor::from(std::vector<double>{-1, 2, -3, 4}, {2, 2});
    x.set_requires_grad();
    const Tensor slope = Tensor::full({2}, 0.5, DType::float64);
    const Tensor y = prelu(exp(x), slope);  // exp saves its result
    sum(y).backward();
    CHECK(relative_difference(x.grad(), exp(x.detach())) < 1e-15);
}

TEST_CASE("prelu does not overwrite a leaf that is trained") {
    Tensor x = Tensor::from(std::vector<double>{-1, 2}, {1, 2});
    x.set_requires_grad();
    const void* const memory = x.raw();
    const Tensor y = prelu(std::move(x), Tensor::full({1}, 0.5, DType::float64));
    CHECK(y.raw() != memory);
}

}  // namespace radial::test
