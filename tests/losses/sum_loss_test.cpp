// Tests of sums of losses and regularisers: built from objects and from expressions, and parsing of expressions.
#include "radial/losses/sum_loss.h"
#include "../core/gradcheck.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/ops.h"
#include "radial/losses/functional.h"
#include "radial/losses/rbf_softmax.h"
#include "radial/losses/softmax.h"

#include <fmt/ranges.h>
#include <filesystem>
#include <set>

namespace radial::test {
namespace {

constexpr std::int64_t classes = 4, dim = 3;

/// A regulariser with a parameter, a metric and access to the prototypes: mean |x - c|^2, plus mean |w|^2 if there are
/// prototypes.
class Pull : public Regulariser {
public:
    Pull() { centre_ = register_parameter("centre", Tensor::full({1, dim}, 0.5)); }
    Tensor forward(const Tensor& feature, const Tensor&, const Tensor& prototypes) override {
        const Tensor pull = mean(square(feature - centre_));
        distance_ = pull.detach();
        return prototypes.defined() ? pull + mean(square(prototypes)) : pull;
    }
    std::vector<LossMetric> metrics() const override {
        if (!distance_.defined()) return {};
        return {{.name = "distance", .description = "Mean square.", .value = distance_}};
    }

private:
    Tensor centre_, distance_;
};

Tensor random_feature(std::int64_t rows, DType dtype = DType::float32) {
    const Tensor x = Tensor::empty({rows, dim}, dtype);
    Generator generator(7);
    normal_(x, 0, 0.5, generator);
    return x;
}

Tensor some_labels(std::int64_t rows) {
    std::vector<std::int64_t> labels;
    for (std::int64_t i = 0; i < rows; ++i) labels.push_back(3 * i % classes);
    return Tensor::from(labels, {rows});
}

std::unique_ptr<Loss> rbf() { return std::make_unique<RbfSoftmax>(RbfSoftmaxOptions{.classes = classes, .dim = dim}); }
std::unique_ptr<Loss> softmax() { return std::make_unique<Softmax>(SoftmaxOptions{.classes = classes, .dim = dim}); }
std::unique_ptr<Regulariser> pull() { return std::make_unique<Pull>(); }

std::vector<std::string> names(const std::vector<NamedTensor>& tensors) {
    std::vector<std::string> all;
    all.reserve(tensors.size());
    for (const NamedTensor& named : tensors) all.push_back(named.name);
    return all;
}

template <class Entries>
std::string joined(const Entries& entries) {
    std::vector<std::string> all;
    all.reserve(entries.size());
    for (const auto& entry : entries) all.push_back(entry.name);
    return all.empty() ? "none" : fmt::format("{}", fmt::join(all, ", "));
}

}  // namespace

TEST_CASE("a sum's value is its head's plus the weighted terms'", "[losses][sum]") {
    auto head = rbf(), term = softmax();
    auto regulariser = pull();
    const Tensor feature = random_feature(6), labels = some_labels(6);
    const double expected = head->forward(feature, labels).item() + 0.25 * term->forward(feature, labels).item() +
                            0.01 * regulariser->forward(feature, labels, head->prototypes()).item();
    const auto sum = std::move(head) + 0.25 * std::move(term) + 0.01 * std::move(regulariser);
    CHECK(sum->forward(feature, labels).item() == Approx(expected));
}

TEST_CASE("a term without a factor counts once", "[losses][sum]") {
    auto head = rbf(), term = softmax();
    const Tensor feature = random_feature(6), labels = some_labels(6);
    const double expected = head->forward(feature, labels).item() + term->forward(feature, labels).item();
    CHECK((std::move(head) + std::move(term))->forward(feature, labels).item() == Approx(expected));
}

TEST_CASE("a sum predicts as its head, with its prototypes and its kernel", "[losses][sum]") {
    auto head = rbf();
    Loss* const inner = head.get();
    const auto sum = std::move(head) + 0.5 * softmax() + pull();
    const Tensor feature = random_feature(6);
    CHECK(differences(sum->logits(feature).to_vector<float>(), inner->logits(feature).to_vector<float>()) == "");
    CHECK(differences(sum->prototypes().to_vector<float>(), inner->prototypes().to_vector<float>()) == "");
    CHECK(sum->metrics().empty());
    sum->forward(feature, some_labels(6));
    REQUIRE(metric_of(*sum, "mean_kernel").defined());
    CHECK(metric_of(*sum, "mean_kernel").item() == metric_of(*inner, "mean_kernel").item());
}

TEST_CASE("a sum reports its head's metrics as they are called, and its terms' with the term before", "[losses][sum]") {
    auto term = rbf();
    Loss* const inner = term.get();
    const auto sum = rbf() + pull() + 0.5 * std::move(term);
    sum->forward(random_feature(6), some_labels(6));
    CHECK(joined(sum->metrics()) == "mean_kernel, term1_distance, term2_mean_kernel");
    CHECK(metric_of(*sum, "term2_mean_kernel").item() == metric_of(*inner, "mean_kernel").item());
}

TEST_CASE("the state of a sum is its head's and its terms', one after the other", "[losses][sum]") {
    const auto sum = rbf() + 0.5 * softmax() + 0.1 * pull();
    const std::vector<std::string> expected = {"head.prototypes", "term1.weight", "term1.bias", "term2.centre"};
    CHECK(names(sum->named_parameters()) == expected);
    CHECK(names(sum->state()) == expected);
    // The names are the same if the sum is built in two steps.
    auto first = rbf() + 0.5 * softmax();
    CHECK(names((std::move(first) + 0.1 * pull())->state()) == expected);
}

TEST_CASE("every parameter of a sum gets its gradient", "[losses][sum]") {
    const auto sum = rbf() + 0.5 * softmax() + 0.1 * pull();
    sum->to(DType::float64);
    std::vector<Tensor> inputs = {random_feature(5, DType::float64)};
    for (const Tensor& parameter : sum->parameters()) inputs.push_back(parameter.clone());
    const Tensor labels = some_labels(5);
    Tensor feature = inputs[0].clone();
    feature.set_requires_grad();
    sum->forward(feature, labels).backward();
    // The same sum composed of plain ops, whose gradients are compared with finite differences.
    const TensorFunction composed = [&](const std::vector<Tensor>& in) {
        const Tensor kernel = rbf_logits(in[0], in[1], 2, 1);
        return cross_entropy(kernel, labels) + 0.5 * cross_entropy(linear(in[0], in[2], in[3]), labels) +
               0.1 * (mean(square(in[0] - in[4])) + mean(square(in[1])));
    };
    CHECK(gradient_problem(composed, inputs) == "");
    for (Tensor& input : inputs) input.set_requires_grad();
    composed(inputs).backward();
    CHECK(relative_difference(feature.grad(), inputs[0].grad()) < 1e-10);
    const std::vector<Tensor> parameters = sum->parameters();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        INFO(i);
        CHECK(relative_difference(parameters[i].grad(), inputs[i + 1].grad()) < 1e-10);
    }
}

