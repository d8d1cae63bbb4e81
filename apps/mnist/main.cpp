// radial-mnist: trains and measures LeNets++ on MNIST, or on any set in MNIST's four IDX files.
#include "radial/apps/common/image_task.h"
#include "radial/apps/mnist/download.h"
#include "radial/data/idx.h"

int main(int argc, char** argv) {
    using namespace radial::apps;
    ImageTask mnist{.program = "radial-mnist",
                    .set = "mnist",
                    .model = "lenetpp",
                    .model_title = "LeNets++",
                    .classes = 10,
                    .mean = {0.1307F},
                    .deviation = {0.3081F},
                    .read = radial::data::read_mnist,
                    .where_to_get = "'radial-mnist download DIR' fetches MNIST",
                    .defaults = {}};
    mnist.defaults.out = "runs/mnist";
    return run_program(mnist.program, "Trains LeNets++ on handwritten digits with the softmax or RBF-Softmax loss.",
                       {train_command(mnist), eval_command(mnist), download_command()}, argc, argv);
}
