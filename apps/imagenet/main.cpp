// radial-imagenet: trains and measures networks on ImageNet, or on any pictures sorted into one folder per class.
#include "radial/apps/cli/image_task.h"
#include "radial/apps/sweep/sweep.h"
#include "radial/apps/tasks/tasks.h"

int main(int argc, char** argv) {
    using namespace radial::train;
    const ImageTask imagenet = imagenet_task();
    return run_program(imagenet.program,
                       "Trains ResNet-50, or another network, on ImageNet or other pictures in a folder a class, with "
                       "RBF-Softmax or another of the losses that 'radial-imagenet train --list-losses' prints.",
                       {train_command(imagenet), eval_command(imagenet), sweep_command(imagenet),
                        check_command(imagenet), imagenet_download_command()},
                       argc, argv);
}
