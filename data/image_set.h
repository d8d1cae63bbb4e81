// A labelled set of images, held in memory or in files, as every benchmark program reads it.
#pragma once

#include "radial/data/dataset.h"
#include "radial/data/images/view.h"

#include <filesystem>
#include <memory>
#include <vector>

namespace radial::data {

/// Images as bytes and their classes. A set that is too large to be kept decoded names its files instead of filling
/// `images`; the Loader decodes each when its batch is prepared.
class ImageSet : public Dataset {
public:
    ImageSet() = default;
    /// uint8 [N, C, H, W] and int64 [N], both on the CPU.
    ImageSet(Tensor images, Tensor labels, std::vector<std::string> class_names = {});
    /// JPEG and PNG files, and int64 [N] on the CPU.
    ImageSet(std::vector<std::filesystem::path> files, Tensor labels, std::vector<std::string> class_names);

    Tensor images;  ///< uint8 [N, C, H, W]; undefined when they are in `files`
    Tensor labels;  ///< int64 [N]
    /// JPEG and PNG files, one a sample, of any sizes; null when the images are in memory.
    std::shared_ptr<const std::vector<std::filesystem::path>> files = nullptr;
    EvaluationView view = {};  ///< what is seen of a file: its `crop` is also the size of training images

    /// Number of images.
    std::int64_t size() const override;
    /// An image as evaluation sees it, and its class.
    Sample get(std::int64_t index) const override;
    /// [C, H, W]; of files the size of the view.
    Shape input_shape() const override;
    /// The image of get(), in memory of its own.
    Tensor picture(std::int64_t index) const override;
    /// Number of channels of an image.
    std::int64_t channels() const { return files ? 3 : images.size(1); }
    /// The first `count` samples, sharing storage. Throws Error when there are fewer.
    ImageSet first(std::int64_t count) const;
};

}  // namespace radial::data
