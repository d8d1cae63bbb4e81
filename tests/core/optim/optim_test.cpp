// Tests of the optimizers: a comparison with PyTorch's recorded steps, their state, and gradient clipping.
#include "../../golden/optim.h"
#include "../../catch.h"
#include "../../expect.h"

#include "radial/core/backend/backend.h"
#include "radial/core/optim/optim.h"
#include "radial/core/tensor/random.h"

#include <cmath>
#include <functional>
#include <memory>

using namespace radial;
using radial::test::differences;
using radial::test::error_of;
using radial::test::golden::Recorded;

namespace {

using Make = std::function<std::unique_ptr<Optimizer>(std::vector<Tensor>)>;

Make sgd(const SgdOptions& options) {
    return [options](std::vector<Tensor> p) { return std::make_unique<Sgd>(std::move(p), options); };
}
Make adam(const AdamOptions& options) {
    return [options](std::vector<Tensor> p) { return std::make_unique<Adam>(std::move(p), options); };
}

const SgdOptions nesterov{.lr = 0.1, .momentum = 0.9, .nesterov = true, .weight_decay = 0.01};
const AdamOptions adam_decay{
    .lr = 0.02, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 1e-6, .weight_decay = 0.1, .decoupled = false};

Tensor vector_of(const std::vector<double>& values, DType dtype = DType::float64) {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).to(dtype);
}

Tensor start(DType dtype = DType::float64) { return vector_of({0.1, -0.2, 0.3, -0.4, 0.5}, dtype); }

/// The gradient that golden/optim.py uses in a step; steps are counted from 1.
Tensor gradient_at(int step, DType dtype = DType::float64) {
    std::vector<double> values(5);
    for (int i = 0; i < 5; ++i) values[static_cast<std::size_t>(i)] = ((7 * step + 3 * i) % 11 - 5) / 4.0;
    return vector_of(values, dtype);
}

void run(Optimizer& optimizer, const Tensor& parameter, int first, int last) {
    for (int step = first; step <= last; ++step) {
        parameter.set_grad(gradient_at(step, parameter.dtype()));
        optimizer.step();
    }
}

void check_against(const Make& make, const std::vector<Recorded>& recorded, DType dtype, double tolerance) {
    const Tensor parameter = start(dtype);
    const auto optimizer = make({parameter});
    int done = 0;
    for (const Recorded& record : recorded) {
        run(*optimizer, parameter, done + 1, record.step);
        done = record.step;
        CAPTURE(record.step, parameter.str());
        CHECK(test::relative_difference(parameter, vector_of(record.parameter, dtype)) < tolerance);
    }
}

void check_both(const Make& make, const std::vector<Recorded>& narrow, const std::vector<Recorded>& wide) {
    check_against(make, narrow, DType::float32, 1e-6);
    check_against(make, wide, DType::float64, 1e-14);
}

}  // namespace

TEST_CASE("Sgd follows PyTorch") {
    using namespace radial::test::golden;
    check_both(sgd({.lr = 0.1}), sgd_float32, sgd_float64);
    check_both(sgd({.lr = 0.1, .weight_decay = 0.01}), sgd_decay_float32, sgd_decay_float64);
    check_both(sgd({.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01}), sgd_momentum_float32, sgd_momentum_float64);
    check_both(sgd(nesterov), sgd_nesterov_float32, sgd_nesterov_float64);
}

TEST_CASE("Adam and AdamW follow PyTorch") {
    using namespace radial::test::golden;
    check_both(adam({.lr = 0.02}), adam_float32, adam_float64);
    check_both(adam(adam_decay), adam_decay_float32, adam_decay_float64);
    AdamOptions decoupled = adam_decay;
    decoupled.decoupled = true;
    check_both(adam(decoupled), adamw_float32, adamw_float64);
}

TEST_CASE("A saved and restored optimizer continues exactly as the first would") {
    for (const Make& make : {sgd(nesterov), adam(adam_decay)}) {
        const Tensor straight = start(), stopped = start();
        const auto one = make({straight}), two = make({stopped});
        run(*one, straight, 1, 6);
        run(*two, stopped, 1, 3);
        std::vector<NamedTensor> saved;
        for (const NamedTensor& entry : two->state()) saved.push_back({entry.name, entry.tensor.clone()});
        const auto resumed = make({stopped});
        resumed->load_state(saved);
        run(*resumed, stopped, 4, 6);
        CHECK(differences(stopped.to_vector<double>(), straight.to_vector<double>()) == "");
    }
}