TEST_CASE("a sum that was saved and read back is the one that was written", "[losses][sum]") {
    const auto path = std::filesystem::temp_directory_path() / "radial-sum-round-trip.safetensors";
    const auto written = rbf() + 0.5 * softmax() + 0.1 * pull(), read = rbf() + 0.5 * softmax() + 0.1 * pull();
    const Tensor feature = random_feature(6), labels = some_labels(6);
    REQUIRE(written->forward(feature, labels).item() != read->forward(feature, labels).item());
    write_safetensors(path, {.tensors = written->state(), .metadata = {}});
    read->load_state(read_safetensors(path).tensors);
    std::filesystem::remove(path);
    CHECK(written->forward(feature, labels).item() == read->forward(feature, labels).item());
}

TEST_CASE("train and eval reach every term of a sum", "[losses][sum][host]") {
    auto term = pull();
    const Regulariser* const inner = term.get();
    const auto sum = rbf() + 0.1 * std::move(term);
    sum->eval();
    CHECK_FALSE(inner->training());
    sum->train();
    CHECK(inner->training());
}

TEST_CASE("a sum of nothing, or with a factor that is no number, is refused", "[losses][sum][host]") {
    CHECK(error_of([] { SumLoss sum{nullptr}; }) == "SumLoss: the loss is null");
    CHECK(error_of([] { rbf() + 0.1 * std::unique_ptr<Regulariser>(); }) == "SumLoss: a term is null");
    CHECK(error_of([] { rbf() + NAN* softmax(); }) == "SumLoss: a term's weight is nan, expected a finite number");
}

TEST_CASE("a loss that is not a softmax over classes refuses class weights", "[losses][sum][host]") {
    class Bare : public Loss {
    public:
        Tensor forward(const Tensor& feature, const Tensor&) override { return sum(feature); }
        Tensor logits(const Tensor& feature) override { return feature; }
    };
    Bare loss;
    CHECK(error_of([&] {
              loss.set_class_weights({1, 2});
          }) == "class weights: this loss is not a softmax over classes, and has none");
    CHECK_NOTHROW(loss.set_class_weights({}));
}

