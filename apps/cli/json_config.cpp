// Reads the options of a config file, from JSON or from TOML.
#include "radial/apps/cli/json_config.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/json_text.h"
#include "radial/core/util/error.h"
#include "radial/core/util/text.h"
#include "radial/losses/loss.h"
#include "radial/models/registry.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <sstream>
#include <string_view>
#include <unordered_set>

namespace radial::train {
namespace {

using Json = nlohmann::ordered_json;

std::vector<CLI::ConfigItem> items_of(const Json& document) {
    const Json& options = document.contains("options") ? document.at("options") : document;
    RADIAL_CHECK(options.is_object(), "\"options\" is not an object of option names and values");
    std::vector<CLI::ConfigItem> items;
    for (const auto& [name, value] : options.items()) {
        RADIAL_CHECK((!value.is_object() || is_latin1_text(value)) && !value.is_null(),
                     "option '{}' has the value {}, expected a number, text, true, false or a list", shortened(name),
                     shortened(value.dump()));
        CLI::ConfigItem item;
        item.name = name;
        if (!value.is_array()) item.inputs = {text_from_json(value)};
        for (const Json& element : value.is_array() ? value : Json::array())
            item.inputs.push_back(text_from_json(element));
        items.push_back(std::move(item));
    }
    return items;
}

/// For each option of the network or the loss that the file sets neither by its own name nor by the general one
/// ("loss.gamma" for "loss.rbf-softmax.gamma"), adds the value in `defaults`. The names of these options begin with
/// `prefix`.
void add_missing(std::vector<CLI::ConfigItem>& items, const std::string& prefix, const Settings& defaults,
                 const CLI::App& app) {
    std::set<const CLI::Option*> named;
    for (const CLI::ConfigItem& item : items) named.insert(app.get_option_no_throw("--" + item.name));
    named.erase(nullptr);
    for (const auto& [option, value] : defaults) {
        const std::string name = prefix + option, general = prefix + option.substr(option.rfind('.') + 1);
        const CLI::Option* const flag = app.get_option_no_throw("--" + name);
        if (flag == nullptr || named.contains(flag) || named.contains(app.get_option_no_throw("--" + general)))
            continue;
        CLI::ConfigItem item;
        item.name = name;
        item.inputs = {value.str()};
        items.push_back(std::move(item));
    }
}

/// Adds the options of the network and the loss that a run's config.json lacks. The file contains all of them, so a
/// missing option is newer than the run, which behaved as with the default of the registry. The program's own default
/// may have changed since.
void complete_record(const Json& document, const CLI::App& app, std::vector<CLI::ConfigItem>& items) {
    if (!document.contains("program") || !document.contains("options")) return;
    const Json& options = document.at("options");
    const auto chosen = [&](const char* name) {
        const CLI::Option* const flag = app.get_option_no_throw("--" + std::string(name));
        const std::string recorded =
            options.contains(name) && options.at(name).is_string() ? options.at(name) : Json("");
        return flag == nullptr || (flag->count() > 0 && flag->as<std::string>() != recorded) ? "" : recorded;
    };
    if (const ModelInfo* const model = find_model(chosen("model")); model != nullptr)
        add_missing(items, "model.", model->defaults(), app);
    const std::string loss = chosen("loss");
    if (loss.empty()) return;
    try {
        add_missing(items, "loss.", loss_settings(loss), app);
    } catch (const Error&) {  // an unknown loss; building it will report the error
        return;
    }
}

/// Reads a whole config file. The size is limited, because a pipe or a device may have no end.
std::string read_all(std::istream& input) {
    constexpr std::size_t step = 65536;
    std::string text;
    do {
        const std::size_t held = text.size();
        text.resize(held + step);
        input.read(text.data() + held, step);
        text.resize(held + static_cast<std::size_t>(input.gcount()));
        RADIAL_CHECK(text.size() <= most_json_bytes, "more than {} bytes, which no config file has", most_json_bytes);
    } while (input);
    RADIAL_CHECK(text.find('\0') == std::string::npos, "not a text file");
    return text;
}

/// Checks the size, because the time and memory of CLI11's reader are quadratic in the length of a line and the depth
/// of a section.
void check_toml(const std::string& text) {
    constexpr std::size_t most = std::size_t{64} << 10U;
    constexpr std::ptrdiff_t deepest = 16;
    RADIAL_CHECK(text.size() <= most, "{} bytes, at most {} are taken unless it is JSON", text.size(), most);
    std::istringstream lines(text);
    for (std::string line; std::getline(lines >> std::ws, line);) {
        const bool deep = line.starts_with('[') && std::count(line.begin(), line.end(), '.') > deepest;
        RADIAL_CHECK(!deep, "section {} is nested more than {} deep", shortened(line), deepest);
    }
}

/// Throws Error for a name that occurs twice in an object, of which the parser would silently keep only the last value.
class TwiceCheck : public nlohmann::json_sax<Json> {
public:
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return enter(); }
    bool key(string_t& name) override {
        RADIAL_CHECK(names_.back().insert(name).second, "option '{}' is there twice", shortened(name));
        return true;
    }
    bool end_object() override { return leave(); }
    bool start_array(std::size_t) override { return enter(); }
    bool end_array() override { return leave(); }
    bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

private:
    bool enter() {
        names_.emplace_back();
        return true;
    }
    bool leave() {
        names_.pop_back();
        return true;
    }

