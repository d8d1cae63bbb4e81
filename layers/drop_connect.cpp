// DropConnect: checks, the number of each image, and the call of the op.
#include "radial/layers/drop_connect.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/input_check.h"

#include <utility>

namespace radial {

DropConnect::DropConnect(const DropConnectOptions& options) : options_(options) {
    RADIAL_CHECK(options_.p >= 0 && options_.p < 1, "DropConnect: p is {}, expected at least 0 and below 1",
                 options_.p);
}

Tensor DropConnect::forward(Tensor x) {
    check_image_input("DropConnect", x);
    if (!training() || options_.p == 0) return x;
    const Tensor kept =
        dropout(Tensor::full({x.size(0), 1}, 1, x.dtype(), x.device()), options_.p, default_generator());
    return scale_channels(std::move(x), kept);
}

}  // namespace radial
