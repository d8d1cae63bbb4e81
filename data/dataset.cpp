// Dataset: views of a labelled set of images.
#include "radial/data/dataset.h"

namespace radial::data {

Dataset Dataset::first(std::int64_t count) const {
    RADIAL_CHECK(count >= 0 && count <= size(), "Dataset: first {} samples asked for, expected 0 to {}", count, size());
    return {images.rows(0, count), labels.rows(0, count), class_names};
}

}  // namespace radial::data
