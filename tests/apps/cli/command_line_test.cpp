// Tests of the command line: the arguments that it accepts, and its errors for all others.
#include "radial/apps/cli/command_line.h"
#include "../../expect.h"
#include "../program.h"
#include "radial/apps/cli/json_config.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/version.h"

#include <fstream>
#include <sstream>

namespace radial::test {
namespace {

std::string first_error(const std::string& arguments) {
    const ProgramResult result = run_program("radial-mnist", arguments);
    CHECK(result.status == 2);
    CHECK(result.out.empty());
    return result.first_error();
}

/// Returns the error for a config file with the content `text`, in a program whose only option is --rate.
std::string config_error(const std::string& text) {
    CLI::App app;
    double rate = 0;
    app.add_option("--rate", rate);
    const train::JsonConfig config(app);
    std::istringstream input(text);
    return error_of([&] { config.from_config(input); });
}

}  // namespace

TEST_CASE("an unknown flag is refused with the nearest one", "[host]") {
    CHECK(first_error("train --epochz 1") == "radial-mnist train: unknown flag '--epochz'; did you mean --epochs?");
}

TEST_CASE("an unknown flag with its value after an equals sign is refused with the nearest one", "[host]") {
    CHECK(first_error("train --epoch=3") == "radial-mnist train: unknown flag '--epoch'; did you mean --epochs?");
}

TEST_CASE("an unknown flag that resembles nothing is refused without a suggestion", "[host]") {
    CHECK(first_error("train --xyzzy") == "radial-mnist train: unknown flag '--xyzzy'");
}

TEST_CASE("an unknown command is refused with the nearest one", "[host]") {
    CHECK(first_error("trian") == "radial-mnist: unknown command 'trian'; did you mean train?");
}

TEST_CASE("a word that belongs to no flag is refused", "[host]") {
    CHECK(first_error("train twice") == "radial-mnist train: unexpected argument 'twice'");
}

TEST_CASE("a learning rate that is not a number is refused", "[host]") {
    CHECK(first_error("train --lr fast") == "radial-mnist train: --lr: 'fast' is not a number of at least 0");
}

TEST_CASE("a batch of no images is refused", "[host]") {
    CHECK(first_error("train --batch 0") == "radial-mnist train: --batch: '0' is not a number from 1 to 1000000");
}

TEST_CASE("a config file that does not exist is refused", "[host]") {
    CHECK(first_error("train --config /nonexistent/run.json") ==
          "radial-mnist train: /nonexistent/run.json was not readable (missing?)");
}

TEST_CASE("an unknown option in a JSON config file is refused with the nearest one", "[host]") {
    CHECK(config_error(R"({"rat": 1})") == "--config: unknown option 'rat'; did you mean rate?");
}

TEST_CASE("an unknown option in a TOML config file is refused with the nearest one", "[host]") {
    CHECK(config_error("raet = 1\n") == "--config: unknown option 'raet'; did you mean rate?");
}

TEST_CASE("a config file with broken JSON is refused", "[host]") {
    CHECK(config_error("{\"rate\": ").starts_with("--config: not valid JSON: "));
}

TEST_CASE("a config file is refused for more names, depth or bytes than any has", "[host]") {
    std::string many = "{\"a\": 1", deep = "{\"rate\": ";
    for (int i = 0; i < 20'000; ++i) many += fmt::format(", \"a{}\": {{}}", i);
    CHECK(config_error(many + "}") == "--config: more than 10000 names");
    CHECK(config_error(deep + std::string(100'000, '[')) == "--config: nested more than 16 deep");
    constexpr std::size_t length = 17'000'000;
    CHECK(config_error("# " + std::string(length, 'x')) ==
          "--config: more than 16777216 bytes, which no config file has");
    CHECK(config_error("lr = 1\n" + std::string(70'000, '\n')) ==
          "--config: 70007 bytes, at most 65536 are taken unless it is JSON");
    std::string section = " [a";
    for (int i = 0; i < 20; ++i) section += ".a";
    CHECK(config_error(section + "]\nx = 1\n") ==
          "--config: section " + section.substr(1) + "] is nested more than 16 deep");
    // Within a string, brackets and colons are text.
    CHECK(config_error("{\"x\": \"\\\"" + std::string(20'000, ':') + std::string(20, '[') + "\"}") ==
          "--config: unknown option 'x'");
}

TEST_CASE("a run's config that names a hundred thousand classes is read", "[host]") {
    std::vector<std::string> classes;
    classes.reserve(100'000);
    for (int i = 0; i < 100'000; ++i) classes.push_back(fmt::format("class number {}", i));
    const nlohmann::ordered_json config = {{"options", {{"rate", 1}}}, {"data", {{"classes", classes}}}};
    CHECK(config_error(config.dump(2)) == "(no error was thrown)");
}

TEST_CASE("a name of a million letters in a config file is refused, and not printed whole", "[host]") {
    const std::string name(1'000'000, 'a'), shown = std::string(120, 'a') + "... (1000000 bytes)";
    CHECK(config_error("{\"" + name + "\": 1}") == "--config: unknown option '" + shown + "'");
    CHECK(config_error(name.substr(0, 50'000) + " = 1\n") ==
          "--config: unknown option '" + std::string(120, 'a') + "... (50000 bytes)'");
}

TEST_CASE("a nested object in a JSON config file is refused", "[host]") {
    CHECK(config_error(R"({"rate": {"a": 1}})") ==
          "--config: option 'rate' has the value {\"a\":1}, expected a number, text, true, false or a list");
}

TEST_CASE("resolved options read back through a JSON config file are the same", "[host]") {
    const auto parse = [](const std::vector<std::string>& words) {
        CLI::App app;
        double rate = 0.25;
        std::string name = "plain";
        std::vector<double> list;
        bool flag = false;
        app.add_option("--rate", rate)->capture_default_str();
        app.add_option("--name", name)->capture_default_str();
        app.add_option("--list", list)->delimiter(',');
        app.add_flag("--flag", flag);
        app.set_config("--config");
        app.config_formatter(std::make_shared<train::JsonConfig>(app));
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
        return train::resolved_options(app);
    };
    const auto given = parse({"--list", "4,6.5", "--flag", "--name", "two words"});
    CHECK(given.dump() == R"({"rate":0.25,"name":"two words","list":[4,6.5],"flag":true})");
    const TemporaryFolder folder;
    std::ofstream(folder / "config.json") << nlohmann::ordered_json{{"options", given}}.dump();
    CHECK(parse({"--config", (folder / "config.json").string()}) == given);
}

TEST_CASE("a list that is empty by default is written as one and read back", "[host]") {
    const auto parse = [](const std::vector<std::string>& words) {
        CLI::App app;
        std::vector<double> list, filled = {0.5};
        app.add_option("--list", list)->capture_default_str()->delimiter(',');
        app.add_option("--filled", filled)->capture_default_str()->delimiter(',');
        app.set_config("--config");
        app.config_formatter(std::make_shared<train::JsonConfig>(app));
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
        return train::resolved_options(app).dump();
    };
    const std::string options = parse({});
    CHECK(options == R"({"list":[],"filled":[0.5]})");
    const TemporaryFolder folder;
    std::ofstream(folder / "config.json") << options;
    CHECK(parse({"--config", (folder / "config.json").string()}) == options);
}

TEST_CASE("an empty list in a config file leaves the option at its default", "[host]") {
    // Programs built with CLI11 2.4 wrote the third form to config.json.
    const std::string text = GENERATE(R"({"list": []})", R"({"list": "[]"})", R"({"list": "{}"})", "list = []\n");
    CAPTURE(text);
    CLI::App app;
    std::vector<double> list = {1, 2};
    app.add_option("--list", list)->delimiter(',');
    app.set_config("--config");
    app.config_formatter(std::make_shared<train::JsonConfig>(app));
    const TemporaryFolder folder;
    std::ofstream(folder / "config") << text;
    app.parse(std::vector<std::string>{(folder / "config").string(), "--config"});
    CHECK(list == std::vector<double>{1, 2});
}

TEST_CASE("text that looks like a number stays text in a run's settings, and bytes that are no UTF-8 come back",
          "[host]") {
    const auto parse = [](const std::vector<std::string>& words) {
        CLI::App app;
        std::filesystem::path data, out;
        double rate = 0.25;
        std::int64_t count = 1;
        app.add_option("--data", data);
        app.add_option("--out", out);
        app.add_option("--rate", rate)->capture_default_str();
        app.add_option("--count", count)->capture_default_str();
        app.set_config("--config");
        app.config_formatter(std::make_shared<train::JsonConfig>(app));
        app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
        const auto resolved = train::resolved_options(app);
        CHECK(data == "1.10");
        CHECK(out == "B\xe4r");
        return resolved;
    };
    const auto given = parse({"--data", "1.10", "--out", "B\xe4r", "--rate", ".5", "--count", "0x10"});
    CHECK(given.dump() == "{\"data\":\"1.10\",\"out\":{\"latin1\":\"B\xc3\xa4r\"},\"rate\":0.5,\"count\":16}");
    const TemporaryFolder folder;
    std::ofstream(folder / "config.json") << nlohmann::ordered_json{{"options", given}}.dump();
    CHECK(parse({"--config", (folder / "config.json").string()}) == given);
}

TEST_CASE("numbers that are not finite or too large are refused by name, on the command line and in a config file",
          "[host]") {
    const std::string start = "radial-mnist train: ";
    for (const std::string option : {"flip", "random-area", "cutmix", "bucket-mb", "rank-timeout", "momentum", "ema"})
        CHECK(first_error(fmt::format("train --{} nan", option)) ==
              fmt::format("{}--{}: 'nan' is not a finite number", start, option));
    CHECK(first_error("train --loss.scale 1e400") == start + "--loss.scale: '1e400' is not a finite number");
    CHECK(first_error("train --loss.rbf-softmax.gamma=-inf") ==
          start + "--loss.rbf-softmax.gamma: '-inf' is not a finite number");
    CHECK(first_error("train --model.dropout nan") == start + "--model.dropout: 'nan' is not a finite number");
    CHECK(first_error("train --color-jitter 0.1,0.1,nan,0.1") ==
          start + "--color-jitter: 'nan' is not a finite number");
    CHECK(first_error("train --schedule step --milestones nan") ==
          start + "--milestones: 'nan' is not a finite number");
    CHECK(first_error("train --milestones 2,-1") == start + "--milestones: '-1' is not a number of at least 0");
    const std::string seed = first_error("train --seed 18446744073709551616");  // worded by CLI11 2.4 and newer
    CHECK(seed.find("--seed") != std::string::npos);
    CHECK(seed.find("18446744073709551616") != std::string::npos);
    const TemporaryFolder folder;
    write_text(folder / "config.json", R"({"loss.scale": "inf"})");
    CHECK(first_error("train --config " + (folder / "config.json").string()) ==
          start + "--loss.scale: 'inf' is not a finite number");
}

TEST_CASE("an option that a config file has twice is refused", "[host]") {
    CHECK(config_error(R"({"rate": 1, "rate": 2})") == "--config: option 'rate' is there twice");
    CHECK(config_error(R"({"options": {"rate": 1, "rate": 2}})") == "--config: option 'rate' is there twice");
}

TEST_CASE("an empty config file is refused", "[host]") {
    const std::string expected =
        "--config: is empty, expected option names and values, as a run's config.json has them";
    CHECK(config_error("") == expected);
    CHECK(config_error(" \n\n") == expected);
}

TEST_CASE("a run that is resumed is refused another folder to write to", "[host]") {
    const TemporaryFolder folder;
    const std::string run = folder.path().string();
    CHECK(first_error("train --resume " + run + " --out " + run + "/other") ==
          "radial-mnist train: --out: is " + run + "/other, but a run that is resumed goes on in its own folder, " +
              run + "; to keep that as it is, resume a copy of it");
}

TEST_CASE("the command line wins over the config file", "[host]") {
    CLI::App app;
    double rate = 0;
    app.add_option("--rate", rate);
    app.set_config("--config");
    app.config_formatter(std::make_shared<train::JsonConfig>(app));
    const TemporaryFolder folder;
    std::ofstream(folder / "config.toml") << "rate = 1\n";
    app.parse(std::vector<std::string>{(folder / "config.toml").string(), "--config", "2", "--rate"});
    CHECK(rate == 2);
}

TEST_CASE("a suggestion is made only where at most half of the word would change", "[host]") {
    CHECK(train::suggestion("sofmtax", {"rbf-softmax", "softmax"}) == "; did you mean softmax?");
    CHECK(train::suggestion("zzz", {"rbf-softmax", "softmax"}).empty());
    CHECK(train::suggestion("anything", {}).empty());
}

TEST_CASE("help lists the options of a command without groups under one heading", "[host]") {
    const std::string help = run_program("radial-cifar10", "eval --help").out;
    CHECK(help.find("--precision") != std::string::npos);
    CHECK(help.find("--views") != std::string::npos);
    std::size_t headings = 0;
    std::istringstream lines(help);
    for (std::string line; std::getline(lines, line);) headings += line == "Options:" || line == "OPTIONS:" ? 1 : 0;
    CHECK(headings == 1);
}

TEST_CASE("programs with and without subcommands print their version", "[host]") {
    for (const std::string program : {"radial-mnist", "radial-predict"}) {
        const ProgramResult result = run_program(program, "--version");
        CHECK(result.status == 0);
        CHECK(result.out == fmt::format("{} (Radial {})\n", program, train::version));
    }
}

TEST_CASE("help lists the flags and exits well", "[host]") {
    const ProgramResult result = run_program("radial-mnist", "train --help");
    CHECK(result.status == 0);
    for (const std::string flag : {"--data", "--loss", "--dim", "--loss.OPTION", "--list-losses", "--epochs", "--batch",
                                   "--lr", "--seed", "--threads", "--device", "--out", "--config"})
        CHECK(result.out.find("  " + flag + " ") != std::string::npos);
}

}  // namespace radial::test
