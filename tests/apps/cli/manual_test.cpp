// Tests of manual pages and of completion in bash, by running programs and bash.
#include "../../expect.h"
#include "../program.h"

#include <cstdlib>
#include <regex>
#include <set>
#include <sstream>

namespace radial::test {
namespace {

/// Returns the names of the options in a text, such as "--epochs".
std::set<std::string> options_in(const std::string& text) {
    static const std::regex option("--[a-z][a-z0-9.-]*[a-z0-9]");
    return {std::sregex_token_iterator(text.begin(), text.end(), option), std::sregex_token_iterator()};
}

/// Returns the text of a manual page, without the escapes of its hyphens.
std::string unescaped(const std::string& roff) { return std::regex_replace(roff, std::regex("\\\\-"), "-"); }

/// Returns the completions that bash offers for the last of these words.
std::vector<std::string> completed(const std::string& program, const std::string& words) {
    const TemporaryFolder folder;
    const std::string name = std::regex_replace(program, std::regex("-"), "_");
    write_text(folder / "complete",
               run_program(program, "--bash-completion").out +
                   fmt::format("COMP_WORDS=({0} {1}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n_{2}\n"
                               "printf '%s\\n' \"${{COMPREPLY[@]}}\" > {3}\n",
                               program, words, name, (folder / "out").string()));
    CHECK(std::system(fmt::format("bash {}", (folder / "complete").string()).c_str()) == 0);
    std::istringstream lines(read_text(folder / "out"));
    std::vector<std::string> result;
    for (std::string line; std::getline(lines, line);) result.push_back(line);
    return result;
}

}  // namespace

TEST_CASE("a manual page names every option that --help names", "[host][cli]") {
    const std::string page = unescaped(run_program("radial-mnist", "--manual").out);
    CHECK(page.starts_with(".TH radial-mnist 1 \"\" \"Radial "));
    for (const char* const command : {"train", "eval", "sweep", "download"}) {
        INFO(command);
        CHECK(page.find(fmt::format("\n.SH {}\n", command)) != std::string::npos);
        const std::set<std::string> in_page = options_in(page);
        for (const std::string& option :
             options_in(run_program("radial-mnist", std::string(command) + " --help").out)) {
            INFO(option);
            CHECK(in_page.contains(option));
        }
    }
    const std::string heading = "\n.PP\nModel:\n", train = page.substr(page.find("\n.SH train\n"));
    CHECK(train.find(heading) != std::string::npos);
    CHECK(train.find(heading, train.find(heading) + 1) > train.find("\n.SH eval\n"));
    CHECK(page.find("\n\\fB--epochs\\fR \\fIINT\\fR\n") != std::string::npos);
    CHECK(page.find("(default: sgd)") != std::string::npos);
}

TEST_CASE("a program with one command has a manual page without commands", "[host][cli]") {
    const std::string page = unescaped(run_program("radial-models", "--manual").out);
    CHECK(page.find("\n.SH OPTIONS\n") != std::string::npos);
    CHECK(page.find("\n\\fB--summary\\fR\n") != std::string::npos);
}

TEST_CASE("no line of a manual page begins with a control character of the text", "[host][cli]") {
    const std::set<std::string> macros = {".TH", ".SH", ".B", ".br", ".TP", ".PP"};
    std::istringstream lines(run_program("radial-predict", "--manual").out);
    for (std::string line; std::getline(lines, line);) {
        INFO(line);
        CHECK_FALSE(line.starts_with('\''));
        if (line.starts_with('.')) CHECK(macros.contains(line.substr(0, line.find(' '))));
    }
}

TEST_CASE("bash completes commands, options and values", "[host][cli]") {
    CHECK(completed("radial-mnist", "tr") == std::vector<std::string>{"train"});
    CHECK(completed("radial-mnist", "train --warm") == std::vector<std::string>{"--warmup-epochs", "--warmup-start"});
    CHECK(completed("radial-mnist", "train --optimizer ad") == std::vector<std::string>{"adam", "adamw"});
    CHECK(completed("radial-models", "--summ") == std::vector<std::string>{"--summary"});
}

TEST_CASE("bash completes files where no list of values is known", "[host][cli]") {
    const TemporaryFolder folder;
    write_text(folder / "weights.safetensors", "x");
    CHECK(completed("radial-models", "--weights " + (folder / "wei").string()) ==
          std::vector<std::string>{(folder / "weights.safetensors").string()});
}

}  // namespace radial::test
