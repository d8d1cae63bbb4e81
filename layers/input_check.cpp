// The checks that every layer makes of its input.
#include "radial/layers/input_check.h"

namespace radial {

void check_input(std::string_view layer, const Tensor& x) {
    RADIAL_CHECK(x.defined(), "{}: input is undefined", layer);
    RADIAL_CHECK(is_floating(x.dtype()), "{}: input is {}, expected float32 or float64", layer, x.str());
}

void check_image_input(std::string_view layer, const Tensor& x) {
    check_input(layer, x);
    RADIAL_CHECK(x.rank() == 4, "{}: input has shape {}, expected [N, C, H, W]", layer, x.shape().str());
}

}  // namespace radial
