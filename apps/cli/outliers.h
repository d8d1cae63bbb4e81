// Images that belong to none of a network's classes, for `eval --outliers`.
#pragma once

#include "radial/apps/cli/image_task.h"

#include <filesystem>
#include <memory>
#include <string>

namespace radial::train {

/// A set of outliers.
struct Outliers {
    std::shared_ptr<data::Dataset> set;  ///< inputs have the shape of the test set's; the targets are not used
    std::string format;                  ///< how the folder was read: "radial-cifar10", "mnist" or "picture files"
};

/// Reads `folder` in the first of these formats that fits: the test set of the task's own format; the test set of
/// another data set of the registry, such as mnist, cifar10 and cifar100; JPEG and PNG files, at any depth. Images
/// whose size differs from that of `test` are resized so that the shorter side fits, and the centre is cut out, as
/// radial-predict does; grey becomes RGB by repetition, and RGB becomes grey as in read_image(). If `test` is not an
/// ImageSet, only the task's own format is tried.
///
/// Throws FileError when the folder does not exist, and when no format fits, with the reason for each format. Throws
/// Error when there are no images, and when they are those of `test` itself or cannot be converted to the shape of its
/// inputs.
Outliers read_outliers(const ImageTask& task, const std::filesystem::path& folder, const data::Dataset& test);

}  // namespace radial::train
