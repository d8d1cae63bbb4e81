// Tests of the loss's options on the command line, in config files and in checkpoints.
#include "../../expect.h"
#include "../program.h"
#include "parse_words.h"
#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/registry_options.h"
#include "radial/apps/train/evaluate.h"
#include "radial/core/io/safetensors.h"

#include <fstream>
#include <sstream>

namespace radial::test {
namespace {

const std::string sum_expression = "rbf-softmax + 0.25 * softmax";

/// The loss and its options after a command line and a config file have been parsed.
struct Parsed {
    std::string loss = "rbf-softmax";
    LossSettings settings;
    bool operator==(const Parsed&) const = default;
};

Parsed parse(const std::vector<std::string>& words, const std::string& config = "") {
    CLI::App app;
    Parsed parsed;
    train::add_loss_options(app, parsed.loss, parsed.settings);
    parse_words(app, words, config);
    return parsed;
}

/// Trains for one epoch on 40 images and writes to folder / "run"; the arguments may contain quotes.
ProgramResult train(const TemporaryFolder& folder, const std::string& arguments) {
    if (!std::filesystem::exists(folder / "data")) write_patterns(folder / "data", 40, 20);
    return run_program("radial-mnist",
                       fmt::format("train --dim 2 --epochs 1 --batch 20 --threads 2 --overwrite --data {} --out {} {}",
                                   (folder / "data").string(), (folder / "run").string(), arguments));
}

}  // namespace

TEST_CASE("an option of a loss is given by name, for all terms or for one", "[host]") {
    CHECK(parse({"--loss.scale", "4", "--loss.rbf-softmax.gamma=0.5"}) ==
          Parsed{"rbf-softmax", {{"scale", 4}, {"rbf-softmax.gamma", 0.5}}});
    CHECK(parse({"--loss.prototypes-per-class", "2"}).settings == LossSettings{{"prototypes_per_class", 2}});
    CHECK(parse({"--loss.prototypes_per_class", "2"}).settings == LossSettings{{"prototypes_per_class", 2}});
}

TEST_CASE("every option of every registry entry has its flags", "[host]") {
    const auto check = [](const auto& registry) {
        for (const auto& info : registry) {
            for (const OptionInfo& option : info.options) {
                const OptionValue value = option.value.is_word()   ? option.choices.back()
                                          : option.value.is_bool() ? OptionValue(true)
                                                                   : OptionValue(3);
                for (const std::string& name : {option.name, info.name + "." + option.name})
                    CHECK(parse({"--loss." + name, value.str()}).settings == LossSettings{{name, value}});
            }
        }
    };
    check(loss_registry());
    check(regulariser_registry());
}

TEST_CASE("an option that is a word or a switch is given as one, or as the number of earlier versions", "[host]") {
    for (const std::string word : {"hard", "1", "1.0"})
        CHECK(parse({"--loss.miner", word}).settings == LossSettings{{"miner", "hard"}});
    for (const std::string word : {"false", "0", "0.0"})
        CHECK(parse({"--loss.bias", word}).settings == LossSettings{{"bias", false}});
    CHECK(parse({}, R"({"loss.miner": 2.0, "loss.softmax.bias": 0.0})").settings ==
          LossSettings{{"miner", "semi-hard"}, {"softmax.bias", false}});
    CHECK(error_of([] {
              parse({"--loss.miner", "hrad"});
          }) == "--loss: miner is hrad, expected one of all, hard, semi-hard, distance-weighted; did you mean hard?");
    CHECK(error_of([] { parse({"--loss.bias", "2"}); }) == "--loss: bias is 2, expected true or false");
}

TEST_CASE("an option of the loss is read from JSON and from TOML", "[host]") {
    const Parsed expected{sum_expression, {{"scale", 4}, {"rbf-softmax.gamma", 0.5}}};
    CHECK(parse({}, R"({"loss": "rbf-softmax + 0.25 * softmax", "loss.scale": 4, "loss.rbf-softmax.gamma": 0.5})") ==
          expected);
    CHECK(parse({}, "loss = \"rbf-softmax + 0.25 * softmax\"\nloss.scale = 4\nloss.rbf-softmax.gamma = 0.5\n") ==
          expected);
    CHECK(parse({}, "loss = \"rbf-softmax + 0.25 * softmax\"\n\"loss.scale\" = 4\n[loss.rbf-softmax]\ngamma = 0.5\n") ==
          expected);
    CHECK(parse({}, "loss='rbf-softmax + 0.25 * softmax'\n[loss]\nscale=4\nrbf-softmax.gamma=0.5\n") == expected);
}

TEST_CASE("an unknown option of the loss in a config file is refused with the nearest", "[host]") {
    const auto is_refused = [](const std::string& text) {
        return error_of([&] { parse({}, text); })
            .ends_with("/file: unknown option 'loss.gama'; did you mean loss.gamma?");
    };
    CHECK(is_refused(R"({"loss.gama": 1})"));
    CHECK(is_refused("loss.gama = 1\n"));
    CHECK(is_refused("[loss]\ngama = 1\n"));
}

TEST_CASE("an option on the command line wins over the file's, whichever way that names it", "[host]") {
    CHECK(parse({"--loss.gamma", "3"}, R"({"loss.gamma": 1})").settings == LossSettings{{"gamma", 3}});
    CHECK(parse({"--loss.gamma", "3"}, R"({"loss.rbf-softmax.gamma": 1, "loss.scale": 5})").settings ==
          LossSettings{{"gamma", 3}, {"scale", 5}});
    CHECK(parse({"--loss.rbf-softmax.gamma", "3"}, R"({"loss.gamma": 1})").settings ==
          LossSettings{{"gamma", 1}, {"rbf-softmax.gamma", 3}});
}

TEST_CASE("mistakes in an option of the loss are named with what was meant", "[host]") {
    const auto problem = [](const std::string& arguments) {
        const ProgramResult result = run_program("radial-mnist", "train " + arguments);
        CHECK(result.status == 2);
        return result.first_error();
    };
    CHECK(problem("--loss.gama 1") == "radial-mnist train: unknown flag '--loss.gama'; did you mean --loss.gamma?");
    CHECK(problem("--loss.rbf-sofmax.gamma 1") ==
          "radial-mnist train: unknown flag '--loss.rbf-sofmax.gamma'; did you mean --loss.rbf-softmax.gamma?");
    CHECK(problem("--loss.gamma wide") == "radial-mnist train: Could not convert: --loss.gamma = wide");
    CHECK(problem("--loss.OPTION 1") ==
          "radial-mnist train: --loss.OPTION: put an option's name in OPTION's place, as --loss.scale 2");
    CHECK(problem("--class-weights even").starts_with("radial-mnist train: --class-weights: "));
}

TEST_CASE("an option that the chosen loss lacks, and text that is no loss, end the run before it begins", "[host]") {
    const TemporaryFolder folder;
    CHECK(train(folder, "--loss softmax --loss.gamma 1")
              .first_error()
              .starts_with("radial-mnist train: softmax has no option \"gamma\"; did you mean "));
    CHECK(train(folder, "--loss 'softmax + '").first_error() ==
          "radial-mnist train: loss \"softmax + \", at character 11: expected a loss or a number, but it ends there");
    CHECK_FALSE(std::filesystem::exists(folder / "run"));
}

TEST_CASE("help shows one line for all options of all losses", "[host]") {
    const std::string help = run_program("radial-mnist", "train --help").out;
    CHECK(help.find("  --loss.OPTION ") != std::string::npos);
    CHECK(help.find("--list-losses") != std::string::npos);
    CHECK(help.find("--loss.gamma") == std::string::npos);
}

TEST_CASE("every program that takes a loss lists them all, within 100 columns", "[host]") {
    const std::string list = train::loss_list();
    for (const std::string arguments : {"radial-mnist train", "radial-bench step", "radial-bench parity"}) {
        const std::size_t space = arguments.find(' ');
        const ProgramResult result =
            run_program(arguments.substr(0, space), arguments.substr(space + 1) + " --list-losses");
        CHECK(result.status == 0);
        CHECK(result.out == list);
        CHECK(result.error.empty());
    }
    std::istringstream lines(list);
    for (std::string line; std::getline(lines, line);) {
        INFO(line);
        CHECK(line.size() <= 100);
    }
    const auto check = [&](const auto& registry) {
        for (const auto& info : registry) CHECK(list.find("\n" + info.name + "\n") != std::string::npos);
    };
    check(loss_registry());
    check(regulariser_registry());
    CHECK(list.find("gamma 1, ") != std::string::npos);
}

TEST_CASE("a run with a sum is written, evaluated, repeated and drawn", "[host]") {
    const TemporaryFolder folder;
    const ProgramResult result = train(folder, "--loss '" + sum_expression + "' --loss.gamma 2");
    INFO(result.error);
    REQUIRE(result.status == 0);

    const auto config = nlohmann::json::parse(read_text(folder / "run" / "config.json")).at("options");
    CHECK(config.at("loss") == sum_expression);
    CHECK(config.at("loss.rbf-softmax.gamma") == 2.0);
    CHECK(config.at("loss.softmax.bias") == true);
    CHECK_FALSE(config.contains("loss.gamma"));

    const auto checkpoint = folder / "run" / "checkpoint.safetensors";
    const TensorFile file = read_safetensors(checkpoint);
    CHECK(file.metadata.at("loss") == sum_expression);
    CHECK(file.metadata.at("loss.rbf-softmax.gamma") == "2");
    CHECK(file.at("loss.head.prototypes").shape() == Shape{10, 2});
    CHECK(file.at("loss.term1.weight").shape() == Shape{10, 2});

    const ProgramResult eval = run_program(
        "radial-mnist", fmt::format("eval --checkpoint {} --data {}", checkpoint.string(), (folder / "data").string()));
    INFO(eval.error);
    CHECK(eval.status == 0);
    CHECK(eval.out.find("loss: " + sum_expression + "\n") != std::string::npos);

    const std::string first = read_text(checkpoint);
    std::filesystem::copy_file(folder / "run" / "config.json", folder / "config.json");
    REQUIRE(train(folder, "--config " + (folder / "config.json").string()).status == 0);
    CHECK(differences(read_text(checkpoint), first) == "");
}

TEST_CASE("the step benchmark takes a sum and its options", "[host]") {
    const ProgramResult result =
        run_program("radial-bench", "step --batch 2 --threads 1 --steps 1 --warmup 0 --json --loss '" + sum_expression +
                                        "' --loss.gamma 3");
    INFO(result.error);
    REQUIRE(result.status == 0);
    const auto json = nlohmann::json::parse(result.out);
    CHECK(json.at("loss") == sum_expression);
    CHECK(json.at("loss_settings").at("rbf-softmax.gamma") == 3.0);
}

TEST_CASE("balanced class weights are inversely proportional to the counts, with mean 1", "[host]") {
    const Tensor labels = Tensor::from(std::vector<std::int64_t>{0, 0, 0, 0, 1, 1, 2}, {7}, Device{});
    const std::vector<double> weights = train::balanced_weights(labels, 3);
    CHECK(weights[1] == Approx(2 * weights[0]));
    CHECK(weights[2] == Approx(4 * weights[0]));
    CHECK(weights[0] + weights[1] + weights[2] == Approx(3));
}

TEST_CASE("a class without samples has the weight 0 and does not disturb the others", "[host]") {
    const Tensor labels = Tensor::from(std::vector<std::int64_t>{0, 0, 2, 2}, {4}, Device{});
    CHECK(train::balanced_weights(labels, 3) == std::vector<double>{1, 0, 1});
    CHECK(error_of([&] { train::balanced_weights(labels, 2); }) == "class weights: label 2 is outside [0, 2)");
}

TEST_CASE("balanced class weights change what an unbalanced set is trained to", "[host]") {
    const TemporaryFolder folder;
    // The first 25 images: three of each of the first five classes, two of each other class.
    REQUIRE(train(folder, "--limit 25").status == 0);
    const double plain = read_metrics(folder / "run").front().at("train_loss");
    REQUIRE(train(folder, "--limit 25 --class-weights balanced").status == 0);
    CHECK(read_metrics(folder / "run").front().at("train_loss").get<double>() != plain);
    const auto config = nlohmann::json::parse(read_text(folder / "run" / "config.json"));
    CHECK(config.at("options").at("class-weights") == "balanced");
}

}  // namespace radial::test
