// Averages metrics over steps, and converts the results of an epoch to and from JSON.
#include "radial/apps/train/epoch_result.h"

#include "radial/apps/train/run/json_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace radial::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view initial_prefix = "initial_";

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }

/// Returns an object whose keys are those of a line for a loss without metrics, in order.
const Json& own_keys() {
    static const Json keys = to_json(EpochResult{});
    return keys;
}

}  // namespace

std::optional<double> EpochResult::metric(std::string_view name) const {
    const auto found = std::ranges::find(metrics, name, &MetricResult::name);
    return found == metrics.end() ? std::nullopt : std::optional<double>(found->mean);
}

void check_metric_name(std::string_view name) {
    const auto is_allowed = [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
    RADIAL_CHECK(!name.empty() && is_letter(name.front()) && std::ranges::all_of(name, is_allowed),
                 "a metric is called \"{}\", expected lower-case letters, digits and underscores, first a letter",
                 name);
    RADIAL_CHECK(!name.starts_with(initial_prefix), "a metric is called \"{}\", expected a name without \"{}\"", name,
                 initial_prefix);
    // Names that are already in use: the keys of a line, and the tags in the event files for TensorBoard.
    constexpr std::array<std::string_view, 3> tags = {"loss", "accuracy", "learning_rate"};
    RADIAL_CHECK(!own_keys().contains(name) && std::ranges::find(tags, name) == tags.end(),
                 "a metric is called \"{}\", which is the name of another number of a run", name);
}

std::string metric_label(std::string_view name) {
    std::string label(name);
    std::ranges::replace(label, '_', ' ');
    return label;
}

std::string metric_title(std::string_view name) {
    std::string title = metric_label(name);
    if (!title.empty() && is_letter(title[0])) title[0] = static_cast<char>(title[0] - 'a' + 'A');
    return title;
}

std::vector<std::string> metric_names(const std::vector<EpochResult>& history) {
    std::vector<std::string> names;
    for (const EpochResult& epoch : history)
        for (const MetricResult& metric : epoch.metrics)
            if (std::isfinite(metric.mean) && std::ranges::find(names, metric.name) == names.end())
                names.push_back(metric.name);
    return names;
}

void MetricMeans::add(const std::vector<MetricValue>& values) {
    for (const auto& [name, value] : values) {
        auto found = std::ranges::find(sums_, name, &Sum::name);
        if (found == sums_.end()) found = sums_.insert(found, {.name = name, .initial = value});
        found->sum += value;
        ++found->steps;
    }
}

std::vector<MetricResult> MetricMeans::results() const {
    std::vector<MetricResult> results;
    for (const Sum& sum : sums_)
        if (sum.steps > 0) results.push_back({sum.name, sum.sum / static_cast<double>(sum.steps), sum.initial});
    return results;
}

void MetricMeans::clear() {
    for (Sum& sum : sums_) {
        sum.sum = 0;
        sum.steps = 0;
    }
}

Json MetricMeans::state() const {
    Json state = Json::object();
    for (const Sum& sum : sums_) state[sum.name] = {{"initial", sum.initial}, {"sum", sum.sum}, {"steps", sum.steps}};
    return state;
}

void MetricMeans::restore(const Json& state) {
    std::vector<Sum> sums;
    for (const auto& [name, sum] : state.items()) {
        check_metric_name(name);
        sums.push_back(
            {name, real_number(sum, "initial"), real_number(sum, "sum"), whole_number<std::int64_t>(sum, "steps")});
        constexpr std::int64_t most_steps = std::int64_t{1} << 53U;
        const std::int64_t steps = sums.back().steps;
        RADIAL_CHECK(steps >= 0 && steps <= most_steps, "the state is of {} steps with a {}", steps, name);
    }
    sums_ = std::move(sums);
}

Json to_json(const EpochResult& result) {
    Json line = {{"epoch", result.epoch},
                 {"train_loss", result.train_loss},
                 {"train_accuracy", result.train_accuracy},
                 {"test_loss", result.test_loss},
                 {"test_accuracy", result.test_accuracy},
                 {"best_accuracy", result.best_accuracy},
                 {"best_epoch", result.best_epoch},
                 {"images_per_second", result.images_per_second}};
    for (const auto& [name, mean, initial] : result.metrics) {
        line[name] = mean;
        line[fmt::format("{}{}", initial_prefix, name)] = initial;
    }
    line["seconds"] = result.seconds;
    line["lr"] = result.lr;
    line["gradient_norm"] = result.gradient_norm;
    line["peak_bytes"] = result.peak_bytes;
    line["order"] = result.order;
    return line;
}

EpochResult epoch_result(const Json& line) {
    EpochResult result{.epoch = whole_number<std::int64_t>(line, "epoch"),
                       .train_loss = real_number(line, "train_loss"),
                       .train_accuracy = real_number(line, "train_accuracy"),
                       .test_loss = real_number(line, "test_loss"),
                       .test_accuracy = real_number(line, "test_accuracy"),
                       .best_accuracy = real_number(line, "best_accuracy"),
                       .best_epoch = whole_number<std::int64_t>(line, "best_epoch"),
                       .images_per_second = real_number(line, "images_per_second"),
                       .seconds = real_number(line, "seconds"),
                       .lr = real_number(line, "lr"),
                       .gradient_norm = real_number(line, "gradient_norm"),
                       .peak_bytes = whole_number<std::size_t>(line, "peak_bytes"),
                       .order = line.at("order")};
    const auto is_value = [](const Json& value) { return value.is_number() || value.is_null(); };
    for (const auto& [name, mean] : line.items()) {
        if (own_keys().contains(name) || name.starts_with(initial_prefix) || !is_value(mean)) continue;
        const std::string initial = fmt::format("{}{}", initial_prefix, name);
        const bool known = line.contains(initial) && is_value(line.at(initial));
        result.metrics.push_back(
            {name, real_number(line, name.c_str()),
             known ? real_number(line, initial.c_str()) : std::numeric_limits<double>::quiet_NaN()});
    }
    return result;
}

}  // namespace radial::train
