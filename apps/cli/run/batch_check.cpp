// Cutting an epoch's batches on paper, and looking at the sizes that batch norms see.
#include "radial/apps/cli/run/batch_check.h"

#include "radial/core/util/error.h"
#include "radial/models/cost.h"

#include <algorithm>
#include <string>

namespace radial::train {
namespace {

/// Of `count` samples of a rank, cut as TrainingStep does.
std::int64_t smallest_part_of(std::int64_t count, std::int64_t accumulate) {
    const std::int64_t part = (count + accumulate - 1) / accumulate;
    return part == 0 || count % part == 0 ? part : count % part;
}

/// Of a whole batch. The ranks have as many samples or one more.
std::int64_t smallest_part_of_batch(std::int64_t count, const BatchCut& cut) {
    const std::int64_t fewest = count / cut.ranks, most = (count + cut.ranks - 1) / cut.ranks;
    return std::min(smallest_part_of(fewest, cut.accumulate), smallest_part_of(most, cut.accumulate));
}

std::string described_batch(const BatchCut& cut, bool last) {
    return last ? fmt::format("the last batch of {} of {} images", cut.samples % cut.batch, cut.samples)
                : fmt::format("a batch of {}", std::min(cut.batch, cut.samples));
}

/// The first batch norm for which one image has a single value a channel, or "".
std::string norm_of_single_values(Layer& model, const Shape& image) {
    for (const LayerCost& layer : layer_costs(model, image))
        if (layer.op == "batch_norm" && layer.output.numel() == layer.output[1]) return layer.module;
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
