// Tests of modules: names, state, modes, conversions.
#include "../../catch.h"
#include "../../data/scratch.h"
#include "../../expect.h"

#include "radial/core/io/safetensors.h"
#include "radial/core/nn/module.h"
#include "radial/core/ops.h"
#include "radial/core/optim/optim.h"

#include <string>

using namespace radial;
using radial::test::differences;
using radial::test::error_of;

namespace {

/// A module with a parameter and a buffer; a test can register more.
class Leaf : public Module {
public:
    using Module::register_buffer;
    using Module::register_module;
    using Module::register_parameter;

    Tensor weight = register_parameter("weight", Tensor::full({2, 3}, 1.5));
    Tensor count = register_buffer("count", Tensor::full({1}, 4, DType::int64), BufferKind::state);
};

class Tree : public Module {
public:
    std::shared_ptr<Leaf> left = register_module("left", std::make_shared<Leaf>());
    Tensor bias = register_parameter("bias", Tensor::zeros({3}));
    Tensor running = register_buffer("running", Tensor::zeros({3}), BufferKind::statistic);
    std::shared_ptr<Leaf> right = register_module("right", std::make_shared<Leaf>());
};

std::vector<std::string> names(const std::vector<NamedTensor>& tensors) {
    std::vector<std::string> result;
    result.reserve(tensors.size());
    for (const NamedTensor& entry : tensors) result.push_back(entry.name);
    return result;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("Parameters and buffers are named by their path") {
    const Tree tree;
    CHECK(names(tree.named_parameters()) == Names{"bias", "left.weight", "right.weight"});
    CHECK(names(tree.named_buffers()) == Names{"running", "left.count", "right.count"});
    CHECK(names(tree.state()) == Names{"bias", "left.weight", "right.weight", "running", "left.count", "right.count"});
    CHECK(tree.parameters().size() == 3);
    CHECK(tree.parameter_count() == 15);
}

TEST_CASE("A buffer is a statistic, which is averaged with the parameters, or a state, which is not") {
    const Tree tree;
    CHECK(names(tree.named_buffers(BufferKind::statistic)) == Names{"running"});
    CHECK(names(tree.named_buffers(BufferKind::state)) == Names{"left.count", "right.count"});
    CHECK(names(tree.averaged_state()) == Names{"bias", "left.weight", "right.weight", "running"});
    Leaf leaf;
    CHECK(error_of([&] { leaf.register_buffer("steps", Tensor::zeros({1}, DType::int64), BufferKind::statistic); }) ==
          "Module: buffer \"steps\" is int64[1], which has no mean: expected float32 or float64 for a statistic");
}

TEST_CASE("Registering a parameter makes it want a gradient; a buffer does not") {
    const Leaf leaf;
    CHECK(leaf.weight.requires_grad());
    CHECK_FALSE(leaf.count.requires_grad());
}

TEST_CASE("A parameter that is registered twice appears once") {
    Leaf outer, inner;
    outer.register_parameter("tied", outer.weight);
    CHECK(names(outer.named_parameters()) == Names{"weight"});
    CHECK(outer.parameter_count() == 6);
}

TEST_CASE("A submodule that is registered twice appears once") {
    Leaf outer;
    const auto shared = outer.register_module("first", std::make_shared<Leaf>());
    outer.register_module("second", shared);
    CHECK(names(outer.state()) == Names{"weight", "first.weight", "count", "first.count"});
}

TEST_CASE("Names must be new, not empty and without dots, and name something") {
    Leaf leaf;
    const Tensor x = Tensor::zeros({1});
    CHECK(error_of([&] { leaf.register_parameter("count", x); }) == "Module: the name \"count\" is taken");
    CHECK(error_of([&] { leaf.register_buffer("weight", x, BufferKind::statistic); }) ==
          "Module: the name \"weight\" is taken");
    leaf.register_module("child", std::make_shared<Leaf>());
    CHECK(error_of([&] { leaf.register_module("child", std::make_shared<Leaf>()); }) ==
          "Module: the name \"child\" is taken");
    CHECK(error_of([&] { leaf.register_buffer("a.b", x, BufferKind::statistic); }) ==
          "Module: the name \"a.b\" must not be empty or contain a dot");
    CHECK(error_of([&] { leaf.register_buffer("", x, BufferKind::statistic); }) ==
          "Module: the name \"\" must not be empty or contain a dot");
    CHECK(error_of([&] { leaf.register_parameter("p", {}); }) == "Module: parameter \"p\" is an undefined tensor");
    CHECK(error_of([&] { leaf.register_buffer("p", {}, BufferKind::statistic); }) ==
          "Module: buffer \"p\" is an undefined tensor");
    CHECK(error_of([&] { leaf.register_module("p", std::shared_ptr<Leaf>()); }) == "Module: submodule \"p\" is null");
}

TEST_CASE("A state loads into members, converting dtypes") {
    Leaf leaf;
    leaf.load_state(
        {{"count", Tensor::full({1}, 9, DType::int64)}, {"weight", Tensor::full({2, 3}, 2.5, DType::float64)}});
    CHECK(leaf.weight.to_vector<float>() == std::vector<float>(6, 2.5F));
    CHECK(leaf.weight.dtype() == DType::float32);
    CHECK(leaf.count.item() == 9);
}

TEST_CASE("A module refuses a state that does not fit with all that is wrong, and changes nothing") {
    Tree tree;
    const std::vector<NamedTensor> source{{"bias", Tensor::full({3}, 7)},
                                          {"left.weight", Tensor::zeros({3, 2})},
                                          {"left.count", Tensor::zeros({1}, DType::int64)},
                                          {"right.count", {}},
                                          {"running", Tensor::zeros({3})},
                                          {"running", Tensor::zeros({3})},
                                          {"extra", Tensor::zeros({1})}};
    CHECK(error_of([&] { tree.load_state(source); }) ==
          "load_state: \"running\" is given twice; \"left.weight\" is float32[3, 2], expected float32[2, 3]; "
          "\"right.weight\" is missing; \"right.count\" is missing; \"extra\" is left over");
    CHECK(tree.bias.to_vector<float>() == std::vector<float>(3, 0.0F));
}

TEST_CASE("An error about many tensors that do not fit a module names and counts both missing and additional ones") {
    Tree tree;
    std::vector<NamedTensor> source;
    source.reserve(11);
    for (int i = 0; i < 11; ++i) source.push_back({fmt::format("extra{}", i), Tensor::zeros({1})});
    const std::string problem = error_of([&] { tree.load_state(source); });
    CHECK(problem.starts_with("load_state: \"bias\" is missing; "));
    CHECK(problem.ends_with("\"extra7\" is left over; 3 more are left over"));
}

TEST_CASE("Training and evaluation reach every module below") {
    Tree tree;
    CHECK(tree.right->training());
    tree.eval();
    CHECK_FALSE(tree.training());
    CHECK_FALSE(tree.left->training());
    CHECK_FALSE(tree.right->training());
    tree.train();
    CHECK(tree.right->training());
}

TEST_CASE("zero_grad drops every parameter's gradient") {
    Tree tree;
    tree.right->weight.set_grad(Tensor::zeros({2, 3}));
    tree.zero_grad();
    CHECK_FALSE(tree.right->weight.grad().defined());
}

TEST_CASE("Converting to another dtype reaches members, gradients and optimizers, and leaves integers") {
    Tree tree;
    const Sgd optimizer(tree.parameters(), {});
    tree.left->weight.set_grad(Tensor::full({2, 3}, 0.25));
    tree.to(DType::float64);
    CHECK(tree.left->weight.dtype() == DType::float64);
    CHECK(tree.left->weight.to_vector<double>() == std::vector<double>(6, 1.5));
    CHECK(tree.left->weight.requires_grad());
    CHECK(tree.left->weight.grad().dtype() == DType::float64);
    CHECK(tree.left->weight.grad().to_vector<double>() == std::vector<double>(6, 0.25));
    CHECK(tree.running.dtype() == DType::float64);
    CHECK(tree.left->count.dtype() == DType::int64);
    CHECK(optimizer.groups()[0].parameters[1].dtype() == DType::float64);
}

TEST_CASE("Modules convert to floating dtypes only") {
    Leaf leaf;
    CHECK(error_of([&] { leaf.to(DType::uint8); }) == "Module::to: expected float32 or float64, got uint8");
}

TEST_CASE("Moving a module to the device it is on changes nothing") {
    Leaf leaf;
    const void* const address = leaf.weight.raw();
    leaf.to(default_device());
    CHECK(leaf.weight.raw() == address);
}

TEST_CASE("A module that moves stores its weights as the device's convolutions want them, and its state is the same") {
    Leaf leaf;
    leaf.to(Device{});
    std::vector<float> values(120);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    const Tensor kernel = leaf.register_parameter("kernel", Tensor::from(values, {5, 4, 3, 2}, Device{}));
    leaf.to(default_device());
    CHECK(kernel.layout() == backend_for(default_device(), DType::float32).weight_layout());
    CHECK(differences(kernel.to_vector<float>(), values) == "");
    sum(square(conv2d(Tensor::full({1, 4, 3, 2}, 1), kernel))).backward();
    CHECK(kernel.grad().layout() == kernel.layout());

    const test::Scratch scratch;
    const auto path = scratch.path() / "moved.safetensors";
    write_safetensors(path, {leaf.state(), {}});
    CHECK(differences(read_safetensors(path).at("kernel").to_vector<float>(), values) == "");
    Leaf other;
    const Tensor loaded = other.register_parameter("kernel", Tensor::zeros({5, 4, 3, 2}));
    other.load_state(read_safetensors(path).tensors);
    CHECK(differences(loaded.to_vector<float>(), values) == "");

    leaf.to(Device{});
    CHECK(kernel.layout() == Layout::row_major);
    CHECK(differences(kernel.to_vector<float>(), values) == "");
    CHECK(kernel.grad().layout() == Layout::row_major);
}

TEST_CASE("A layer is called like a function") {
    struct Identity : Layer {
        Tensor forward(Tensor x) override { return x; }
    } identity;
    const Tensor x = Tensor::zeros({2});
    CHECK(identity(x).raw() == x.raw());
}

TEST_CASE("A module that keeps evaluation stays there whatever train() says, until it is released", "[host]") {
    struct Parent : Module {
        std::shared_ptr<Leaf> kept = register_module("kept", std::make_shared<Leaf>()),
                              other = register_module("other", std::make_shared<Leaf>());
    } parent;
    parent.kept->keep_eval();
    CHECK(!parent.kept->training());
    parent.train();
    CHECK(parent.training());
    CHECK(parent.other->training());
    CHECK(!parent.kept->training());
    parent.eval();
    parent.train();
    CHECK(!parent.kept->training());
    parent.kept->keep_eval(false);
    CHECK(!parent.kept->training());
    parent.train();
    CHECK(parent.kept->training());
}

TEST_CASE("A frozen module's parameters get no gradient and an optimizer leaves them alone") {
    Leaf frozen;
    const Tensor weight = frozen.register_parameter("frozen", Tensor::full({2}, 3)),
                 free = Tensor::full({2}, 5).set_requires_grad();
    Sgd optimizer({weight, free}, {.lr = 0.1, .weight_decay = 0.5});
    sum(weight * free).backward();
    frozen.freeze();
    CHECK(!weight.grad().defined());
    optimizer.zero_grad();
    sum(weight * free).backward();
    optimizer.step();
    CHECK(weight.to_vector<float>() == std::vector<float>{3, 3});
    CHECK(free.to_vector<float>().front() < 5);
    frozen.freeze(false);
    sum(weight * free).backward();
    CHECK(weight.grad().defined());
}
