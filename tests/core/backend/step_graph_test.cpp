// Tests of recorded steps: they train exactly as eager steps do, use memory of their own, and fall back to eager steps.
#include "../../catch.h"
#include "../../expect.h"

#include "radial/core/backend/step_graph.h"
#include "radial/core/memory/device_runtime.h"
#include "radial/core/memory/transfer.h"
#include "radial/core/ops.h"
#include "radial/core/optim/lamb.h"
#include "radial/core/optim/muon.h"
#include "radial/core/optim/optim.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/activation.h"
#include "radial/layers/conv.h"
#include "radial/layers/linear.h"
#include "radial/layers/sequential.h"
#include "radial/losses/rbf_softmax.h"

#ifdef RADIAL_EMULATED_CUDA
#include "radial/core/memory/emulated/emulator.h"
#endif

#include <memory>

using namespace radial;
using radial::test::error_of;

namespace {

/// Whether steps are recorded; on the CPU every step is eager.
bool records() { return default_device().kind == Device::Kind::cuda; }

/// The number of times that the host has waited for the emulated device; 0 on other devices, which do not count.
std::size_t waits() {
#ifdef RADIAL_EMULATED_CUDA
    return emulated::waits();
#else
    return 0;
#endif
}

Tensor vector_of(const std::vector<double>& values) {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

/// A small network with all kinds of layers that a step may contain, its head, and an optimizer with momentum.
struct Training {
    static constexpr std::int64_t batch = 6;

    Training() {
        manual_seed(5);
        model.add<Conv2d>(Conv2dOptions{.in_channels = 1, .out_channels = 4, .kernel = 3, .padding = 1})
            .add<BatchNorm2d>(BatchNorm2dOptions{.channels = 4})
            .add<PReLU>(PReLUOptions{.channels = 4})
            .add<MaxPool2d>()
            .add<Dropout>(DropoutOptions{.p = 0.3})
            .add<Flatten>()
            .add<Linear>(LinearOptions{.in_features = 4 * 4 * 4, .out_features = 3});
        head = std::make_unique<RbfSoftmax>(RbfSoftmaxOptions{.classes = 5, .dim = 3, .gamma = 4});
        parameters = model.parameters();
        for (const Tensor& parameter : head->parameters()) parameters.push_back(parameter);
        optimizer = std::make_unique<Sgd>(parameters, SgdOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 1e-3});
        images = Tensor::empty({batch, 1, 8, 8});
        labels = Tensor::empty({batch}, DType::int64);
    }

    /// Sets the batch and the learning rate of step `number`.
    void prepare(int number) {
        Generator generator(static_cast<std::uint64_t>(number));
        const Tensor pixels = Tensor::empty({batch, 1, 8, 8}, DType::float32, Device{});
        normal_(pixels, 0, 1, generator);
        std::vector<std::int64_t> classes;
        for (std::int64_t i = 0; i < batch; ++i) classes.push_back((i + number) % 5);
        images.copy_(pixels);
        labels.copy_(Tensor::from(classes, {batch}, Device{}));
        optimizer->set_lr(0.1 / number);
    }

    void step() {
        optimizer->zero_grad();
        loss = head->forward(model.forward(images), labels);
        loss.backward();
        norm = clip_gradients(parameters, 0.5);
        optimizer->step();
    }

    Sequential model;
    std::unique_ptr<RbfSoftmax> head;
    std::vector<Tensor> parameters;
    std::unique_ptr<Sgd> optimizer;
    Tensor images, labels, loss, norm;
};

/// The loss and gradient norm of each step, followed by the whole state.
using Trace = std::vector<std::vector<double>>;

void note_state(const Training& training, Trace& trace) {
    for (const NamedTensor& entry : training.model.state()) trace.push_back(entry.tensor.to_vector<double>());
    for (const NamedTensor& entry : training.head->state()) trace.push_back(entry.tensor.to_vector<double>());
    for (const NamedTensor& entry : training.optimizer->state()) trace.push_back(entry.tensor.to_vector<double>());
}

Trace train_eagerly(int steps) {
    Training training;
    Trace trace;
    for (int number = 1; number <= steps; ++number) {
        training.prepare(number);
        training.step();
        trace.push_back({training.loss.item(), training.norm.item()});
    }
    note_state(training, trace);
    return trace;
}

/// Trains with recorded steps and calls `between` after each.
Trace train_recorded(
    int steps, const std::function<void()>& between = [] {}) {
    Training training;
    StepGraph graph(default_device(), [&] { training.step(); });
    Trace trace;
    for (int number = 1; number <= steps; ++number) {
        training.prepare(number);
        graph.run();
        trace.push_back({training.loss.item(), training.norm.item()});
        between();
    }
    INFO(graph.reason());
    CHECK(graph.recorded() == records());
    note_state(training, trace);
    return trace;
}

void check_same(const Trace& one, const Trace& other) {
    REQUIRE(one.size() == other.size());
    for (std::size_t i = 0; i < one.size(); ++i) {
        CAPTURE(i);
        if (!records() || device::emulated()) {
            CHECK(one[i] == other[i]);
        } else {  // a vendor's library may add in another order
            REQUIRE(one[i].size() == other[i].size());
            for (std::size_t k = 0; k < one[i].size(); ++k) CHECK(one[i][k] == Approx(other[i][k]).epsilon(1e-3));
        }
    }
}

}  // namespace

