// Tests of options as fields of a struct, and of access to them by name.
#include "radial/core/util/options.h"
#include "../../expect.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>

namespace radial::test {
namespace {

enum class Colour : std::uint8_t { red, light_green };
constexpr auto words_of(Colour /*value*/) { return std::to_array<std::string_view>({"red", "light-green"}); }

struct Inner {
    double width = 0.5;

    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("width", self.width, "how wide");
    }
};

struct Options {
    bool on = true;
    std::int64_t count = 3;
    int power = 2;
    Colour colour = Colour::red;
    Inner inner{};

    template <class Self, class Visit>
    static void fields(Self& self, Visit&& visit) {
        visit("on", self.on, "whether");
        visit("count", self.count, "how many");
        visit("power", self.power, "exponent");
        visit("colour", self.colour, "which");
        Inner::fields(self.inner, visit);
    }
};

std::string read_error(const Settings& settings) {
    return error_of([&] {
        Options options;
        read_settings("thing", settings, options);
    });
}

}  // namespace

TEST_CASE("the fields of a struct are described with names, defaults, choices and text", "[core][options]") {
    const std::vector<OptionInfo> all = describe_options<Options>();
    REQUIRE(all.size() == 5);
    CHECK(defaults_of(all) == Settings{{"on", true}, {"count", 3}, {"power", 2}, {"colour", "red"}, {"width", 0.5}});
    CHECK(all[3].choices == std::vector<std::string>{"red", "light-green"});
    CHECK(all[4].text == "how wide");
}

TEST_CASE("settings set the fields that they name and no others", "[core][options]") {
    Options options;
    read_settings("thing", {{"on", false}, {"colour", "light-green"}, {"width", 2}, {"unknown", 1}}, options);
    CHECK_FALSE(options.on);
    CHECK(options.count == 3);
    CHECK(options.colour == Colour::light_green);
    CHECK(options.inner.width == 2);
}

TEST_CASE("numbers stand for bools and words, as earlier versions wrote them", "[core][options]") {
    Options options;
    read_settings("thing", {{"on", 0.0}, {"colour", 1.0}, {"count", 4.0}}, options);
    CHECK_FALSE(options.on);
    CHECK(options.colour == Colour::light_green);
    CHECK(options.count == 4);
}

TEST_CASE("a value of the wrong type is refused with what was expected", "[core][options]") {
    CHECK(read_error({{"on", 2}}) == "thing: on is 2, expected true or false");
    CHECK(read_error({{"on", "yes"}}) == "thing: on is yes, expected true or false");
    CHECK(read_error({{"count", 1.5}}) == "thing: count is 1.5, expected a whole number");
    CHECK(read_error({{"count", 1e300}}) == "thing: count is 1e+300, expected a whole number");
    CHECK(read_error({{"width", "wide"}}) == "thing: width is wide, expected a finite number");
    CHECK(read_error({{"width", NAN}}) == "thing: width is nan, expected a finite number");
    CHECK(read_error({{"width", true}}) == "thing: width is true, expected a finite number");
    CHECK(read_error({{"colour", "rde"}}) ==
          "thing: colour is rde, expected one of red, light-green; did you mean red?");
    CHECK(read_error({{"colour", 2}}) == "thing: colour is 2, expected one of red, light-green");
    CHECK(read_error({{"colour", -1}}) == "thing: colour is -1, expected one of red, light-green");
    CHECK(read_error({{"colour", true}}) == "thing: colour is true, expected one of red, light-green");
}

TEST_CASE("complete settings have every option in its type, and refuse a name that is none", "[core][options]") {
    const auto all = describe_options<Options>();
    const Settings complete = complete_settings("thing", all, {{"colour", 1}});
    CHECK(complete.size() == all.size());
    CHECK(complete.at("colour") == "light-green");
    CHECK(error_of([&] {
              complete_settings("thing", all, {{"colur", 1}});
          }) == "thing has no option \"colur\"; did you mean colour? Its options are on, count, power, colour, width");
    CHECK(error_of([] { complete_settings("thing", {}, {{"a", 1}}); }) == "thing has no option \"a\", nor any other");
}

TEST_CASE("an option's former name sets the option of today", "[core][options]") {
    const std::vector<OptionInfo> options = {{.name = "recompute", .value = false, .former = "checkpoint"},
                                             {.name = "width", .value = 2}};
    CHECK(complete_settings("thing", options, {{"checkpoint", 1}}) == Settings{{"recompute", true}, {"width", 2}});
    CHECK(error_of([&] { complete_settings("thing", options, {{"", 1}}); }).starts_with("thing has no option \"\""));
}

TEST_CASE("a value is read from text as a bool, a number or a word, and written as such", "[core][options]") {
    for (const char* const text : {"true", "false", "3", "-7", "0.5", "1e-05", "semi-hard", "9007199254740993"})
        CHECK(OptionValue::parse(text).str() == text);
    CHECK(OptionValue::parse("true").is_bool());
    CHECK(OptionValue::parse("3").is_whole());
    CHECK(OptionValue::parse("3.0") == 3);
    CHECK(OptionValue::parse("3x").is_word());
    CHECK(OptionValue(1) != OptionValue(true));
    CHECK(error_of([] { OptionValue("x").number(); }) == "\"x\" is not a number");
    CHECK(error_of([] { OptionValue(2).word(); }) == "2 is not a word");
    CHECK(error_of([] { OptionValue(2.5).whole(); }) == "2.5 is not a whole number");
}

TEST_CASE("values go to JSON and back in their types", "[core][options]") {
    const Settings settings = {{"a", true}, {"b", 3}, {"c", 0.25}, {"d", "word"}};
    const nlohmann::json json = settings;
    CHECK(json.dump() == R"({"a":true,"b":3,"c":0.25,"d":"word"})");
    CHECK(json.get<Settings>() == settings);
}

}  // namespace radial::test
