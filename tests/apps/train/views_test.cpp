// Tests of views: the pixels of each view, and the mean of their logits.
#include "radial/apps/train/views.h"

#include "../../expect.h"
#include "radial/core/ops.h"

namespace radial::test {
namespace {

using train::ImageView;
using train::Views;
using Pixels = std::vector<float>;

Tensor image() { return Tensor::from<float>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 1, 3, 3}, Device{}); }

Pixels shown(const ImageView& view) { return train::shown_in(view, image()).to_vector<float>(); }

}  // namespace

TEST_CASE("a view mirrors an image, shifts it, and reflects it at the edge that the shift leaves", "[host]") {
    CHECK(shown({}) == image().to_vector<float>());
    CHECK(shown({.mirrored = true}) == Pixels{3, 2, 1, 6, 5, 4, 9, 8, 7});
    CHECK(shown({.shift = -1}) == Pixels{5, 6, 5, 8, 9, 8, 5, 6, 5});
    CHECK(shown({.shift = 1}) == Pixels{5, 4, 5, 2, 1, 2, 5, 4, 5});
    CHECK(shown({.mirrored = true, .shift = 1}) == Pixels{5, 6, 5, 2, 3, 2, 5, 6, 5});
    CHECK(error_of([] { shown({.shift = 3}); }) == "shown_in: a shift of 3 for images of 3 x 3");
    CHECK(error_of([] {
              train::shown_in({}, Tensor::zeros({2, 3}));
          }) == "shown_in: images are float32[2, 3], expected float32 [N, C, H, W]");
}

TEST_CASE("the weights of the views have the sum 1, and the first view is the image", "[host]") {
    for (const Views views : {Views::one, Views::two, Views::six}) {
        const auto& all = train::image_views(views);
        double sum = 0;
        for (const ImageView& view : all) sum += view.weight;
        CHECK(sum == Approx(1));
        CHECK((!all.front().mirrored && all.front().shift == 0));
    }
    CHECK(train::image_views(Views::six).size() == 6);
}

TEST_CASE("the mean logits are the weighted mean over the views", "[host]") {
    // The "logits" are the pixels of the first row.
    const auto logits_of = [](const Tensor& images) { return slice(reshape(images, {1, 9}), 1, 0, 3); };
    const Tensor plain = logits_of(image());
    const auto mean = [&](Views views) {
        return train::mean_logits(views, image(), plain, logits_of).to_vector<float>();
    };
    CHECK(mean(Views::one) == Pixels{1, 2, 3});
    CHECK(mean(Views::two) == Pixels{2, 2, 2});
    // The rows 123 and 321 have the weight 1/4. The shifted rows 565 and 545 and those of their mirrored views, 545 and
    // 565, have the weight 1/8.
    const Pixels six = mean(Views::six);
    CHECK(six[0] == Approx((2 * (1 + 3) + (5 + 5 + 5 + 5)) / 8.0));
    CHECK(six[1] == Approx((2 * (2 + 2) + (6 + 4 + 4 + 6)) / 8.0));
}

}  // namespace radial::test
