// A set of images with class labels, held in memory or in files.
#pragma once

#include "radial/data/dataset.h"
#include "radial/data/images/view.h"

#include <filesystem>
#include <memory>
#include <vector>

namespace radial::data {

/// Images as bytes, and their classes. A set that is too large to be kept decoded has `files` instead of `images`; the
/// Loader decodes each image when its batch is prepared.
class ImageSet : public Dataset {
public:
    ImageSet() = default;
    /// Makes a set from images, uint8 [N, C, H, W], and labels, int64 [N], both on the CPU.
    ImageSet(Tensor images, Tensor labels, std::vector<std::string> class_names = {});
    /// Makes a set from JPEG and PNG files and labels, int64 [N] on the CPU.
    ImageSet(std::vector<std::filesystem::path> files, Tensor labels, std::vector<std::string> class_names);

    Tensor images;  ///< uint8 [N, C, H, W]; undefined when they are in `files`
    Tensor labels;  ///< int64 [N]
    /// JPEG and PNG files, one per sample, of any sizes; null when the images are in memory.
    std::shared_ptr<const std::vector<std::filesystem::path>> files = nullptr;
    EvaluationView view = {};  ///< the view of a file in evaluation; its `crop` is also the size of training images

    /// Number of images.
    std::int64_t size() const override;
    /// Returns an image and its class. An image from a file is in its evaluation view.
    Sample get(std::int64_t index) const override;
    /// [C, H, W]; for files, [3, view.crop, view.crop].
    Shape input_shape() const override;
    /// The image of get(), in newly allocated memory.
    Tensor picture(std::int64_t index) const override;
    /// Number of channels of an image.
    std::int64_t channels() const { return files ? 3 : images.size(1); }
    /// The first `count` samples; their tensors share the storage of this set's. Throws Error when there are fewer.
    ImageSet first(std::int64_t count) const;
};

}  // namespace radial::data
