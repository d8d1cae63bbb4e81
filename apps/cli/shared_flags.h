// Flags that several commands share: data, device, precision, pictures, augmentation, and those of TrainOptions.
#pragma once

#include "radial/apps/cli/cli_forward.h"
#include "radial/apps/cli/run/train_options.h"

#include <filesystem>
#include <string>

namespace radial::train {

/// Adds the flags of `options`, except --data, --recipe and those of the pictures. See add_loss_options() and
/// add_model_options() for the options of the loss and the model.
void add_train_options(CLI::App& app, TrainOptions& options);

/// Adds --data. The default is the folder `set` in $RADIAL_DATA if that variable is set, and none if `set` is empty.
void add_data_option(CLI::App& app, std::filesystem::path& data, const std::string& set);

/// Adds --device. The default is $RADIAL_DEVICE if that variable is set, or else the value of `device`. Returns the
/// option.
CLI::Option* add_device_option(CLI::App& app, std::string& device);
/// Adds --precision. The help lists it under the heading `group`, or under that of --help if `group` is empty.
void add_precision_option(CLI::App& app, Precision& precision, const std::string& group = "");

/// Adds --random-area, --crop-padding, --crop-border, --flip, --alternating-flip, --color-jitter, --cutout, --erasing,
/// --mixup, --cutmix and --no-augment, which overrides the others.
void add_augmentation_options(CLI::App& app, AugmentationOptions& options);

/// Adds --image-size, --resize, --skip-corrupt and, for training, --exact-decoding.
void add_picture_options(CLI::App& app, PictureOptions& options, bool train);

}  // namespace radial::train
