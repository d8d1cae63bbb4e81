// Similarities of classes by their prototypes and by WordNet, as a page and as JSON.
#include "radial/apps/prototypes/class_meanings.h"
#include "radial/apps/prototypes/prototype_pages.h"
#include "radial/apps/report/charts.h"
#include "radial/apps/report/html_page.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/statistics.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace radial::train {
namespace {

using Json = nlohmann::ordered_json;

/// The classes in the order of the page, with their synsets and similarities in WordNet.
struct Meanings {
    std::vector<std::string> names, superclasses;  ///< `superclasses` is empty if there are none
    std::vector<std::size_t> order;                ///< index in the checkpoint of the class at each place
    std::vector<std::string> synsets;
    std::vector<double> similarity;  ///< [classes, classes]

    std::size_t count() const { return names.size(); }
};

/// The similarities of a run and their correlations with those of WordNet.
struct Compared {
    const TrainedRun* run = nullptr;
    ClassSimilarity similarity;  ///< in the order of the page
    double pearson = 0, spearman = 0;
    double within = 0, between = 0;  ///< mean similarity of pairs in one superclass, and of all others
};

/// `matrix` with rows and columns in the order of the page.
std::vector<double> ordered(const std::vector<double>& matrix, const std::vector<std::size_t>& order) {
    std::vector<double> result;
    result.reserve(matrix.size());
    for (const std::size_t row : order)
        for (const std::size_t column : order) result.push_back(matrix[row * order.size() + column]);
    return result;
}

std::map<std::string, std::string> words_in(const std::filesystem::path& file) {
    return file.empty() ? std::map<std::string, std::string>() : read_class_words(file);
}

Meanings meanings_of(const TrainedRun& run, const SimilarityPageOptions& options) {
    const std::vector<std::string>& names = run.notes.class_names;
    const WordNet wordnet(options.wordnet);
    const std::vector<WordNet::Synset> synsets = synsets_of(wordnet, run.notes, words_in(options.synsets));
    const std::vector<std::string> superclasses = superclasses_of(names, words_in(options.superclasses));
    Meanings result;
    result.order = order_by_superclass(names, superclasses);
    for (const std::size_t c : result.order) {
        result.names.push_back(names[c]);
        if (!superclasses.empty()) result.superclasses.push_back(superclasses[c]);
        result.synsets.push_back(wordnet.name_of(synsets[c]));
    }
    for (const std::size_t a : result.order) {
        for (const std::size_t b : result.order) {
            // In the order of the checkpoint, so that the matrix is symmetric even where the order matters to NLTK's
            // rule.
            const auto similarity = wordnet.wup_similarity(synsets[std::min(a, b)], synsets[std::max(a, b)]);
            RADIAL_CHECK(similarity, "WordNet has no common hypernym of {} and {}", wordnet.name_of(synsets[a]),
                         wordnet.name_of(synsets[b]));
            result.similarity.push_back(*similarity);
        }
    }
    return result;
}

/// Throws Error unless each run names its classes, three or more, and all name the same.
void check_classes(const std::vector<TrainedRun>& runs) {
    for (const TrainedRun& run : runs) {
        const std::vector<std::string>& names = run.notes.class_names;
        RADIAL_CHECK(!names.empty(), "{}: the checkpoint does not name its classes", run.name);
        RADIAL_CHECK(names.size() >= 3, "{}: {} classes, expected 3 or more for a correlation", run.name, names.size());
        RADIAL_CHECK(names == runs.front().notes.class_names, "{} and {} have different classes", runs.front().name,
                     run.name);
    }
}

Compared compare(const TrainedRun& run, const Meanings& meanings, Similarity measure) {
    Compared result{.run = &run, .similarity = class_similarity(run.classifier, measure)};
    result.similarity.values = ordered(result.similarity.values, meanings.order);
    const std::size_t classes = meanings.count();
    const std::vector<double> ours = upper_triangle(result.similarity.values, classes);
    const std::vector<double> words = upper_triangle(meanings.similarity, classes);
    result.pearson = pearson_correlation(ours, words);
    result.spearman = spearman_correlation(ours, words);
    if (meanings.superclasses.empty()) return result;
    double same = 0, other = 0;
    for (std::size_t a = 0, pair = 0; a < classes; ++a) {
        for (std::size_t b = a + 1; b < classes; ++b, ++pair) {
            const bool together = meanings.superclasses[a] == meanings.superclasses[b];
            (together ? result.within : result.between) += ours[pair];
            ++(together ? same : other);
        }
    }
    result.within /= same;
    result.between /= other;
    return result;
}

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.4f}", value) : "–"; }
std::string short_number(double value) { return std::isfinite(value) ? fmt::format("{:.3g}", value) : "–"; }