TEST_CASE("an expression builds the sum that its terms make", "[losses][expression]") {
    const auto sum = make_loss("rbf-softmax + 0.25 * softmax", classes, dim);
    CHECK(names(sum->state()) == std::vector<std::string>{"head.prototypes", "term1.weight", "term1.bias"});
    const Tensor feature = random_feature(6), labels = some_labels(6);
    auto head = rbf(), term = softmax();
    head->load_state({{"prototypes", sum->parameters()[0]}});
    term->load_state({{"weight", sum->parameters()[1]}, {"bias", sum->parameters()[2]}});
    CHECK(sum->forward(feature, labels).item() ==
          Approx(head->forward(feature, labels).item() + 0.25 * term->forward(feature, labels).item()));
}

TEST_CASE("every regulariser can stand behind a loss", "[losses][expression][host]") {
    for (const auto& info : regulariser_registry()) {
        INFO(info.name);
        const auto sum = make_loss("softmax + 0.5 * " + info.name, classes, dim);
        CHECK(names(sum->state())[0] == "head.weight");
        for (const auto& [option, value] : info.defaults())
            CHECK(loss_settings("softmax + 0.5 * " + info.name).at(info.name + "." + option) == value);
    }
}

TEST_CASE("an option of a sum goes to every term that has it", "[losses][expression][host]") {
    const LossSettings settings =
        loss_settings("rbf-softmax + 0.1 * softmax + 0.1 * rbf-softmax", {{"gamma", 3}, {"bias", 0}});
    CHECK(settings.at("rbf-softmax.gamma") == 3);
    CHECK(settings.at("rbf-softmax.scale") == 2);
    CHECK(settings.at("softmax.bias") == false);
    CHECK(make_loss("rbf-softmax + softmax", classes, dim, {{"bias", 0}})->parameter_count() == 2 * classes * dim);
}

TEST_CASE("an option with a term's name goes to that term alone and wins", "[losses][expression][host]") {
    CHECK(make_loss("rbf-softmax + softmax", classes, dim, {{"softmax.bias", 0}})->parameter_count() ==
          2 * classes * dim);
    CHECK(loss_settings("rbf-softmax + softmax", {{"rbf-softmax.gamma", 5}, {"gamma", 3}}).at("rbf-softmax.gamma") ==
          5);
    CHECK(loss_settings("rbf-softmax", {{"rbf-softmax.gamma", 5}}).at("gamma") == 5);
}

TEST_CASE("a loss's settings build the same loss again", "[losses][expression][host]") {
    for (const std::string expression : {"softmax", "rbf-softmax + 0.1 * softmax"}) {
        const LossSettings settings = loss_settings(expression, {{"bias", 0}});
        CHECK(loss_settings(expression, settings) == settings);
        CHECK_NOTHROW(make_loss(expression, classes, dim, settings));
    }
}

TEST_CASE("an option that no term has is refused with the nearest", "[losses][expression][host]") {
    const auto problem = [](const std::string& option) {
        const std::string message = error_of([&] { make_loss("rbf-softmax + softmax", classes, dim, {{option, 1}}); });
        return message.substr(0, message.find(" Its options"));
    };
    CHECK(problem("gama") == "rbf-softmax + softmax has no option \"gama\"; did you mean gamma?");
    CHECK(problem("softmax.bais") ==
          "rbf-softmax + softmax has no option \"softmax.bais\"; did you mean softmax.bias?");
    CHECK(problem("softmax.gamma").starts_with("rbf-softmax + softmax has no option \"softmax.gamma\"; did you mean "));
    CHECK(error_of([] {
              loss_settings("softmax", {{"bais", 1}});
          }).starts_with("softmax has no option \"bais\"; did you mean bias? Its options are bias"));
}

TEST_CASE("an unknown term of a sum is refused with the nearest", "[losses][expression][host]") {
    CHECK(error_of([] { make_loss("softmax + 0.1 * rbf-sofmax", classes, dim); }) ==
          "no regulariser or loss is called \"rbf-sofmax\"; did you mean rbf-softmax? The regularisers are " +
              joined(regulariser_registry()) + "; the losses are " + joined(loss_registry()));
    CHECK(error_of([] { make_loss("rbf-sofmax + 0.1 * softmax", classes, dim); }) ==
          "no loss is called \"rbf-sofmax\"; did you mean rbf-softmax? The losses are " + joined(loss_registry()));
}

TEST_CASE("a regulariser cannot stand first", "[losses][expression][host]") {
    for (const auto& info : regulariser_registry()) {
        const auto& losses = loss_registry();
        if (std::any_of(losses.begin(), losses.end(), [&](const auto& loss) { return loss.name == info.name; }))
            continue;
        CHECK(error_of([&] { find_loss(info.name); }) ==
              info.name + " is a regulariser, which cannot predict: put it behind a loss, as \"softmax + 0.01 * " +
                  info.name + "\"");
    }
}

