// radial-mnist: trains and measures LeNets++ on MNIST, or on any set in MNIST's four IDX files.
#include "radial/apps/sweep/sweep.h"
#include "radial/apps/tasks/tasks.h"

int main(int argc, char** argv) {
    using namespace radial::train;
    const ImageTask mnist = mnist_task();
    return run_program(mnist.program,
                       "Trains LeNets++ on handwritten digits with softmax, RBF-Softmax or another of the losses that "
                       "'radial-mnist train --list-losses' prints.",
                       {train_command(mnist), eval_command(mnist), sweep_command(mnist),
                        download_command(mnist.program, "MNIST", radial::data::mnist_files)},
                       argc, argv);
}
