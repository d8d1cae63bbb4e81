// Networks and their layers as tables.
#pragma once

#include "radial/models/cost.h"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace radial::zoo {

/// A network of the registry and its cost with a classifier, as published: for ModelInfo's images and classes.
struct ListedModel {
    const ModelInfo* info;
    ModelCost cost;
};

/// The heading of the list of networks, and a network's line in it.
std::string list_heading();
std::string list_line(const ListedModel& model);
nlohmann::ordered_json to_json(const ListedModel& model);

/// Every op of a network on one image, a line each, then its classifier and the totals.
std::string summary_table(const ModelInfo& info);

}  // namespace radial::zoo