TEST_CASE("An optimizer's state is named by group and parameter") {
    const auto names = [](const Optimizer& optimizer) {
        std::vector<std::string> result;
        for (const NamedTensor& entry : optimizer.state()) result.push_back(entry.name + " " + entry.tensor.str());
        return result;
    };
    const std::vector<ParameterGroup> groups{{.parameters = {start(), start(DType::float32)}},
                                             {.parameters = {Tensor::zeros({2, 3})}}};
    CHECK(names(Sgd(groups, {.momentum = 0.9})) ==
          std::vector<std::string>{"momentum.0.0 float64[5]", "momentum.0.1 float32[5]", "momentum.1.0 float32[2, 3]"});
    CHECK(names(Sgd(groups, {})).empty());
    CHECK(names(Adam({groups[1]}, AdamOptions{})) ==
          std::vector<std::string>{"first.0.0 float32[2, 3]", "second.0.0 float32[2, 3]", "step.0 int64[1]"});
}

TEST_CASE("Adam counts the steps of each parameter on its own, as PyTorch") {
    const Tensor early = start(), late = start();
    Adam both({early, late}, AdamOptions{.lr = 0.02});
    early.set_grad(gradient_at(1));
    both.step();
    early.clear_grad();
    run(both, late, 1, 1);
    CHECK(differences(late.to_vector<double>(), early.to_vector<double>()) == "");
}

TEST_CASE("An optimizer refuses a state that does not fit with all that is wrong, and changes nothing") {
    const Tensor parameter = start();
    Sgd optimizer({ParameterGroup{.parameters = {parameter, Tensor::zeros({2})}}}, {.momentum = 0.9});
    run(optimizer, parameter, 1, 2);
    const auto before = optimizer.state()[0].tensor.to_vector<double>();
    CHECK(error_of([&] {
              optimizer.load_state({{"momentum.0.0", Tensor::zeros({4})}, {"momentum.0.7", Tensor::zeros({2})}});
          }) ==
          "Sgd::load_state: \"momentum.0.0\" is float32[4], expected float64[5]; \"momentum.0.1\" is missing; "
          "\"momentum.0.7\" is left over");
    CHECK(differences(optimizer.state()[0].tensor.to_vector<double>(), before) == "");
}

TEST_CASE("Groups have their own rate and decay") {
    const Tensor a = vector_of({1}), b = vector_of({1}), c = vector_of({1});
    Sgd optimizer({{.parameters = {a}}, {.parameters = {b}, .lr_scale = 10}, {.parameters = {c}, .weight_decay = 0.5}},
                  {.lr = 0.01, .weight_decay = 123});
    for (const Tensor& parameter : {a, b, c}) parameter.set_grad(vector_of({2}));
    optimizer.step();
    CHECK(a.item() == Approx(1 - 0.01 * 2));
    CHECK(b.item() == Approx(1 - 0.1 * 2));
    CHECK(c.item() == Approx(1 - 0.01 * 2.5));
}

TEST_CASE("A parameter without a gradient stays as it is") {
    for (const Make& make : {sgd({.momentum = 0.9, .weight_decay = 0.1}), adam({.weight_decay = 0.1})}) {
        const Tensor parameter = start();
        const auto optimizer = make({parameter});
        optimizer->step();
        CHECK(differences(parameter.to_vector<double>(), start().to_vector<double>()) == "");
    }
}

TEST_CASE("set_lr changes the next step") {
    const Tensor parameter = vector_of({1});
    Sgd optimizer({parameter}, {.lr = 0.1});
    optimizer.set_lr(0.5);
    CHECK(optimizer.lr() == 0.5);
    parameter.set_grad(vector_of({1}));
    optimizer.step();
    CHECK(parameter.item() == Approx(0.5));
}

TEST_CASE("zero_grad drops the gradients") {
    const Tensor parameter = start();
    Sgd optimizer({parameter}, {});
    parameter.set_grad(gradient_at(1));
    optimizer.zero_grad();
    CHECK_FALSE(parameter.grad().defined());
}

TEST_CASE("A step works in place and makes tensors saved for backward stale") {
    for (const Make& make : {sgd({}), sgd(nesterov), adam({})}) {
        const Tensor parameter = start();
        const void* const address = parameter.raw();
        const auto version = parameter.version();
        const auto optimizer = make({parameter});
        run(*optimizer, parameter, 1, 1);
        CHECK(parameter.raw() == address);
        CHECK(parameter.version() > version);
    }
}

