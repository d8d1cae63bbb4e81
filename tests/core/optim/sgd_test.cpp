// Test of SGD: a comparison with PyTorch's recorded steps.
#include "radial/core/optim/sgd.h"
#include "recorded_steps.h"

namespace radial::test {

TEST_CASE("Sgd follows PyTorch") {
    using namespace golden;
    check_both(sgd({.lr = 0.1}), sgd_float32, sgd_float64);
    check_both(sgd({.lr = 0.1, .weight_decay = 0.01}), sgd_decay_float32, sgd_decay_float64);
    check_both(sgd({.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01}), sgd_momentum_float32, sgd_momentum_float64);
    check_both(sgd(nesterov), sgd_nesterov_float32, sgd_nesterov_float64);
}

}  // namespace radial::test
