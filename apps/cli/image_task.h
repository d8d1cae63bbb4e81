// Training and evaluation of an image classifier from the command line, shared by the benchmark programs.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/run/train_options.h"
#include "radial/apps/train/observer.h"
#include "radial/apps/train/precision.h"
#include "radial/data/image_set.h"
#include "radial/data/registry.h"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace radial::train {

/// The properties of one benchmark program: its data set, network and defaults.
struct ImageTask {
    std::string program;           ///< "radial-mnist"
    std::string set;               ///< folder of the data set in $RADIAL_DATA; empty: none
    std::string model;             ///< default of --model: a name in the registry of networks
    std::string model_title;       ///< the name as in a title: "LeNets++"
    std::int64_t classes = 0;      ///< number of classes; 0: as in the data set
    bool picture_files = false;    ///< whether images are files of any size (PictureOptions)
    std::vector<float> mean, std;  ///< of pixels in [0, 1]: one number per channel, or one for all channels
    data::DatasetReader read;      ///< reads the training or the test set
    bool needs_folder = true;      ///< whether --data is required
    std::string where_to_get;      ///< where to get the data; appended to the error about a missing folder
    /// Defaults of loss options that differ from the loss's own, by the name of the loss. They do not apply to the
    /// terms of a sum, nor with --recipe.
    std::map<std::string, LossSettings> loss_defaults;
    /// Defaults of --lr that differ from `defaults.lr`, by family of networks (ModelInfo::family). They do not apply
    /// with --recipe or --resume.
    std::map<std::string, double> lr_defaults = {};
    ModelSettings model_defaults;  ///< defaults of network options; those that a network does not have are ignored
    TrainOptions defaults;         ///< defaults of all other options of `train`
    /// Makes observers for each run of `train`. They are called before the observers that record and save the run.
    std::vector<std::function<std::unique_ptr<Observer>()>> observers = {};
};

/// The command `train`: trains a classifier and writes the folder of the run.
Command train_command(const ImageTask& task);
/// The command `eval`: evaluates a checkpoint on the test set.
Command eval_command(const ImageTask& task);
/// The command `check`: completely decodes every picture that `train` and `eval` would read from a folder, names those
/// that cannot be read, and ends with status 1 if there are any. For tasks whose images are files, in the folders
/// train/ and val/.
Command check_command(const ImageTask& task);

/// The "options" of the config.json that the task's `train` would write for `arguments`. Throws Error for arguments
/// that `train` would reject.
nlohmann::ordered_json train_settings(const ImageTask& task, const std::vector<std::string>& arguments);

/// Sets the number of compute threads (0: all cores) and the precision, prints both and the device, and returns the
/// device. Throws Error when the device does not exist or does not support the precision.
Device start_device(const std::string& device, int threads, Precision precision);
/// Runs `work`. When it throws OutOfMemory, rethrows it with the advice to lower --batch from `batch`.
void with_memory_advice(std::int64_t batch, const std::function<void()>& work);
/// The number of classes or, for targets that are not classes, the number of elements of a target. Throws Error when
/// the targets are classes but the set has no class names.
std::int64_t outputs_of(const data::Dataset& set);
/// Reads the training or the test set of a task. Throws FileError when the folder is missing; the message says where to
/// get the data.
std::shared_ptr<data::Dataset> read_set(const ImageTask& task, const std::filesystem::path& folder, bool train);

}  // namespace radial::train
