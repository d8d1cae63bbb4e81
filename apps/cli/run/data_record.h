// Checks of the data before the first step: that they are the data with which the run began, that their classes are
// those of the weights, and that the parts of a batch are large enough for batch norms and the loss.
#pragma once

#include "radial/apps/train/run/input_notes.h"
#include "radial/core/nn/module.h"
#include "radial/data/dataset.h"
#include "radial/losses/loss.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace radial::train {

/// Whether two lists contain the same names, each the same number of times, in any order.
bool same_names(std::vector<std::string> one, std::vector<std::string> other);

/// The record of a run's two sets. "train" and "test" are their fingerprints (data/fingerprint.h), objects with the
/// keys "samples", "image" and "content". "classes" are the names of the classes: those of the folders if classes are
/// folders, and none if the names are guessed.
nlohmann::ordered_json data_record(const data::Dataset& train, const data::Dataset& test);

/// Describes the first difference between two records. `a` and `b` are the subject and verb for each record: "the run
/// had" and "'larger' has" give the text "the run had 200 training images, 'larger' has 400". Empty if there is no
/// difference or one of the records is null.
std::string data_difference(const nlohmann::ordered_json& first, const std::string& a,
                            const nlohmann::ordered_json& second, const std::string& b);

/// The record in the config.json of the run in `folder`; null if there is none, as in runs of earlier versions.
nlohmann::ordered_json recorded_data(const std::filesystem::path& folder);

/// Throws Error that describes the difference unless `now`, the record of the sets in `data`, is the same as `before`,
/// the record of the run called `run`.
void check_same_data(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                     const std::filesystem::path& data, const std::string& run = "the run");

/// Compares the classes of a checkpoint with those of `set`, which was read from `data`. `notes` are the notes of the
/// file `checkpoint`. Throws Error that names the first class that differs when the names or their order differ. If the
/// set's names are guessed, returns this message as a warning instead. Returns "" if the names are the same, or if
/// either has no names.
std::string check_class_names(const std::filesystem::path& checkpoint, const InputNotes& notes,
                              const data::Dataset& set, const std::filesystem::path& data);

/// How samples are divided into the parts that pass through a network at once.
struct BatchCut {
    std::int64_t samples = 0;  ///< number of samples in an epoch, or in the rest of one
    std::int64_t batch = 1;    ///< batch size over all ranks
    std::int64_t ranks = 1, accumulate = 1;
    bool drop_last = false;
};

/// The smallest number of samples in a part on one rank. 0 if there is no batch, or if a batch leaves a rank without
/// samples.
std::int64_t smallest_part(const BatchCut& cut);

/// Throws Error, which says what to change, when no batch would be left, or when a part is so small that a batch norm
/// of `model` would get a single value per channel from images of the shape `image` [C, H, W]. `synchronised` says
/// whether batch norms use the parts of all ranks.
void check_batches(Layer& model, const Shape& image, const BatchCut& cut, bool synchronised);

/// Throws Error, which says what to change, when a batch has fewer samples over all ranks than `loss` needs in training
/// (Loss::smallest_batch()).
void check_batches(const Loss& loss, const BatchCut& cut);

}  // namespace radial::train
