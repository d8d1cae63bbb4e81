// Images that belong to none of a network's classes, for `eval --outliers`.
#pragma once

#include "radial/apps/cli/image_task.h"

#include <filesystem>
#include <memory>
#include <string>

namespace radial::train {

/// A set of outliers.
struct Outliers {
    std::shared_ptr<data::Dataset> set;  ///< inputs of the shape of the test set's; the targets mean nothing
    std::string format;                  ///< how the folder was read: "radial-cifar10", "mnist" or "picture files"
};

/// Reads `folder` in the first of these formats that fits: the test set of the task's own format; the test set of
/// another data set of the registry, such as mnist, cifar10 and cifar100; JPEG and PNG files, at any depth. Images of
/// another size than those of `test` are resized so that the shorter side fits, and the centre is cut out, as
/// radial-predict does; grey becomes RGB by repetition, and RGB becomes grey as in read_image(). A test set that is not
/// an ImageSet has outliers of the task's own format only.
///
/// If no format fits, throws FileError, which gives the reason for each format. Throws Error when the images are those
/// of `test` itself or cannot be brought to the shape of its inputs.
Outliers read_outliers(const ImageTask& task, const std::filesystem::path& folder, const data::Dataset& test);

}  // namespace radial::train
