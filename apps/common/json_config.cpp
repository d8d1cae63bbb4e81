// A config file's options, from JSON or from TOML.
#include "radial/apps/common/json_config.h"

#include "radial/apps/common/suggestion.h"
#include "radial/core/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace radial::apps {
namespace {

using Json = nlohmann::ordered_json;

std::string as_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::vector<CLI::ConfigItem> items_of(const Json& document) {
    const Json& options = document.contains("options") ? document.at("options") : document;
    RADIAL_CHECK(options.is_object(), "--config: \"options\" is not an object of option names and values");
    std::vector<CLI::ConfigItem> items;
    for (const auto& [name, value] : options.items()) {
        RADIAL_CHECK(!value.is_object() && !value.is_null(),
                     "--config: option '{}' has the value {}, expected a number, text, true, false or a list", name,
                     value.dump());
        CLI::ConfigItem item;
        item.name = name;
        if (!value.is_array()) item.inputs = {as_text(value)};
        for (const Json& element : value.is_array() ? value : Json::array()) item.inputs.push_back(as_text(element));
        // An empty list is the same as not naming the option.
        if (!item.inputs.empty()) items.push_back(std::move(item));
    }
    return items;
}

}  // namespace

std::vector<CLI::ConfigItem> JsonConfig::from_config(std::istream& input) const {
    std::vector<CLI::ConfigItem> read;
    if ((input >> std::ws).peek() == '{') {
        try {
            read = items_of(Json::parse(input));
        } catch (const Json::exception& error) {
            throw Error(fmt::format("--config: not valid JSON: {}", error.what()));
        }
    } else {
        input.clear();
        read = CLI::ConfigTOML::from_config(input);
    }
    std::vector<std::string> names;
    for (const CLI::Option* option : app_.get_options())
        if (option->get_configurable())
            names.insert(names.end(), option->get_lnames().begin(), option->get_lnames().end());
    for (const CLI::ConfigItem& item : read) {
        const bool known = std::find(names.begin(), names.end(), item.fullname()) != names.end();
        RADIAL_CHECK(known, "--config: unknown option '{}'{}", item.fullname(), suggestion(item.fullname(), names));
    }
    return read;
}

}  // namespace radial::apps