TEST_CASE("Recorded steps train as eager ones, with dropout and a changing learning rate", "[graph]") {
    check_same(train_recorded(6), train_eagerly(6));
}

TEST_CASE("Eager work between launches does not disturb a graph", "[graph]") {
    const auto eager = train_eagerly(6);
    check_same(train_recorded(6,
                              [] {
                                  std::vector<Tensor> filled;
                                  for (std::int64_t size = 1; size < 5000; size *= 2)
                                      filled.push_back(Tensor::full({size}, 1e30));
                                  synchronize(default_device());
                              }),
               eager);
}

TEST_CASE("An eager step between launches continues the same run", "[graph]") {
    const auto eager = train_eagerly(6);
    Training training;
    StepGraph graph(default_device(), [&] { training.step(); });
    for (int number = 1; number <= 6; ++number) {
        training.prepare(number);
        if (number == 5)
            training.step();
        else
            graph.run();
    }
    Trace state;
    note_state(training, state);
    check_same(state, {eager.begin() + 6, eager.end()});
}

TEST_CASE("Neither a recorded step nor its launch waits for the device", "[graph]") {
    Training training;
    StepGraph graph(default_device(), [&] { training.step(); });
    for (int number = 1; number <= 3; ++number) {
        training.prepare(number);
        graph.run();
    }
    const auto before = waits();
    for (int number = 4; number <= 8; ++number) {
        training.prepare(number);
        graph.run();
    }
    CHECK(waits() == before);
    CHECK(std::isfinite(training.loss.item()));
}

TEST_CASE("A recorded step follows the learning rate", "[graph]") {
    const Tensor parameter = vector_of({1, 2}), gradient = vector_of({1, 1});
    Sgd optimizer({parameter}, {.lr = 1});
    parameter.set_grad(gradient);
    StepGraph graph(default_device(), [&] { optimizer.step(); });
    for (const double rate : {1.0, 2.0, 4.0, 8.0, 16.0}) {
        optimizer.set_lr(rate);
        graph.run();
    }
    CHECK(graph.recorded() == records());
    CHECK(parameter.to_vector<double>() == std::vector<double>{-30, -29});
}

TEST_CASE("A recorded step of Adam goes on counting", "[graph]") {
    const auto run = [](bool recorded) {
        const Tensor parameter = vector_of({1, 2}), gradient = vector_of({0.5, -3});
        Adam optimizer({parameter}, AdamOptions{.lr = 0.1});
        parameter.set_grad(gradient);
        StepGraph graph(default_device(), [&] { optimizer.step(); });
        for (int i = 0; i < 5; ++i) recorded ? graph.run() : optimizer.step();
        CHECK(optimizer.state().back().tensor.item() == 5);
        return parameter.to_vector<double>();
    };
    CHECK(run(true) == run(false));
}

TEST_CASE("A recorded step of Muon and of LAMB goes on as an eager one at a changing rate", "[graph]") {
    const auto run = [](bool lamb, bool recorded) {
        const Tensor matrix = vector_of({1, 2, 3, -4, 0, 2}).view({2, 3}), vector = vector_of({0.5, -3});
        const std::vector<ParameterGroup> matrices{{.parameters = {matrix}, .weight_decay = 0.1}},
            others{{.parameters = {vector}, .weight_decay = 0.1}};
        std::unique_ptr<Optimizer> optimizer;
        if (lamb)
            optimizer = std::make_unique<Lamb>(std::vector<ParameterGroup>{matrices[0], others[0]}, LambOptions{});
        else
            optimizer = std::make_unique<Muon>(matrices, others, MuonOptions{});
        matrix.set_grad(vector_of({3, 1, 4, 1, -5, 9}).view({2, 3}));
        vector.set_grad(vector_of({2, -6}));
        StepGraph graph(default_device(), [&] { optimizer->step(); });
        for (int i = 1; i <= 5; ++i) {
            optimizer->set_lr(0.1 / i);
            recorded ? graph.run() : optimizer->step();
        }
        if (recorded) CHECK(graph.recorded() == records());
        return std::pair(matrix.to_vector<double>(), vector.to_vector<double>());
    };
    for (const bool lamb : {false, true}) CHECK(run(lamb, true) == run(lamb, false));
}