TEST_CASE("A gradient in another layout than its parameter gives the same step") {
    Generator generator(1);
    const Tensor w = Tensor::empty({3, 4, 2, 5}), g = Tensor::empty({3, 4, 2, 5});
    normal_(w, 0, 1, generator);
    normal_(g, 0, 1, generator);
    for (const Make& make : {sgd(nesterov), adam(adam_decay)}) {
        const Tensor plain = w.clone(), other = w.clone(), last = w.to(Layout::channels_last).clone();
        const auto optimizer = make({plain, other, last});
        plain.set_grad(g);
        other.set_grad(g.to(Layout::channels_last));
        last.set_grad(g);
        optimizer->step();
        CHECK(differences(other.to_vector<float>(), plain.to_vector<float>()) == "");
        CHECK(differences(last.to_vector<float>(), plain.to_vector<float>()) == "");
    }
}

TEST_CASE("An optimizer refuses what cannot be optimized") {
    const Tensor p = start();
    const auto make = [](std::vector<ParameterGroup> groups, SgdOptions options = {}) {
        return error_of([&] { Sgd(std::move(groups), options); });
    };
    CHECK(make({}) == "optimizer: no parameters were given, expected at least one");
    CHECK(make({ParameterGroup{}}) == "optimizer: no parameters were given, expected at least one");
    CHECK(make({{.parameters = {p}}, {.parameters = {start(), p}}}) ==
          "optimizer: parameter 1.1 (float64[5]) was given before, expected each once");
    CHECK(make({{.parameters = {Tensor()}}}) == "optimizer: parameter 0.0 is undefined");
    CHECK(make({{.parameters = {Tensor::zeros({2}, DType::int64)}}}) ==
          "optimizer: parameter 0.0 is int64[2], expected float32 or float64");
    CHECK(make({{.parameters = {p}, .lr_scale = -1}}) ==
          "optimizer: lr_scale of group 0 is -1, expected a finite number >= 0");
    CHECK(make({{.parameters = {p}, .weight_decay = -1}}) ==
          "optimizer: weight decay of group 0 is -1, expected a finite number >= 0");
    CHECK(make({{.parameters = {p}}}, {.lr = -0.1}) ==
          "optimizer: learning rate is -0.1, expected a finite number >= 0");
    CHECK(make({{.parameters = {p}}}, {.momentum = -0.1}) == "Sgd: momentum is -0.1, expected a finite number >= 0");
    CHECK(make({{.parameters = {p}}}, {.nesterov = true}) == "Sgd: nesterov needs a momentum above 0, got 0");
}

TEST_CASE("Adam refuses settings outside their range") {
    const auto make = [](const AdamOptions& options) { return error_of([&] { Adam({start()}, options); }); };
    CHECK(make({.beta1 = 1}) == "Adam: beta1 is 1, expected [0, 1)");
    CHECK(make({.beta2 = -0.5}) == "Adam: beta2 is -0.5, expected [0, 1)");
    CHECK(make({.epsilon = -1}) == "Adam: epsilon is -1, expected a finite number >= 0");
}

TEST_CASE("A learning rate that is not a number is refused") {
    Sgd optimizer({start()}, {});
    CHECK(error_of([&] { optimizer.set_lr(NAN); }) == "optimizer: learning rate is nan, expected a finite number >= 0");
}

TEST_CASE("A step refuses a gradient or a state that does not fit its parameter") {
    const std::string here = default_device().str();
    const Tensor parameter = start();
    Sgd optimizer({parameter}, {.momentum = 0.9});
    parameter.set_grad(Tensor::zeros({4}, DType::float64));
    CHECK(error_of([&] { optimizer.step(); }) ==
          fmt::format("optimizer: parameter 0.0 is float64[5] on {0}, its gradient float64[4] on {0}", here));
    const TensorImpl narrow = *start(DType::float32).impl();
    parameter.impl()->storage = narrow.storage;
    parameter.impl()->dtype = narrow.dtype;
    parameter.set_grad(gradient_at(1, DType::float32));
    CHECK(error_of([&] { optimizer.step(); }) ==
          fmt::format("optimizer: its state is float64[5] on {0}, the parameter float32[5] on {0}; make the optimizer "
                      "after converting the module",
                      here));
}

