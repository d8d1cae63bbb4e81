// Every loss by name. A new loss is one line in loss_registry().
#include "radial/core/error.h"
#include "radial/core/text.h"
#include "radial/losses/loss.h"
#include "radial/losses/rbf_softmax.h"
#include "radial/losses/softmax.h"

#include <fmt/ranges.h>

#include <algorithm>

namespace radial {

const std::vector<LossInfo>& loss_registry() {
    static const std::vector<LossInfo> registry = {
        Softmax::info(),
        RbfSoftmax::info(),
    };
    return registry;
}

const LossInfo& find_loss(std::string_view name) {
    const auto& registry = loss_registry();
    const auto found =
        std::find_if(registry.begin(), registry.end(), [&](const auto& info) { return info.name == name; });
    if (found != registry.end()) return *found;
    std::vector<std::string> names;
    names.reserve(registry.size());
    for (const auto& info : registry) names.push_back(info.name);
    throw Error(fmt::format("no loss is called \"{}\"; did you mean {}? The losses are {}", name, nearest(name, names),
                            fmt::join(names, ", ")));
}

std::unique_ptr<Loss> make_loss(std::string_view name, std::int64_t classes, std::int64_t dim,
                                const LossSettings& settings) {
    const LossInfo& info = find_loss(name);
    LossSettings complete = info.defaults;
    std::vector<std::string> options;
    for (const auto& [option, value] : info.defaults) options.push_back(option);
    for (const auto& [option, value] : settings) {
        RADIAL_CHECK(complete.contains(option), "{} has no option \"{}\"; did you mean {}? Its options are {}",
                     info.name, option, nearest(option, options), fmt::join(options, ", "));
        complete[option] = value;
    }
    return info.make(classes, dim, complete);
}

}  // namespace radial
