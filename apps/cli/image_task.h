// Training and evaluating an image classifier from the command line: what the benchmark programs share.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/run/train_options.h"
#include "radial/apps/train/observer.h"
#include "radial/apps/train/precision.h"
#include "radial/data/image_set.h"

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace radial::train {

/// What sets one benchmark program apart from another.
struct ImageTask {
    std::string program;         ///< "radial-mnist"
    std::string set;             ///< folder under RADIAL_DATA
    std::string model;           ///< the network unless --model names another, as ClassifierSpec names it
    std::string model_title;     ///< as people write it
    std::int64_t classes = 0;    ///< 0: as many as the data set names
    bool picture_files = false;  ///< the images are files of any size: --image-size and its kin (PictureOptions)
    std::vector<float> mean, deviation;  ///< of the pixels, in [0, 1]
    data::DatasetReader read;
    bool needs_folder = true;  ///< without one, --data may be left out
    std::string where_to_get;  ///< ends the error about a missing folder
    /// Options of a loss, by its name, that have other defaults here where it stands alone.
    std::map<std::string, LossSettings> loss_defaults;
    ModelSettings model_defaults;  ///< options that have other defaults here, for a network that has them
    TrainOptions defaults;
    /// Makes observers for each run of `train`, called before those that record and save it.
    std::vector<std::function<std::unique_ptr<Observer>()>> observers = {};
};

/// `train`: trains, and writes the run's folder.
Command train_command(const ImageTask& task);
/// `eval`: measures a checkpoint on the test set.
Command eval_command(const ImageTask& task);

/// Sets thread count and precision, prints what they and the device are, and returns the device. Throws Error when
/// there is no such device, or it cannot compute so.
Device start_device(const std::string& device, int threads, Precision precision);
/// Runs `work`. When the device's memory does not suffice, the error also names the flag that helps and its value.
void with_memory_advice(std::int64_t batch, const std::function<void()>& work);
/// The number of classes that samples may have, or of numbers in a target that is not a class. Throws Error when the
/// targets are classes that the set does not name.
std::int64_t outputs_of(const data::Dataset& set);
/// One of a task's two sets. Throws FileError that says where to get it.
std::shared_ptr<data::Dataset> read_set(const ImageTask& task, const std::filesystem::path& folder, bool train);

}  // namespace radial::train