std::string readable(std::string name) {
    std::ranges::replace(name, '_', ' ');
    return name;
}

/// The sizes of the groups of classes with the same superclass.
std::vector<std::size_t> groups_of(const Meanings& meanings) {
    std::vector<std::size_t> sizes;
    for (std::size_t c = 0; c < meanings.superclasses.size(); ++c) {
        if (c == 0 || meanings.superclasses[c] != meanings.superclasses[c - 1]) sizes.push_back(0);
        ++sizes.back();
    }
    return sizes;
}

/// A heat map whose colours span the numbers off the diagonal.
std::string map_of(const std::vector<double>& matrix, const Meanings& meanings, const std::string& description) {
    const std::vector<double> pairs = upper_triangle(matrix, meanings.count());
    const auto [low, high] = std::ranges::minmax_element(pairs);
    return heat_map({.values = matrix,
                     .classes = meanings.count(),
                     .low = *low,
                     .high = *high,
                     .groups = groups_of(meanings),
                     .description = description});
}

/// The 15 pairs of classes whose prototypes are most similar.
TextTable closest_pairs(const Compared& compared, const Meanings& meanings) {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t a = 0; a < meanings.count(); ++a)
        for (std::size_t b = a + 1; b < meanings.count(); ++b) pairs.emplace_back(a, b);
    const auto at = [&](const std::vector<double>& matrix, const auto& pair) {
        return matrix[pair.first * meanings.count() + pair.second];
    };
    std::ranges::stable_sort(pairs, [&](const auto& a, const auto& b) {
        return at(compared.similarity.values, a) > at(compared.similarity.values, b);
    });
    pairs.resize(std::min<std::size_t>(pairs.size(), 15));
    TextTable table{.headers = {"class", "class", "prototypes", "WordNet"}, .rows = {}, .numbers_from = 2};
    for (const auto& pair : pairs) {
        table.rows.push_back({readable(meanings.names[pair.first]), readable(meanings.names[pair.second]),
                              short_number(at(compared.similarity.values, pair)),
                              short_number(at(meanings.similarity, pair))});
    }
    return table;
}

/// The classes in the order of the maps, with the numbers on the axes.
std::string key_of(const Meanings& meanings) {
    std::string html = "<ul class=\"key\">\n";
    const std::vector<std::size_t> groups = groups_of(meanings);
    for (std::size_t group = 0, c = 0; group < groups.size(); ++group) {
        html += fmt::format("<li><b>{} {}</b>: ", group + 1, escape_html(readable(meanings.superclasses[c])));
        for (std::size_t i = 0; i < groups[group]; ++i, ++c)
            html += (i > 0 ? ", " : "") + fmt::format("<span title=\"{}\">{}</span>", escape_html(meanings.synsets[c]),
                                                      escape_html(readable(meanings.names[c])));
        html += "</li>\n";
    }
    for (std::size_t c = 0; groups.empty() && c < meanings.count(); ++c) {
        html += fmt::format("<li><b>{}</b> {}: {}</li>\n", c, escape_html(readable(meanings.names[c])),
                            escape_html(meanings.synsets[c]));
    }
    return html + "</ul>\n";
}

/// The card of one run: what was compared, and the map.
std::string map_card(const Compared& compared, const Meanings& meanings) {
    const std::string& loss = compared.run->classifier.spec.loss;
    std::string note = fmt::format("{}: {}.", compared.run->name, compared.similarity.description);
    if (!meanings.superclasses.empty()) {
        note += fmt::format(" Mean of the pairs within superclasses {}, of all others {}.",
                            short_number(compared.within), short_number(compared.between));
    }
    return html_section(loss, note,
                        map_of(compared.similarity.values, meanings, "Similarity of the prototypes: " + loss));
}

