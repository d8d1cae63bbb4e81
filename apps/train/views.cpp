// Views of images: mirroring and shifting, and the mean of their logits.
#include "radial/apps/train/views.h"

#include "radial/core/ops.h"
#include "radial/core/util/error.h"
#include "radial/data/images/transforms.h"

#include <algorithm>

namespace radial::train {

const std::vector<ImageView>& image_views(Views views) {
    static const std::vector<ImageView> one = {{}}, two = {{.weight = 0.5}, {.mirrored = true, .weight = 0.5}};
    static const std::vector<ImageView> six = [] {
        std::vector<ImageView> all;
        for (const std::int64_t shift : {0, -1, 1})
            for (const bool mirrored : {false, true})
                all.push_back({.mirrored = mirrored, .shift = shift, .weight = shift == 0 ? 0.25 : 0.125});
        return all;
    }();
    return views == Views::one ? one : views == Views::two ? two : six;
}

Tensor shown_in(const ImageView& view, const Tensor& images) {
    RADIAL_CHECK(images.defined() && images.dtype() == DType::float32 && images.rank() == 4,
                 "shown_in: images are {}, expected float32 [N, C, H, W]", images.str());
    const Tensor from = images.to(Layout::row_major), to = Tensor::empty(from.shape(), DType::float32, Device{});
    const std::int64_t height = from.size(2), width = from.size(3);
    RADIAL_CHECK(std::abs(view.shift) < std::min(height, width), "shown_in: a shift of {} for images of {} x {}",
                 view.shift, height, width);
    const float* in = from.data<float>();
    float* out = to.data<float>();
    for (std::int64_t plane = 0; plane < from.size(0) * from.size(1); ++plane, in += height * width) {
        for (std::int64_t y = 0; y < height; ++y) {
            const float* const row = in + data::reflected(y - view.shift, height) * width;
            for (std::int64_t x = 0; x < width; ++x) {
                const std::int64_t shifted = data::reflected(x - view.shift, width);
                *out++ = row[view.mirrored ? width - 1 - shifted : shifted];
            }
        }
    }
    return to;
}

Tensor mean_logits(Views views, const Tensor& images, const Tensor& plain,
                   const std::function<Tensor(const Tensor&)>& logits_of) {
    const std::vector<ImageView>& all = image_views(views);
    if (all.size() == 1) return plain;
    Tensor mean = all.front().weight * plain;
    for (auto view = all.begin() + 1; view != all.end(); ++view)
        mean = mean + view->weight * logits_of(shown_in(*view, images));
    return mean;
}

}  // namespace radial::train
