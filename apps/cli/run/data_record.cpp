// Compares the data and the classes of a run with those given now, and checks that the parts of a batch are large
// enough for batch norms and the loss.
#include "radial/apps/cli/run/data_record.h"

#include "radial/apps/train/run/json_text.h"
#include "radial/core/util/error.h"
#include "radial/data/dataset.h"
#include "radial/models/cost.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace radial::train {
namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

/// Names as they are stored in a file's metadata, where bytes that are not UTF-8 are replaced.
Names as_written(const Names& names) {
    return Json::parse(Json(names).dump(-1, ' ', false, Json::error_handler_t::replace)).get<Names>();
}

Json to_json(const data::Fingerprint& print) {
    return {{"samples", print.samples}, {"image", print.image}, {"content", print.content}};
}

/// "the run had 'cat' as class 0, 'b' has 'dog'", or "".
std::string names_difference(const Names& first, const std::string& a, const Names& second, const std::string& b) {
    if (first.size() != second.size()) return fmt::format("{} {} classes, {} {}", a, first.size(), b, second.size());
    const auto [one, other] = std::mismatch(first.begin(), first.end(), second.begin());
    if (one == first.end()) return "";
    return fmt::format("{} '{}' as class {}, {} '{}'{}", a, *one, one - first.begin(), b, *other,
                       same_names(first, second) ? ": the same classes in another order" : "");
}

std::string image_of(const Json& part) {
    const std::string image = part.at("image");
    return image == "files" ? "in files" : "of " + image;
}

}  // namespace

bool same_names(Names one, Names other) {
    std::sort(one.begin(), one.end());
    std::sort(other.begin(), other.end());
    return one == other;
}

Json data_record(const data::Dataset& train, const data::Dataset& test) {
    const Names& names = train.class_folders.empty() ? train.class_names : train.class_folders;
    return {{"train", to_json(fingerprint(train))},
            {"test", to_json(fingerprint(test))},
            {"classes", train.names_are_guessed ? Names{} : as_written(names)}};
}

std::string data_difference(const Json& first, const std::string& a, const Json& second, const std::string& b) {
    if (first.is_null() || second.is_null()) return "";
    const auto classes = [](const Json& record) { return record.at("classes").get<Names>(); };
    std::string text = names_difference(classes(first), a, classes(second), b);
    for (const auto& [part, name] : {std::pair{"train", "training"}, std::pair{"test", "test"}}) {
        if (!text.empty()) return text;
        const Json &one = first.at(part), &other = second.at(part);
        if (one.at("samples") != other.at("samples")) {
            text =
                fmt::format("{} {} {} images, {} {}", a, one.at("samples").dump(), name, b, other.at("samples").dump());
        } else if (one.at("image") != other.at("image")) {
            text = fmt::format("{} {} images {}, {} images {}", a, name, image_of(one), b, image_of(other));
        } else if (one.at("content") != other.at("content")) {
            text = fmt::format("{} as many {} images, but others, or other labels", b, name);
        }
    }
    return text;
}

Json recorded_data(const std::filesystem::path& folder) {
    const Json config = read_json(folder / "config.json");
    return config.is_object() ? config.value("data", Json()) : Json();
}

void check_same_data(const Json& before, const Json& now, const std::filesystem::path& data, const std::string& run) {
    std::string difference;
    try {
        difference = data_difference(before, run + " had", now, fmt::format("'{}' has", data.string()));
    } catch (const Json::exception& error) {
        throw Error(fmt::format("what {} says of its data cannot be read: {}", run, error.what()));
    }
    RADIAL_CHECK(difference.empty(), "--data: {}; a run goes on with the data that it began with, wherever they lie",
                 difference);
}

std::string check_class_names(const std::filesystem::path& checkpoint, const InputNotes& notes,
                              const data::Dataset& set, const std::filesystem::path& data) {
    const Names there = as_written(set.class_names), folders = as_written(set.class_folders);
    const auto known = [&](const Names& names) { return !names.empty() && (names == there || names == folders); };
    const bool by_folder = !notes.class_folders.empty() && !folders.empty();
    const Names &expected = by_folder ? notes.class_folders : notes.class_names, &found = by_folder ? folders : there;
    if (known(notes.class_names) || known(notes.class_folders) || expected.empty() || found.empty()) return "";
    const std::string text =
        fmt::format("{}: {}", checkpoint.string(),
                    names_difference(expected, "has", found, fmt::format("'{}' has", data.string())));
    if (!set.names_are_guessed) throw Error(text);
    return text;
}

