// Flatten: checks and the call of the op.
#include "radial/layers/flatten.h"

#include "radial/core/ops.h"
#include "radial/layers/input_check.h"

namespace radial {

Tensor Flatten::forward(Tensor x) {
    check_input("Flatten", x);
    RADIAL_CHECK(x.rank() >= 2, "Flatten: input has shape {}, expected [N, ...]", x.shape().str());
    return flatten(x);
}

}  // namespace radial
