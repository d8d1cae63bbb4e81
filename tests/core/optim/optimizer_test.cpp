// Tests of the behaviour that all optimizers share, with SGD and Adam: state, groups, rates, layouts, messages.
#include "radial/core/optim/optimizer.h"
#include "radial/core/tensor/random.h"
#include "recorded_steps.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace radial::test {

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

}  // namespace radial::test
