// Checks the limits of a JSON document before it is parsed.
#include "radial/apps/train/run/json_text.h"

#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/core/util/text.h"

#include <algorithm>

namespace radial::train {
namespace {

/// Counts a document's brackets and colons, and throws Error when there are too many. In valid JSON, this function
/// finds the same ends of strings as the parser.
void check_bounds(std::string_view text) {
    constexpr int deepest = 16;
    constexpr std::size_t most = 10000;
    int depth = 0;
    std::size_t names = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string && c == '\\') ++i;
        if (c == '"') in_string = !in_string;
        if (in_string) continue;
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        if (c == ':') ++names;
        RADIAL_CHECK(depth <= deepest, "nested more than {} deep", deepest);
        RADIAL_CHECK(names <= most, "more than {} names", most);
    }
}

}  // namespace

nlohmann::ordered_json parse_json(std::string_view text) {
    check_bounds(text);
    try {
        return nlohmann::ordered_json::parse(text);
    } catch (const nlohmann::json::exception& error) {
        throw Error(fmt::format("not valid JSON: {}", shortened(error.what(), 300)));
    }
}

nlohmann::ordered_json read_json(const std::filesystem::path& path) {
    try {
        return parse_json(read_file(path, most_json_bytes));
    } catch (const Error&) {
        return nlohmann::ordered_json::value_t::discarded;
    }
}

}  // namespace radial::train
