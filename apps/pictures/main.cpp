// radial-train: trains and measures networks on one's own pictures, from random or pretrained weights.
#include "radial/apps/cli/image_task.h"
#include "radial/apps/sweep/sweep.h"
#include "radial/apps/tasks/tasks.h"

int main(int argc, char** argv) {
    using namespace radial::train;
    const ImageTask pictures = pictures_task();
    return run_program(
        pictures.program,
        "Trains ResNet-18, or another network, on your own pictures in a folder per class, from random "
        "weights or from those of a file, with RBF-Softmax or another of the losses that 'radial-train "
        "train --list-losses' prints.",
        {train_command(pictures), eval_command(pictures), sweep_command(pictures), check_command(pictures)}, argc,
        argv);
}
