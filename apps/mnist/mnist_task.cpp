// The numbers of MNIST.
#include "radial/apps/mnist/mnist_task.h"

#include "radial/data/idx.h"

namespace radial::train {

ImageTask mnist_task() {
    ImageTask mnist{.program = "radial-mnist",
                    .set = "mnist",
                    .model = "lenetpp",
                    .model_title = "LeNets++",
                    .classes = 10,
                    .mean = {0.1307F},
                    .deviation = {0.3081F},
                    .read = read_by(data::read_mnist),
                    .where_to_get = "'radial-mnist download DIR' fetches MNIST",
                    .loss_defaults = {},
                    .model_defaults = {},
                    .defaults = {}};
    mnist.defaults.out = "runs/mnist";
    return mnist;
}

}  // namespace radial::train
