// Softmax over the logits, sorted, and written down.
#include "radial/apps/predict/ranking.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace radial::predict {
namespace {

void check_scores(std::span<const double> logits, std::size_t row, std::span<const std::filesystem::path> files) {
    const auto found = std::ranges::find_if_not(logits, [](double logit) { return std::isfinite(logit); });
    if (found == logits.end()) return;
    throw NumericError(fmt::format("{}: the score of class {} is {}",
                                   row < files.size() ? files[row].string() : fmt::format("image {}", row),
                                   found - logits.begin(), *found));
}

std::vector<Guess> rank_row(std::span<const double> logits, std::int64_t count) {
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit - largest);
    std::vector<std::int64_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto logit = [&](std::int64_t index) { return logits[static_cast<std::size_t>(index)]; };
    const auto middle = order.begin() + std::min<std::ptrdiff_t>(count, std::ssize(order));
    std::partial_sort(order.begin(), middle, order.end(), [&](std::int64_t a, std::int64_t b) {
        return logit(a) > logit(b) || (logit(a) == logit(b) && a < b);
    });
    std::vector<Guess> guesses;
    for (auto index = order.begin(); index != middle; ++index)
        guesses.push_back({.index = *index, .probability = std::exp(logit(*index) - largest) / sum});
    return guesses;
}

/// Whether a spreadsheet would take a text for a formula.
bool looks_like_formula(const std::string& text) { return text.find_first_of("=+-@\t\r") == 0; }

/// A file that looks like a formula as "./=a.png", which is the same file. Its bytes stay, so that it can be opened,
/// but where some would be commands to a terminal.
std::string path_field(const std::filesystem::path& file) {
    const std::string path = (looks_like_formula(file.string()) ? "./" : "") + file.string();
    const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r';
    });
    return plain ? path : train::shown(path);
}

/// A name that looks like a formula behind an apostrophe, which spreadsheets take for the sign of a text.
std::string name_field(const std::string& name) { return (looks_like_formula(name) ? "'" : "") + train::shown(name); }

/// A field of a CSV table, in quotes where RFC 4180 wants them.
std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

}  // namespace

std::vector<std::vector<Guess>> rank(const Tensor& logits, std::int64_t count,
                                     std::span<const std::filesystem::path> files) {
    const std::vector<double> values = logits.to_vector<double>();
    const auto classes = static_cast<std::size_t>(logits.size(1));
    std::vector<std::vector<Guess>> rankings;
    for (std::size_t i = 0; i < values.size(); i += classes) {
        const auto row = std::span(values).subspan(i, classes);
        check_scores(row, i / classes, files);
        rankings.push_back(rank_row(row, count));
    }
    return rankings;
}

RankingTable::RankingTable(std::vector<std::string> names, std::int64_t count)
    : names_(std::move(names)), text_("file") {
    for (std::int64_t rank = 1; rank <= count; ++rank) text_ += fmt::format(",class_{0},score_{0}", rank);
    text_ += "\n";
}

void RankingTable::add(const std::filesystem::path& file, const std::vector<Guess>& guesses) {
    text_ += csv_field(path_field(file));
    for (const Guess& guess : guesses)
        text_ += fmt::format(",{},{:.6g}", csv_field(name_field(class_name(names_, guess.index))), guess.probability);
    text_ += "\n";
}

std::string class_name(const std::vector<std::string>& names, std::int64_t index) {
    return names.empty() ? fmt::format("{}", index) : names.at(static_cast<std::size_t>(index));
}

}  // namespace radial::predict
