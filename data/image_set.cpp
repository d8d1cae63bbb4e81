// ImageSet: access to images and class labels in memory or in files.
#include "radial/data/image_set.h"

#include "radial/core/util/error.h"
#include "radial/data/images/image.h"
#include "radial/data/images/view.h"

#include <utility>

namespace radial::data {

ImageSet::ImageSet(Tensor bytes, Tensor classes, std::vector<std::string> names)
    : images(std::move(bytes)), labels(std::move(classes)) {
    class_names = std::move(names);
}

ImageSet::ImageSet(std::vector<std::filesystem::path> pictures, Tensor classes, std::vector<std::string> names)
    : labels(std::move(classes)),
      files(std::make_shared<const std::vector<std::filesystem::path>>(std::move(pictures))) {
    class_names = std::move(names);
}

std::int64_t ImageSet::size() const { return files ? std::ssize(*files) : images.size(0); }

Shape ImageSet::input_shape() const {
    if (files) return {channels(), view.crop, view.crop};
    return {channels(), images.size(2), images.size(3)};
}

ImageSet ImageSet::first(std::int64_t count) const {
    RADIAL_CHECK(count >= 0 && count <= size(), "Dataset: first {} samples asked for, expected 0 to {}", count, size());
    ImageSet part = *this;
    part.labels = labels.rows(0, count);
    if (files)
        part.files = std::make_shared<const std::vector<std::filesystem::path>>(files->begin(), files->begin() + count);
    else
        part.images = images.rows(0, count);
    return part;
}

Sample ImageSet::get(std::int64_t index) const {
    Tensor image = picture(index);
    return {std::move(image), labels.rows(index, index + 1).view({})};
}

Tensor ImageSet::picture(std::int64_t index) const {
    RADIAL_CHECK(index >= 0 && index < size(), "Dataset: picture {} asked for, expected 0 to {}", index, size() - 1);
    if (files) return evaluation_view(read_image((*files)[static_cast<std::size_t>(index)]), view.resize, view.crop);
    const Tensor row = images.rows(index, index + 1);
    return row.view({row.size(1), row.size(2), row.size(3)}).clone();
}

}  // namespace radial::data
