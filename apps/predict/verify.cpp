// The command `verify`: how well the distance of two pictures' features tells whether they are of the same class.
#include "radial/apps/train/verification.h"

#include "radial/apps/cli/eval_results.h"
#include "radial/apps/cli/image_task.h"
#include "radial/apps/cli/option_flags.h"
#include "radial/apps/predict/commands.h"
#include "radial/apps/predict/embed.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/core/io/files.h"
#include "radial/core/util/error.h"
#include "radial/data/csv.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <set>

namespace radial::predict {
namespace {

namespace fs = std::filesystem;
using train::FeatureDistance, train::VerificationMetrics;

struct VerifyOptions : InputOptions {
    fs::path pairs, table, json;
    FeatureDistance distance = FeatureDistance::cosine;
};

/// Two pictures, and whether they are of the same class.
struct Pair {
    fs::path first, other;
    bool same = false;
};

bool same_of(const fs::path& path, const data::CsvRow& row) {
    const std::string& word = row.fields[2];
    if (word == "1" || word == "same") return true;
    if (word == "0" || word == "different") return false;
    throw FileError(fmt::format("{}: line {}: \"{}\", expected 1 or same, or 0 or different", path.string(), row.line,
                                train::shown(word)));
}

/// The pairs of a table, with paths relative to its folder. The first row may be a heading.
std::vector<Pair> read_pairs(const fs::path& path) {
    std::vector<Pair> pairs;
    for (const data::CsvRow& row : data::read_csv(path)) {
        if (row.fields.size() != 3)
            throw FileError(fmt::format("{}: line {}: {} fields, expected 3: two files, and 1 or 0", path.string(),
                                        row.line, row.fields.size()));
        if (row.line == 1 && row.fields == std::vector<std::string>{"first", "other", "same"}) continue;
        const fs::path folder = path.parent_path();
        pairs.push_back({.first = folder / row.fields[0], .other = folder / row.fields[1], .same = same_of(path, row)});
    }
    if (pairs.empty()) throw FileError(path.string() + ": it has no pairs");
    return pairs;
}

/// Writes a row per pair.
void write_table(const fs::path& path, const std::vector<Pair>& pairs, const std::vector<double>& distances) {
    std::string text = "first,other,same,distance\n";
    for (std::size_t i = 0; i < pairs.size(); ++i)
        text += fmt::format("{},{},{},{}\n", train::csv_path(pairs[i].first), train::csv_path(pairs[i].other),
                            pairs[i].same ? 1 : 0, distances[i]);
    write_file(path, text);
}

/// The metrics over the pairs whose pictures can both be read, and the number of other pairs (InputOptions::skip_bad).
struct Verified {
    VerificationMetrics metrics;
    std::int64_t skipped_pairs = 0;
};

/// Prints how many pairs were skipped, if any.
void print_skipped(std::int64_t skipped, std::int64_t all) {
    if (skipped > 0) fmt::print("skipped {} of {} pairs, which have a picture that cannot be read\n", skipped, all);
}

/// Computes the metrics for the pairs of a table.
Verified verify_table(const VerifyOptions& options, StartedNetwork& network) {
    std::vector<Pair> pairs = read_pairs(options.pairs);
    InputOptions input = options;
    std::set<fs::path> seen;
    for (const Pair& pair : pairs)
        for (const fs::path& file : {pair.first, pair.other})
            if (seen.insert(file).second) input.images.push_back(file);
    const Embeddings embeddings = embed(input, network);
    std::map<fs::path, std::int64_t> rows;
    for (std::size_t i = 0; i < embeddings.files.size(); ++i) rows[embeddings.files[i]] = static_cast<std::int64_t>(i);
    const std::int64_t all = std::ssize(pairs);
    std::erase_if(pairs,
                  [&rows](const Pair& pair) { return !rows.contains(pair.first) || !rows.contains(pair.other); });
    const std::int64_t skipped = all - std::ssize(pairs);
    print_skipped(skipped, all);
    std::vector<double> distances, same, different;
    for (const Pair& pair : pairs) {
        const std::int64_t i = rows.at(pair.first), j = rows.at(pair.other);
        distances.push_back(train::row_distances(embeddings.features.rows(i, i + 1), embeddings.features.rows(j, j + 1),
                                                 options.distance)
                                .front());
        (pair.same ? same : different).push_back(distances.back());
    }
    if (!options.table.empty()) write_table(options.table, pairs, distances);
    return {.metrics = train::verification_metrics(same, different), .skipped_pairs = skipped};
}

/// Computes the metrics for all pairs of the pictures in a folder that has a folder for each class.
Verified verify_folder(const VerifyOptions& options, StartedNetwork& network) {
    RADIAL_CHECK(options.images.size() == 1 && fs::is_directory(options.images.front()),
                 "no pairs: give --pairs FILE, or one folder with a folder for each class");
    RADIAL_CHECK(options.table.empty(), "--out: only the pairs of --pairs can be written");
    const data::ImageFolder folder = data::list_image_folder(options.images.front());
    std::map<fs::path, std::int64_t> labels;
    for (std::size_t i = 0; i < folder.files.size(); ++i) labels[folder.files[i]] = folder.labels[i];
    InputOptions input = options;
    input.images = folder.files;
    const Embeddings embeddings = embed(input, network);
    std::vector<std::int64_t> classes;
    for (const fs::path& file : embeddings.files) classes.push_back(labels.at(file));
    const auto pairs_of = [](std::int64_t pictures) { return pictures * (pictures - 1) / 2; };
    const std::int64_t all = pairs_of(std::ssize(folder.files)), skipped = all - pairs_of(std::ssize(classes));
    print_skipped(skipped, all);
    const Tensor targets = Tensor::from(classes, {std::ssize(classes)}, Device{});
    return {.metrics = train::verify_all_pairs(embeddings.features, targets, options.distance),
            .skipped_pairs = skipped};
}

void run_verify(const VerifyOptions& options) {
    RADIAL_CHECK(options.pairs.empty() || options.images.empty(), "--pairs names the pictures; {} was given besides",
                 options.images.front().string());
    StartedNetwork network = start_network(options);
    const Verified found = options.pairs.empty() ? verify_folder(options, network) : verify_table(options, network);
    fmt::print("{}", train::verification_text(found.metrics, options.distance));
    train::check_output();
    if (options.json.empty()) return;
    nlohmann::ordered_json json = train::verification_json(found.metrics, options.distance);
    json["skipped_pairs"] = found.skipped_pairs;
    write_file(options.json, json.dump(2) + "\n");
}

}  // namespace

train::Command verify_command() {
    return {"verify", "Measure how well distances tell whether two pictures are of the same class", [](CLI::App& app) {
                auto options = std::make_shared<VerifyOptions>();
                add_input_flags(app, *options,
                                "A folder with a folder of JPEG and PNG files for each class: all pairs");
                app.add_option("--pairs", options->pairs,
                               "CSV table of pairs instead: two files, relative to the table, and 1 (same class) or 0")
                    ->type_name("FILE");
                train::FlagAdder(app, app.get_help_ptr()->get_group())(
                    "distance", options->distance, "Distance of two features: euclidean, or cosine (1 - cosine)");
                app.add_option("--out", options->table, "Also write the distance of each pair of --pairs as CSV")
                    ->type_name("FILE");
                app.add_option("--json", options->json, "Also write the figures to this file")->type_name("FILE");
                return [options] { train::with_memory_advice(options->batch, [&] { run_verify(*options); }); };
            }};
}

}  // namespace radial::predict