    std::vector<std::set<std::string>> names_;  ///< the names in each object or list that is open
};

/// Throws Error when an object in a JSON text contains a name twice.
void check_names_once(const std::string& text) {
    TwiceCheck check;
    Json::sax_parse(text, &check);
}

/// Joins names that CLI11 has split. CLI11 treats loss.scale and [loss] as parts of a subcommand; here, names may
/// contain dots.
void flatten(std::vector<CLI::ConfigItem>& items) {
    std::erase_if(items, [](const CLI::ConfigItem& item) { return item.name == "++" || item.name == "--"; });
    for (CLI::ConfigItem& item : items) {
        item.name = item.fullname();
        item.parents.clear();
        if (item.name.size() > 1 && item.name.front() == '"' && item.name.back() == '"')
            item.name = item.name.substr(1, item.name.size() - 2);
    }
}

/// Whether the item is an empty list, [] in JSON or TOML. CLI11 2.4 writes an empty list as {}, which it cannot read
/// back, and the config.json of existing runs contains {}.
bool is_empty_list(const CLI::ConfigItem& item, const CLI::Option& option) {
    if (item.inputs.empty()) return true;
    if (option.get_items_expected_max() <= 1 || item.inputs.size() > 1) return false;
    const std::string& text = item.inputs.front();
    return text.empty() || text == "[]" || text == "{}";
}

}  // namespace

std::vector<CLI::ConfigItem> JsonConfig::from_config(std::istream& input) const {
    const CLI::Option* const given = app_.get_config_ptr();
    const std::string name = given != nullptr && given->count() > 0 ? given->as<std::string>() : "--config";
    try {
        return read(read_all(input));
    } catch (const std::exception& error) {
        throw Error(fmt::format("{}: {}", name, error.what()));
    }
}

std::vector<CLI::ConfigItem> JsonConfig::read(const std::string& text) const {
    std::vector<CLI::ConfigItem> read;
    std::istringstream input(text);
    (input >> std::ws).peek();
    RADIAL_CHECK(input.good(), "is empty, expected option names and values, as a run's config.json has them");
    if (input.peek() == '{') {
        const Json document = parse_json(text);
        check_names_once(text);
        read = items_of(document);
        complete_record(document, app_, read);
    } else {
        check_toml(text);
        input.clear();
        input.seekg(0);
        read = CLI::ConfigTOML::from_config(input);
    }
    flatten(read);
    std::vector<std::string> names;
    for (const CLI::Option* option : app_.get_options())
        if (option->get_configurable())
            names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
    const std::unordered_set<std::string_view> known(names.begin(), names.end());
    std::set<const CLI::Option*> given;
    for (const CLI::ConfigItem& item : read) {
        const std::string name = item.fullname();
        RADIAL_CHECK(known.contains(name), "unknown option '{}'{}", shortened(name), suggestion(name, names));
        const bool first = given.insert(app_.get_option_no_throw("--" + name)).second;
        RADIAL_CHECK(first, "option '{}' is there twice", name);
    }
    // An empty list is the same as an option that is not given.
    std::erase_if(read, [this](const CLI::ConfigItem& item) {
        const CLI::Option* const option = app_.get_option_no_throw("--" + item.name);
        return is_overridden(item.name) || (option != nullptr && is_empty_list(item, *option));
    });
    return read;
}

bool JsonConfig::is_overridden(const std::string& name) const {
    const std::size_t first = name.find('.'), last = name.rfind('.');
    if (first == last) return false;
    const CLI::Option* const general = app_.get_option_no_throw("--" + name.substr(0, first) + name.substr(last));
    return general != nullptr && general->count() > 0;
}

}  // namespace radial::train
