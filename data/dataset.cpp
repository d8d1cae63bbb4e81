// Dataset: views of a labelled set of images.
#include "radial/data/dataset.h"

#include "radial/data/image.h"
#include "radial/data/resize.h"

namespace radial::data {

std::int64_t Dataset::size() const { return files ? std::ssize(*files) : images.size(0); }

Dataset Dataset::first(std::int64_t count) const {
    RADIAL_CHECK(count >= 0 && count <= size(), "Dataset: first {} samples asked for, expected 0 to {}", count, size());
    Dataset part = *this;
    part.labels = labels.rows(0, count);
    if (files)
        part.files = std::make_shared<const std::vector<std::filesystem::path>>(files->begin(), files->begin() + count);
    else
        part.images = images.rows(0, count);
    return part;
}

Tensor Dataset::picture(std::int64_t sample) const {
    RADIAL_CHECK(sample >= 0 && sample < size(), "Dataset: picture {} asked for, expected 0 to {}", sample, size() - 1);
    if (files) return evaluation_view(read_image((*files)[static_cast<std::size_t>(sample)]), view.resize, view.crop);
    const Tensor row = images.rows(sample, sample + 1);
    return row.view({row.size(1), row.size(2), row.size(3)}).clone();
}

}  // namespace radial::data
