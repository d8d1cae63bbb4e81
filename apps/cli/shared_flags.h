// Flags that several commands share: data, device, precision, pictures, augmentation, and those of TrainOptions.
#pragma once

#include "radial/apps/cli/cli_forward.h"
#include "radial/apps/cli/run/train_options.h"

#include <filesystem>
#include <string>

namespace radial::train {

/// Adds a flag for every member; see add_loss_options() and add_model_options() for those of the loss and of
/// the model.
void add_train_options(CLI::App& app, TrainOptions& options);

/// Adds --data. Its default is the folder `set` under RADIAL_DATA where that variable is set, and none for an empty
/// `set`.
void add_data_option(CLI::App& app, std::filesystem::path& data, const std::string& set);

/// Adds --device, whose default is RADIAL_DEVICE where that variable is set, else the CPU. Gives the option back.
CLI::Option* add_device_option(CLI::App& app, std::string& device);
/// Adds --precision under a group of the help.
void add_precision_option(CLI::App& app, Precision& precision, const std::string& group = "OPTIONS");

/// Gives what neither the command line nor a config file has set a value that goes with what they have: a warm-up lasts
/// half of the run at most, and milestones ask for the step schedule.
void fit_defaults(const CLI::App& app, TrainOptions& options);

/// Adds --random-area, --crop-padding, --flip, --color-jitter, --cutout, --erasing, --mixup, --cutmix and --no-augment,
/// which wins over the others.
void add_augmentation_options(CLI::App& app, AugmentationOptions& options);

/// Adds --image-size, --resize, --skip-corrupt and, for training, --exact-decoding.
void add_picture_options(CLI::App& app, PictureOptions& options, bool train);

}  // namespace radial::train
