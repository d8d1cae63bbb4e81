// Tests of the network's options on the command line, in config files and in checkpoints.
#include "../../expect.h"
#include "../program.h"
#include "parse_words.h"
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/train/classifier.h"
#include "radial/apps/train/run/input_notes.h"
#include "radial/core/io/safetensors.h"
#include "radial/core/tensor/random.h"

#include <cmath>
#include <fstream>

namespace radial::test {
namespace {

ModelSettings model_settings(const std::vector<std::string>& words, const std::string& config = "") {
    CLI::App app;
    ModelSettings settings;
    train::add_model_options(app, settings);
    parse_words(app, words, config);
    return settings;
}

}  // namespace

TEST_CASE("every option of every network has its flag", "[host]") {
    for (const ModelInfo& info : model_registry())
        for (const auto& [option, value] : info.defaults()) {
            if (value.is_bool())
                CHECK(model_settings({"--model." + option, "true"}) == ModelSettings{{option, true}});
            else
                CHECK(model_settings({"--model." + option, "0.5"}) == ModelSettings{{option, 0.5}});
        }
    CHECK(model_settings({"--model.drop_connect=0.25"}) == ModelSettings{{"drop-connect", 0.25}});
    CHECK(model_settings({}).empty());
}

TEST_CASE("an option of the network is read from JSON and from TOML", "[host]") {
    const ModelSettings expected{{"dropout", 0.5}, {"drop-connect", 0.2}};
    CHECK(model_settings({}, R"({"model.dropout": 0.5, "model.drop-connect": 0.2})") == expected);
    CHECK(model_settings({}, "[model]\ndropout = 0.5\ndrop-connect = 0.2\n") == expected);
}

TEST_CASE("a checkpoint rebuilds its network with the options that it was given", "[host]") {
    const train::ClassifierSpec spec{.model = "densenet-bc-100-12",
                                     .model_settings = {{"dropout", 0.5}},
                                     .dim = 342,
                                     .loss = "softmax",
                                     .loss_settings = {},
                                     .classes = 10};
    const TemporaryFolder folder;
    const train::Classifier saved = train::build_classifier(spec);
    train::save_classifier(folder / "c.safetensors", saved, {});
    CHECK(read_safetensors(folder / "c.safetensors").metadata.at("model.dropout") == "0.5");
    const train::Classifier loaded = train::load_classifier(folder / "c.safetensors");
    CHECK(loaded.spec.model_settings == spec.model_settings);
    const Tensor x = Tensor::full({1, 3, 8, 8}, 1);
    loaded.model->eval();
    saved.model->eval();
    CHECK(differences(loaded.model->forward(x).to_vector<float>(), saved.model->forward(x).to_vector<float>()) == "");
    loaded.model->train();
    CHECK(loaded.model->forward(x).to_vector<float>() != loaded.model->forward(x).to_vector<float>());
}

TEST_CASE("programs take a network's options and refuse those that it does not have", "[host]") {
    const ProgramResult result = run_program(
        "radial-bench",
        "step --model densenet-40-12 --image 8 --model.dropout 0.25 --batch 2 --threads 2 --steps 1 --warmup 0 --json");
    REQUIRE(result.status == 0);
    CHECK(nlohmann::json::parse(result.out).at("model_settings") ==
          nlohmann::json{{"dropout", 0.25}, {"recompute", false}});
    const ProgramResult refused = run_program("radial-bench", "step --model resnet20 --model.dropout 0.25");
    CHECK(refused.status == 1);
    CHECK(refused.first_error() ==
          "radial-bench step: resnet20 has no option \"dropout\"; did you mean recompute? Its options are "
          "zero-init-residual, recompute");
    const ProgramResult named = run_program("radial-bench", "step --model.OPTION 1");
    CHECK(named.status == 2);
}

TEST_CASE("the former name of a network's option is read from flags, config files and checkpoints", "[host]") {
    const ProgramResult result = run_program(
        "radial-bench",
        "step --model resnet20 --image 8 --model.checkpoint 1 --batch 2 --threads 2 --steps 1 --warmup 0 --json");
    REQUIRE(result.status == 0);
    CHECK(nlohmann::json::parse(result.out).at("model_settings").at("recompute") == true);
    CHECK_FALSE(nlohmann::json::parse(result.out).at("model_settings").contains("checkpoint"));
    CHECK(model_settings({"--model.checkpoint", "true"}) == ModelSettings{{"recompute", true}});
    CHECK(model_settings({}, R"({"model.checkpoint": 1.0})") == ModelSettings{{"recompute", true}});
    CHECK(radial::model_settings(*find_model("vgg11"), {{"checkpoint", true}}).at("recompute") == true);
}

TEST_CASE("the deviation of an earlier checkpoint is its std", "[host]") {
    const train::InputNotes notes = train::input_notes({{"mean", "[0.5]"}, {"deviation", "[0.25]"}});
    CHECK(notes.std == std::vector<float>{0.25F});
    CHECK(train::to_metadata(notes).at("std") == "[0.25]");
}

TEST_CASE("replaying a network gives its logits, gradients and losses", "[host]") {
    const TemporaryFolder folder;
    manual_seed(1);
    const auto net = make_model(*find_model("resnet20"), 64);
    TensorFile given;
    for (const auto& [name, tensor] : net->state()) given.tensors.push_back({"model." + name, tensor});
    given.tensors.push_back({"classifier.weight", Tensor::full({10, 64}, 0.1)});
    given.tensors.push_back({"classifier.bias", Tensor::zeros({10})});
    given.tensors.push_back({"images", Tensor::full({2, 3, 8, 8}, 0.5)});
    write_safetensors(folder / "in", given);
    const std::string flags = fmt::format("replay --model resnet20 --threads 2 --steps 3 --input {} --output {}",
                                          (folder / "in").string(), (folder / "out").string());
    CHECK(run_program("radial-bench", flags).first_error() ==
          fmt::format("radial-bench replay: {}: no tensor 'labels'", (folder / "in").string()));
    given.tensors.push_back({"labels", Tensor::from<std::int64_t>({3, 4}, {2})});
    write_safetensors(folder / "in", given);
    REQUIRE(run_program("radial-bench", flags).status == 0);
    const TensorFile out = read_safetensors(folder / "out");
    net->eval();
    CHECK(relative_difference(out.at("eval.feature"), net->forward(given.at("images"))) < 1e-5);
    CHECK(out.at("eval.logits").shape() == Shape{2, 10});
    CHECK(out.at("losses").shape() == Shape{3});
    CHECK(out.at("losses").to_vector<double>()[0] == Approx(std::log(10.0)));  // all logits are equal
    CHECK(out.tensors.size() == 6 + net->named_parameters().size());
    CHECK(out.at("gradient.model.conv1.weight").shape() == Shape{16, 3, 3, 3});
}

}  // namespace radial::test
