// radial-cifar10: trains and measures networks on CIFAR-10.
#include "radial/apps/sweep/sweep.h"
#include "radial/apps/tasks/tasks.h"

int main(int argc, char** argv) {
    using namespace radial::train;
    const ImageTask cifar = cifar10_task();
    return run_program(cifar.program,
                       "Trains ResNet-20, or another network, on CIFAR-10 with RBF-Softmax or another of the losses "
                       "that 'radial-cifar10 train --list-losses' prints.",
                       {train_command(cifar), eval_command(cifar), sweep_command(cifar),
                        download_command(cifar.program, "CIFAR-10", radial::data::cifar10_files)},
                       argc, argv);
}
