// Checks of the data before the first step: that they are those that the run began with, that their classes are those
// of the weights, and that what a batch is cut into suffices for batch norms and the loss.
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

/// Whether two lists hold the same names, each as often, in whatever order.
bool same_names(std::vector<std::string> one, std::vector<std::string> other);

/// The record of a run's two sets: "train" and "test", the fingerprints (data/fingerprint.h) as objects of "samples",
/// "image" and "content", and "classes", their names, which are those of the folders where classes are folders, and
/// none where they are guessed.
nlohmann::ordered_json data_record(const data::Dataset& train, const data::Dataset& test);

/// What differs between two records, `a` and `b` telling whose they are: "the run had 200 training images, 'larger' has
/// 400" of "the run had" and "'larger' has". Empty where nothing does, or where one is null.
std::string data_difference(const nlohmann::ordered_json& first, const std::string& a,
                            const nlohmann::ordered_json& second, const std::string& b);

/// The record in the config.json of the run in `folder`; null where there is none, as in runs of earlier versions.
nlohmann::ordered_json recorded_data(const std::filesystem::path& folder);

/// Throws Error that says what differs unless `now`, the record of the sets in `data`, is the same as `before`, that of
/// the run called `run`.
void check_same_data(const nlohmann::ordered_json& before, const nlohmann::ordered_json& now,
                     const std::filesystem::path& data, const std::string& run = "the run");

/// Throws Error, naming the first class that differs, when `notes`, those of the file `checkpoint`, name other classes
/// than `set`, which was read from `data`, or the same ones in another order. Where the set's names are guessed, that
/// is returned as a warning. "" where all is well, or either has no names.
std::string check_class_names(const std::filesystem::path& checkpoint, const InputNotes& notes,
                              const data::Dataset& set, const std::filesystem::path& data);

/// How samples become the parts that go through a network at once.
struct BatchCut {
    std::int64_t samples = 0;  ///< of an epoch, or of what is left of one
    std::int64_t batch = 1;    ///< of all ranks together
    std::int64_t ranks = 1, accumulate = 1;
    bool drop_last = false;
};

/// Fewest samples of a part of one rank. 0 where there is no batch at all, or one that leaves a rank without samples.
std::int64_t smallest_part(const BatchCut& cut);

/// Throws Error, with the way out, where no batch would be left, or where a part is so small that a batch norm of
/// `model` would see a single value a channel of images [C, H, W]. `synchronised`: norms see all ranks' parts.
void check_batches(Layer& model, const Shape& image, const BatchCut& cut, bool synchronised);

/// Throws Error, with the way out, where a batch of all ranks has fewer samples than `loss` takes in training
/// (Loss::smallest_batch()).
void check_batches(const Loss& loss, const BatchCut& cut);

}  // namespace radial::train