namespace {

/// Two parameters with the gradients [3, 0] in float32 and [0, 4] in float64; the norm of both together is 5.
std::vector<Tensor> three_four_five() {
    const Tensor a = Tensor::zeros({2}), b = Tensor::zeros({2}, DType::float64);
    a.set_grad(vector_of({3, 0}, DType::float32));
    b.set_grad(vector_of({0, 4}));
    return {a, b, Tensor::zeros({7})};
}

}  // namespace

TEST_CASE("The gradient norm is taken over all parameters together") {
    CHECK(gradient_norm(three_four_five()) == 5.0);
    CHECK(gradient_norm({}) == 0.0);
}

TEST_CASE("Clipping scales gradients above the norm, as PyTorch") {
    const auto parameters = three_four_five();
    CHECK(clip_gradient_norm(parameters, 1.0) == 5.0);
    CHECK(parameters[0].grad().to_vector<double>()[0] == Approx(3 / (5 + 1e-6)).epsilon(1e-7));
    CHECK(parameters[1].grad().to_vector<double>()[1] == Approx(4 / (5 + 1e-6)).epsilon(1e-14));
    CHECK(gradient_norm(parameters) <= 1.0);
    CHECK_FALSE(parameters[2].grad().defined());
}

TEST_CASE("Clipping leaves gradients at or below the norm untouched") {
    const auto parameters = three_four_five();
    const auto version = parameters[0].grad().version();
    CHECK(clip_gradient_norm(parameters, 5.0) == 5.0);
    CHECK(parameters[0].grad().version() == version);
    CHECK(parameters[1].grad().to_vector<double>() == std::vector<double>{0, 4});
}

TEST_CASE("Clipping refuses finite gradients whose joint norm overflows") {
    const Tensor a = Tensor::zeros({1}, DType::float64), b = Tensor::zeros({1}, DType::float64);
    a.set_grad(vector_of({1.2e154}));  // the square is just within the range of double
    b.set_grad(vector_of({1.2e154}));
    CHECK(error_of<NumericError>([&] { clip_gradient_norm({a, b}, 1.0); }) == "clip_gradient_norm: the norm is inf");
    CHECK(a.grad().item() == 1.2e154);
}

TEST_CASE("A gradient that two parameters share is scaled once") {
    const Tensor a = Tensor::zeros({1}), b = Tensor::zeros({1}), shared = vector_of({3}, DType::float32);
    a.set_grad(shared);
    b.set_grad(shared);
    const double norm = clip_gradient_norm({a, b}, 1.0);
    CHECK(norm == Approx(std::sqrt(18.0)));
    CHECK(shared.item() == Approx(3 / norm));
}

TEST_CASE("Float gradients whose squares overflow still have a norm") {
    const Tensor parameter = Tensor::zeros({2});
    parameter.set_grad(vector_of({3e30, 4e30}, DType::float32));
    CHECK(gradient_norm({parameter}) == Approx(5e30));
}

TEST_CASE("The gradient norm is the same with any number of threads") {
    Generator generator(1);
    const Tensor parameter = Tensor::zeros({100'003}), gradient = Tensor::empty({100'003});
    normal_(gradient, 0, 1, generator);
    parameter.set_grad(gradient);
    set_num_threads(1);
    const double one = gradient_norm({parameter});
    set_num_threads(3);
    const double three = gradient_norm({parameter});
    set_num_threads(0);
    CHECK(one == three);
}

TEST_CASE("Clipping names the first gradient that is not finite, and changes none") {
    const auto parameters = three_four_five();
    parameters[1].set_grad(vector_of({1, NAN}));
    CHECK(error_of<NumericError>([&] { clip_gradient_norm(parameters, 1.0); }) ==
          "clip_gradient_norm: the norm is nan; the gradient of parameter 1 (float64[2]) is the first that is not "
          "finite");
    CHECK(parameters[0].grad().to_vector<double>() == std::vector<double>{3, 0});
    parameters[1].set_grad(vector_of({-INFINITY, 0}));
    CHECK(error_of<NumericError>([&] { clip_gradient_norm(parameters, 1.0); }) ==
          "clip_gradient_norm: the norm is inf; the gradient of parameter 1 (float64[2]) is the first that is not "
          "finite");
}

TEST_CASE("Clipping refuses a norm that is not positive") {
    CHECK(error_of([] { clip_gradient_norm({}, 0); }) == "clip_gradient_norm: max_norm is 0, expected more than 0");
}
