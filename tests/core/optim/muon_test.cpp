// Tests of Muon: the orthogonalisation, the optimizer's two kinds of parameters, its state and its messages. The
// comparison with PyTorch is in tests/golden.
#include "../../expect.h"

#include "radial/core/ops/linear_algebra.h"
#include "radial/core/optim/muon.h"
#include "radial/core/tensor/random.h"

#include <cmath>
#include <memory>

using namespace radial;
using radial::test::differences;
using radial::test::error_of;

namespace {

Tensor noise(const Shape& shape, std::uint64_t seed, DType dtype = DType::float64) {
    Generator generator(seed);
    const Tensor x = Tensor::empty(shape, dtype);
    normal_(x, 0, 1, generator);
    return x;
}

struct Network {
    Tensor matrix = noise({4, 6}, 1), conv = noise({3, 2, 2, 2}, 2), bias = noise({4}, 3);
    std::vector<Tensor> all() const { return {matrix, conv, bias}; }
};

std::unique_ptr<Muon> muon_of(const Network& network, const MuonOptions& options = {.lr = 0.1}) {
    return std::make_unique<Muon>(
        std::vector<ParameterGroup>{{.parameters = {network.matrix, network.conv}, .weight_decay = 0.1}},
        std::vector<ParameterGroup>{{.parameters = {network.bias}, .weight_decay = 0.1}}, options);
}

void run(Optimizer& optimizer, const Network& network, int first, int last) {
    for (int step = first; step <= last; ++step) {
        for (const Tensor& parameter : network.all())
            parameter.set_grad(noise(parameter.shape(), 100 + static_cast<std::uint64_t>(step)));
        optimizer.step();
    }
}

std::vector<double> values_of(const Network& network) {
    std::vector<double> all;
    for (const Tensor& parameter : network.all())
        for (const double value : parameter.to_vector<double>()) all.push_back(value);
    return all;
}

}  // namespace

TEST_CASE("orthogonalise gives singular values of about 1") {
    for (const Shape& shape : {Shape{4, 9}, Shape{9, 4}, Shape{5, 5}}) {
        const Tensor x = noise(shape, 7), y = orthogonalise(x, 10);
        const bool tall = shape[0] > shape[1];
        const Tensor gram = matmul(y, y, tall, !tall);
        double trace = 0;
        for (std::int64_t i = 0; i < gram.size(0); ++i)
            trace += gram.to_vector<double>()[static_cast<std::size_t>(i * (gram.size(0) + 1))];
        CHECK(trace / static_cast<double>(gram.size(0)) == Approx(0.85).margin(0.25));
    }
}

TEST_CASE("orthogonalise keeps the direction of a matrix of rank 1 and does not depend on its length") {
    const Tensor x = Tensor::from(std::vector<double>{3, 4, 6, 8}, {2, 2});
    const auto y = orthogonalise(x).to_vector<double>();
    CHECK(y[1] / y[0] == Approx(4.0 / 3));
    CHECK(y[2] / y[0] == Approx(2));
    const Tensor longer = Tensor::from(std::vector<double>{3e9, 4e9, 6e9, 8e9}, {2, 2});
    CHECK(orthogonalise(longer).to_vector<double>()[3] == Approx(y[3]).epsilon(1e-12));
}

TEST_CASE("orthogonalise leaves zeros, keeps NaN, and accepts a matrix without elements") {
    CHECK(orthogonalise(Tensor::zeros({2, 3})).to_vector<double>() == std::vector<double>(6, 0.0));
    CHECK(std::isnan(orthogonalise(Tensor::full({2, 2}, NAN)).to_vector<double>()[0]));
    CHECK(orthogonalise(Tensor::zeros({0, 3})).shape() == Shape{0, 3});
}

TEST_CASE("orthogonalise refuses what is not a matrix of floating-point numbers") {
    CHECK(error_of([] { orthogonalise(Tensor::zeros({4})); }) == "orthogonalise: x is float32[4], expected a matrix");
    CHECK(error_of([] {
              orthogonalise(Tensor::zeros({4, 1}), -1);
          }) == "orthogonalise: iterations is -1, expected at least 0");
    CHECK(error_of([] {
              orthogonalise(Tensor::zeros({4, 1}), 5, 0);
          }) == "orthogonalise: epsilon is 0, expected more than 0");
}

