// Dropout: checks and the call of the op.
#include "radial/layers/dropout.h"

#include "radial/core/ops.h"
#include "radial/core/tensor/random.h"
#include "radial/layers/input_check.h"

namespace radial {

Dropout::Dropout(const DropoutOptions& options) : options_(options) {
    RADIAL_CHECK(options_.p >= 0 && options_.p < 1, "Dropout: p is {}, expected at least 0 and below 1", options_.p);
}

Tensor Dropout::forward(Tensor x) {
    check_input("Dropout", x);
    if (!training() || options_.p == 0) return x;
    return dropout(x, options_.p, default_generator());
}

}  // namespace radial