TEST_CASE("A step that waits for the device runs eagerly, and the graph says why", "[graph]") {
    const Tensor x = vector_of({1});
    int calls = 0;
    double seen = 0;
    StepGraph graph(default_device(), [&] {
        ++calls;
        x.fill_(calls);
        seen = x.item();
    });
    for (int i = 0; i < 4; ++i) graph.run();
    CHECK_FALSE(graph.recorded());
    CHECK(graph.nodes() == 0);
    if (records()) {
        CHECK(graph.reason() == "cuda:0: 8 bytes cannot be copied from the device while a graph is captured");
        CHECK(calls == 5);  // the attempt to record is the fifth call
    } else {
        CHECK(graph.reason() == "a step on the CPU is not recorded");
        CHECK(calls == 4);
    }
    CHECK(seen == calls);
}

TEST_CASE("A failed recording leaves random numbers and tensors as an eager run has them", "[graph]") {
    const auto run = [](bool recorded) {
        manual_seed(3);
        const Tensor x = Tensor::zeros({100});
        const auto step = [&] {
            const NoGrad no_grad;
            x.copy_(dropout(x + 1.0, 0.5, default_generator()));
            static_cast<void>(x.rows(0, 1).item());
        };
        StepGraph graph(default_device(), step);
        for (int i = 0; i < 4; ++i) recorded ? graph.run() : step();
        CHECK_FALSE(graph.recorded());
        CHECK(default_generator().counter() == 400);
        return x.to_vector<float>();
    };
    CHECK(run(true) == run(false));
}

TEST_CASE("Launches draw the numbers that eager steps would, also from a new seed", "[graph]") {
    const auto run = [](bool recorded) {
        const Tensor ones = Tensor::full({100}, 1);
        const Tensor out = Tensor::zeros({100});
        const auto step = [&] {
            const NoGrad no_grad;
            out.copy_(dropout(ones, 0.5, default_generator()));
        };
        StepGraph graph(default_device(), step);
        std::vector<std::vector<float>> masks;
        for (int i = 0; i < 8; ++i) {
            if (i % 4 == 0) manual_seed(static_cast<std::uint64_t>(i));
            recorded ? graph.run() : step();
            masks.push_back(out.to_vector<float>());
        }
        CHECK(default_generator().counter() == 400);
        return masks;
    };
    const auto masks = run(true);
    CHECK(masks == run(false));
    CHECK(masks[2] != masks[3]);
}

TEST_CASE("A launch makes tensors that were saved before it stale", "[graph]") {
    const Tensor x = vector_of({1}), other = vector_of({1});
    StepGraph graph(default_device(), [&] { x.fill_(2); });
    for (int i = 0; i < 4; ++i) graph.run();
    const auto version = x.version(), untouched = other.version();
    graph.run();
    CHECK(x.version() > version);
    CHECK(other.version() == untouched);
}

TEST_CASE("A step that cannot be repeated is not recorded", "[graph]") {
    if (!records()) return;
    const Tensor x = Tensor::zeros({4});
    const auto reason = [](const std::function<void()>& step) {
        StepGraph graph(default_device(), step);
        for (int i = 0; i < 3; ++i) graph.run();
        return graph.reason();
    };
    CHECK(reason([&] { normal_(x, 0, 1); }) ==
          "normal_: a step that is recorded as a graph draws random numbers in dropout alone");
    CHECK(reason([] { permutation(3, default_generator()); }) ==
          "Generator: the host draws no numbers in a step that is recorded as a graph");
    Sgd optimizer({x}, {.lr = 1});
    x.set_grad(Tensor::zeros({4}));
    double rate = 1;
    CHECK(reason([&] {
              optimizer.set_lr(++rate);
              optimizer.step();
          }) == "optimizer: the learning rate was set while a graph was recorded on cuda:0; set it before the step");
    StepGraph inner(default_device(), [] {});
    CHECK(reason([&] { inner.run(); }) == "StepGraph: run() was called while a graph is being recorded on cuda:0");
}

TEST_CASE("What a step throws reaches the caller and the next call goes on", "[graph]") {
    const Tensor x = vector_of({0});
    int calls = 0;
    StepGraph graph(default_device(), [&] {
        if (++calls == 3) throw std::runtime_error("not an Error");
        x.fill_(calls);
    });
    graph.run();
    graph.run();
    CHECK_THROWS_AS(graph.run(), std::runtime_error);
    graph.run();
    CHECK(x.item() == 4);
}

TEST_CASE("A StepGraph needs a step", "[graph]") {
    CHECK(error_of([] { StepGraph(default_device(), nullptr); }) == "StepGraph: the step is empty");
}