TEST_CASE("A restored Muon continues exactly as the first would") {
    const Network straight, stopped;
    const auto one = muon_of(straight), two = muon_of(stopped);
    run(*one, straight, 1, 6);
    run(*two, stopped, 1, 3);
    std::vector<NamedTensor> saved;
    for (const NamedTensor& entry : two->state()) saved.push_back({entry.name, entry.tensor.clone()});
    const auto resumed = muon_of(stopped);
    resumed->load_state(saved);
    run(*resumed, stopped, 4, 6);
    CHECK(differences(values_of(stopped), values_of(straight)) == "");
}

TEST_CASE("Muon names the momentum of matrices and Adam's state of the others by group and parameter") {
    std::vector<std::string> names;
    for (const NamedTensor& entry : muon_of(Network{})->state()) names.push_back(entry.name + " " + entry.tensor.str());
    CHECK(names == std::vector<std::string>{"momentum.0.0 float64[4, 6]", "momentum.0.1 float64[3, 2, 2, 2]",
                                            "first.1.0 float64[4]", "second.1.0 float64[4]", "step.1 int64[1]"});
}

TEST_CASE("Muon updates the other parameters as AdamW, also after a change of the rate") {
    const Network network;
    const Tensor bias = network.bias.clone();
    const auto muon = muon_of(network);
    Adam adam({ParameterGroup{.parameters = {bias}, .weight_decay = 0.1}}, AdamOptions{.lr = 0.1, .decoupled = true});
    for (int step = 1; step <= 4; ++step) {
        muon->set_lr(0.1 / step);
        adam.set_lr(0.1 / step);
        run(*muon, network, step, step);
        bias.set_grad(network.bias.grad().clone());
        adam.step();
    }
    CHECK(differences(network.bias.to_vector<double>(), bias.to_vector<double>()) == "");
    CHECK(muon->groups().size() == 2);
}

TEST_CASE("Muon works with matrices alone and with other parameters alone") {
    const Network network;
    Muon matrices({{.parameters = {network.matrix}}}, {}, {.lr = 0.1});
    Muon others({}, {{.parameters = {network.bias}}}, {.lr = 0.1});
    const auto before = values_of(network);
    run(matrices, network, 1, 1);
    others.step();
    CHECK(values_of(network)[0] != before[0]);
    CHECK(values_of(network).back() != before.back());
    CHECK(others.state().size() == 3);
}

TEST_CASE("Muon skips parameters without a gradient, and bumps the version of those it changes") {
    const Network network;
    const auto muon = muon_of(network);
    network.matrix.set_grad(noise({4, 6}, 9));
    const auto conv = network.conv.to_vector<double>();
    const auto version = network.matrix.version();
    muon->step();
    CHECK(network.matrix.version() > version);
    CHECK(differences(network.conv.to_vector<double>(), conv) == "");
}

TEST_CASE("Muon's step does not depend on the layout of a convolution's weight") {
    const Tensor w = noise({3, 4, 2, 5}, 4), g = noise({3, 4, 2, 5}, 5);
    const Tensor plain = w.clone(), last = w.to(Layout::channels_last).clone();
    Muon optimizer({{.parameters = {plain, last}}}, {}, {.lr = 0.1});
    plain.set_grad(g);
    last.set_grad(g);
    optimizer.step();
    CHECK(test::relative_difference(last, plain) < 1e-12);
    CHECK(test::relative_difference(plain, w) > 1e-3);
}

TEST_CASE("Muon refuses vectors among the matrices and settings outside their range") {
    const Tensor matrix = Tensor::zeros({2, 3}), vector = Tensor::zeros({2});
    const auto make = [](const std::vector<Tensor>& matrices, const MuonOptions& options = {}) {
        return error_of([&] { Muon({{.parameters = matrices}}, {}, options); });
    };
    CHECK(make({matrix, vector}) ==
          "Muon: parameter 0.1 is float32[2], expected at least two dimensions; put it in the other groups");
    CHECK(make({matrix}, {.momentum = 1}) == "Muon: momentum is 1, expected [0, 1)");
    CHECK(make({matrix}, {.iterations = 0}) == "Muon: iterations is 0, expected 1 to 99");
    CHECK(make({matrix}, {.epsilon = 0}) == "Muon: epsilon is 0, expected a finite number > 0");
    CHECK(make({}) == "optimizer: no parameters were given, expected at least one");
    CHECK(error_of([&] { Muon({{.parameters = {matrix}}}, {{.parameters = {matrix}}}, {}); }) ==
          "optimizer: parameter 1.0 (float32[2, 3]) was given before, expected each once");
}
