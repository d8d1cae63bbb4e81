// Entries of losses that are sums, and numbers read from settings.
#include "radial/losses/with_term.h"

#include "radial/core/util/error.h"
#include "radial/losses/sum_loss.h"

#include <cmath>

namespace radial {

LossInfo with_term(LossInfo entry, LossInfo head, RegulariserInfo term, double lambda) {
    entry.defaults = head.defaults;
    entry.defaults.insert(term.defaults.begin(), term.defaults.end());
    entry.defaults["lambda"] = lambda;
    entry.make = [name = entry.name, make_head = std::move(head.make), make_term = std::move(term.make)](
                     std::int64_t classes, std::int64_t dim, const LossSettings& settings) {
        const double weight = settings.at("lambda");
        RADIAL_CHECK(weight >= 0 && std::isfinite(weight), "{}: lambda is {}, expected a number of at least 0", name,
                     weight);
        return make_head(classes, dim, settings) + weight * make_term(classes, dim, settings);
    };
    return entry;
}

std::int64_t whole_number(std::string_view loss, const LossSettings& settings, const std::string& option) {
    const double value = settings.at(option);
    constexpr double limit = 1e15;  // whole numbers are exact below it
    RADIAL_CHECK(std::abs(value) < limit && value == std::floor(value), "{}: {} is {}, expected a whole number", loss,
                 option, value);
    return static_cast<std::int64_t>(value);
}

}  // namespace radial
