// Parsing of JSON that may be anybody's.
#pragma once

#include <nlohmann/json.hpp>

#include <string_view>

namespace radial::apps {

/// Parses a document whose objects have at most 10,000 names together, nested at most 16 deep: enough for all that the
/// programs read, and so little that looking names up one after another, as ordered_json does, takes no time. Throws
/// Error that says what is wrong.
nlohmann::ordered_json parse_json(std::string_view text);

}  // namespace radial::apps