TEST_CASE("every entry of the registries can be read in an expression and has plain option names",
          "[losses][expression][host]") {
    const auto check = [](const auto& registry) {
        std::set<std::string> seen;
        for (const auto& info : registry) {
            INFO(info.name);
            CHECK(parse_expression(info.name) == std::vector<ExpressionTerm>{{1, info.name}});
            CHECK(seen.insert(info.name).second);
            CHECK_FALSE(info.formula.empty());
            CHECK_FALSE(info.source.empty());
            for (const auto& [option, value] : info.defaults())
                CHECK(option.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string::npos);
        }
    };
    check(loss_registry());
    check(regulariser_registry());
}

TEST_CASE("a name alone is one term of weight 1", "[losses][expression][host]") {
    CHECK(parse_expression("rbf-softmax") == std::vector<ExpressionTerm>{{1, "rbf-softmax"}});
}

TEST_CASE("a sum is read with or without spaces", "[losses][expression][host]") {
    const std::vector<ExpressionTerm> expected = {{1, "softmax"}, {0.01, "ring"}, {1, "triplet"}};
    CHECK(parse_expression("softmax + 0.01 * ring + triplet") == expected);
    CHECK(parse_expression("softmax+0.01*ring+triplet") == expected);
    CHECK(parse_expression("  softmax +\t0.01* ring   + 1 *triplet ") == expected);
}

TEST_CASE("factors are written as numbers usually are", "[losses][expression][host]") {
    const auto factor = [](const std::string& number) { return parse_expression("a + " + number + " * b")[1].weight; };
    CHECK(factor("1e-3") == 1e-3);
    CHECK(factor("2.5E+1") == 25);
    CHECK(factor(".5") == 0.5);
    CHECK(factor("3") == 3);
    CHECK(factor("-0.1") == -0.1);
    CHECK(parse_expression("a+1e-3*b")[1].weight == 1e-3);
}

TEST_CASE("the first term may have the factor 1 and no other", "[losses][expression][host]") {
    CHECK(parse_expression("1 * a") == std::vector<ExpressionTerm>{{1, "a"}});
    CHECK(error_of([] { parse_expression(" 0.5 * a + b"); }) ==
          "loss \" 0.5 * a + b\", at character 2: the first term predicts and has no factor, this one has 0.5");
}

TEST_CASE("text that is no sum is refused at the character where it goes wrong", "[losses][expression][host]") {
    const auto problem = [](const std::string& text) {
        const std::string message = error_of([&] { parse_expression(text); }), start = "loss \"" + text + "\", ";
        CHECK(message.starts_with(start));
        return message.substr(std::min(start.size(), message.size()));
    };
    CHECK(problem("") == "at character 1: expected a loss or a number, but it ends there");
    CHECK(problem("   ") == "at character 4: expected a loss or a number, but it ends there");
    CHECK(problem("a + * b") == "at character 5: expected a loss or a number, not \"*\"");
    CHECK(problem("a +") == "at character 4: expected a loss or a number, but it ends there");
    CHECK(problem("a b") == "at character 3: expected \"+\", not \"b\"");
    CHECK(problem("a - 0.1 * b") == "at character 3: expected \"+\", not \"-\"");
    CHECK(problem("a + 0.1 b") == "at character 9: expected \"*\", not \"b\"");
    CHECK(problem("a + 0.1") == "at character 8: expected \"*\", but it ends there");
    CHECK(problem("a + 0.1 * 2") == "at character 11: expected a loss, not \"2\"");
    CHECK(problem("a + 0.1 *") == "at character 10: expected a loss, but it ends there");
    CHECK(problem("a * 2") == "at character 3: expected \"+\", not \"*\"");
    CHECK(problem("a + 1,5 * b") == "at character 6: expected \"*\", not \",\"");
    CHECK(problem("a + λ * b") == "at character 5: expected a loss or a number, not \"λ\"");
    CHECK(problem("a + 1e999 * b") == "at character 5: this number is too large or too small");
    CHECK(problem("(a)") == "at character 1: expected a loss or a number, not \"(\"");
}

TEST_CASE("infinity and not-a-number are names, not factors", "[losses][expression][host]") {
    CHECK(error_of([] { parse_expression("a + inf * b"); }) ==
          "loss \"a + inf * b\", at character 9: expected \"+\", not \"*\"");
    CHECK(error_of([] { parse_expression("a + -inf * b"); }) ==
          "loss \"a + -inf * b\", at character 5: this number is too large or too small");
}

}  // namespace radial::test