std::string page_of(const Meanings& meanings, const std::vector<Compared>& runs, const std::string& version) {
    TextTable table{.headers = {"run", "loss", "Pearson", "Spearman"}, .rows = {}, .numbers_from = 2};
    std::string maps =
        html_section("WordNet", fmt::format("Wu-Palmer similarity of the class names, WordNet {}.", version),
                     map_of(meanings.similarity, meanings, "Similarity of the class names by WordNet"));
    std::string pairs;
    for (const Compared& each : runs) {
        const std::string& loss = each.run->classifier.spec.loss;
        table.rows.push_back({each.run->name, loss, number(each.pearson), number(each.spearman)});
        maps += map_card(each, meanings);
        pairs += html_section(loss, each.run->name, to_html(closest_pairs(each, meanings)));
    }
    return html_section("Correlation with WordNet",
                        "Of the similarities by prototypes and by names, over all pairs of different classes.",
                        to_html(table)) +
           "<div class=\"runs\">\n" + maps + "</div>\n" + html_section("Classes", "", key_of(meanings)) +
           "<h2>Pairs most alike by their prototypes</h2>\n<div class=\"runs\">\n" + pairs + "</div>\n";
}

/// `matrix` as a list of rows. A number that is not finite is null.
Json rows_of(const std::vector<double>& matrix, std::size_t classes) {
    Json rows = Json::array();
    for (std::size_t row = 0; row < classes; ++row) {
        const auto begin = matrix.begin() + static_cast<std::ptrdiff_t>(row * classes);
        rows.push_back(std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(classes)));
    }
    return rows;
}

Json json_of(const Meanings& meanings, const std::vector<Compared>& runs, const std::string& version) {
    Json json = {{"wordnet_version", version}, {"classes", meanings.names}, {"synsets", meanings.synsets}};
    if (!meanings.superclasses.empty()) json["superclasses"] = meanings.superclasses;
    json["wordnet_similarity"] = rows_of(meanings.similarity, meanings.count());
    json["runs"] = Json::array();
    for (const Compared& each : runs) {
        Json run = {{"run", text_to_json(each.run->name)},
                    {"loss", each.run->classifier.spec.loss},
                    {"measure", option_value(each.similarity.measure).word()},
                    {"pearson", each.pearson},
                    {"spearman", each.spearman}};
        if (!meanings.superclasses.empty()) {
            run["mean_within_superclasses"] = each.within;
            run["mean_between_superclasses"] = each.between;
        }
        run["similarity"] = rows_of(each.similarity.values, meanings.count());
        json["runs"].push_back(std::move(run));
    }
    return json;
}

}  // namespace

std::vector<WordNetCorrelation> write_similarity_page(const SimilarityPageOptions& options) {
    const std::vector<TrainedRun> runs = load_runs(options.runs);
    check_classes(runs);
    const Meanings meanings = meanings_of(runs.front(), options);
    const std::string version = WordNet(options.wordnet).version();
    std::vector<Compared> compared;
    std::vector<WordNetCorrelation> correlations;
    for (const TrainedRun& run : runs) {
        compared.push_back(compare(run, meanings, options.measure));
        correlations.push_back({.pearson = compared.back().pearson, .spearman = compared.back().spearman});
        fmt::print("{}: {}, Pearson {}, Spearman {}\n", shown(run.name), run.classifier.spec.loss,
                   number(compared.back().pearson), number(compared.back().spearman));
    }
    write_file(options.out,
               html_page("Similarity of classes",
                         fmt::format("{} classes by the prototypes of trained classifiers and by WordNet. Lighter "
                                     "squares are more similar pairs; the colours of each map span its own pairs of "
                                     "different classes.",
                                     meanings.count()),
                         page_of(meanings, compared, version)));
    fmt::print("page: {}\n", shown(options.out.string()));
    if (!options.json.empty()) {
        write_file(options.json, json_of(meanings, compared, version).dump() + "\n");
        fmt::print("figures: {}\n", shown(options.json.string()));
    }
    return correlations;
}

}  // namespace radial::train