namespace {

/// The smallest part of a rank's `count` samples when they are divided as TrainingStep does.
std::int64_t smallest_part_of(std::int64_t count, std::int64_t accumulate) {
    const std::int64_t part = (count + accumulate - 1) / accumulate;
    return part == 0 || count % part == 0 ? part : count % part;
}

/// The smallest part of a whole batch. Some ranks may have one sample more than the others.
std::int64_t smallest_part_of_batch(std::int64_t count, const BatchCut& cut) {
    const std::int64_t fewest = count / cut.ranks, most = (count + cut.ranks - 1) / cut.ranks;
    return std::min(smallest_part_of(fewest, cut.accumulate), smallest_part_of(most, cut.accumulate));
}

std::string described_batch(const BatchCut& cut, bool last) {
    return last ? fmt::format("the last batch of {} of {} images", cut.samples % cut.batch, cut.samples)
                : fmt::format("a batch of {}", std::min(cut.batch, cut.samples));
}

/// The module at a dotted path from `root`, or null.
const Module* module_at(const Module& root, std::string_view path) {
    if (path.empty()) return &root;
    const std::string_view name = path.substr(0, path.find('.'));
    for (const auto& [child_name, child] : root.named_children())
        if (child_name == name) return module_at(*child, path.substr(std::min(path.size(), name.size() + 1)));
    return nullptr;
}

/// The path of the first batch norm that gets a single value per channel from one image in training, or "". Batch norms
/// that are held in evaluation mode are skipped, because they use their running statistics.
std::string norm_of_single_values(Layer& model, const Shape& image) {
    for (const LayerCost& layer : layer_costs(model, image)) {
        if (layer.op != "batch_norm" || layer.output.numel() != layer.output[1]) continue;
        const Module* const norm = module_at(model, layer.module);
        if (norm == nullptr || norm->training()) return layer.module;
    }
    return {};
}

}  // namespace

std::int64_t smallest_part(const BatchCut& cut) {
    const std::int64_t last = cut.drop_last ? 0 : cut.samples % cut.batch;
    const bool full = cut.samples >= cut.batch;
    if (!full) return last == 0 ? 0 : smallest_part_of_batch(last, cut);
    const std::int64_t whole = smallest_part_of_batch(cut.batch, cut);
    return last == 0 ? whole : std::min(whole, smallest_part_of_batch(last, cut));
}

void check_batches(Layer& model, const Shape& image, const BatchCut& cut, bool synchronised) {
    RADIAL_CHECK(!cut.drop_last || cut.samples >= cut.batch,
                 "--drop-last: leaves none of {} images, which make no batch of {}; choose another --batch",
                 cut.samples, cut.batch);
    if (smallest_part(cut) != 1 || (synchronised && cut.ranks > 1)) return;
    const std::string norm = norm_of_single_values(model, image);
    if (norm.empty()) return;
    BatchCut full = cut;
    full.drop_last = true;
    const bool by_last_batch = smallest_part(full) != 1;
    const std::string batch = described_batch(cut, by_last_batch);
    const std::string cut_into =
        cut.ranks * cut.accumulate == 1
            ? ""
            : fmt::format(", in {} part{} on {} rank{},", cut.accumulate, cut.accumulate == 1 ? "" : "s", cut.ranks,
                          cut.ranks == 1 ? "" : "s");
    const bool can_drop = by_last_batch && cut.samples >= cut.batch;
    throw Error(fmt::format(
        "--batch: {}{} leaves the batch norm {} a single value a channel, too few to train on; {} another --batch{}",
        batch, cut_into, norm, can_drop ? "give --drop-last, or" : "choose",
        cut.accumulate > 1 ? " or --accumulate" : ""));
}

void check_batches(const Loss& loss, const BatchCut& cut) {
    const std::int64_t fewest = loss.smallest_batch(), last = cut.drop_last ? 0 : cut.samples % cut.batch;
    const bool by_last_batch = last > 0 && last < fewest;
    if (cut.batch >= fewest && !by_last_batch) return;
    throw Error(fmt::format("--batch: {} is too small for the loss, which takes {} samples or more; {} another --batch",
                            described_batch(cut, by_last_batch && cut.samples >= cut.batch), fewest,
                            by_last_batch && cut.samples >= cut.batch ? "give --drop-last, or" : "choose"));
}

}  // namespace radial::train
