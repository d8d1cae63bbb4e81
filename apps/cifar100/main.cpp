// radial-cifar100: trains and measures networks on CIFAR-100.
#include "radial/apps/sweep/sweep.h"
#include "radial/apps/tasks/tasks.h"

int main(int argc, char** argv) {
    using namespace radial::train;
    const ImageTask cifar = cifar100_task();
    return run_program(cifar.program,
                       "Trains ResNet-20, or another network, on CIFAR-100 with RBF-Softmax or another of the losses "
                       "that 'radial-cifar100 train --list-losses' prints.",
                       {train_command(cifar), eval_command(cifar), sweep_command(cifar),
                        download_command(cifar.program, "CIFAR-100", radial::data::cifar100_files)},
                       argc, argv);
}
