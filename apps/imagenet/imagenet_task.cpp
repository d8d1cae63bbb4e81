// The numbers of ImageNet.
#include "radial/apps/imagenet/imagenet_task.h"

#include "radial/data/image_folder.h"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace radial::train {

ImageTask imagenet_task() {
    ImageTask imagenet{.program = "radial-imagenet",
                       .set = "imagenet",
                       .model = "resnet50",
                       .model_title = "ResNet-50",
                       .classes = 0,
                       .picture_files = true,
                       .mean = {0.485F, 0.456F, 0.406F},
                       .deviation = {0.229F, 0.224F, 0.225F},
                       .read = read_by(data::read_imagenet),
                       .where_to_get = "'radial-imagenet download' says where to get ImageNet",
                       .loss_defaults = {{"rbf-softmax", {{"scale", 8}, {"gamma", 4}}}},
                       .model_defaults = {{"zero-init-residual", 1}},
                       .defaults = {}};
    TrainOptions& defaults = imagenet.defaults;
    defaults.dim = 0;
    defaults.epochs = 100;
    defaults.batch = 256;
    defaults.lr = 0.1;
    defaults.momentum = 0.9;
    defaults.weight_decay = 5e-5;
    defaults.warmup_epochs = 5;
    defaults.augmentation.random_area = 0.08;
    defaults.augmentation.flip = 0.5;
    defaults.out = "runs/imagenet";
    return imagenet;
}

Command imagenet_download_command() {
    return {"download", "Say where to get ImageNet", [](CLI::App&) {
                return [] {
                    fmt::print(
                        "ImageNet may not be handed on: its owners give it to those who register and accept their "
                        "terms.\n"
                        "  https://image-net.org/download.php      ILSVRC 2012, training and validation images\n"
                        "  https://www.kaggle.com/c/imagenet-object-localization-challenge/data      the same\n"
                        "Unpack it so that each class has a folder in both sets, named by WordNet id or in any other "
                        "way:\n"
                        "  DIR/train/n01440764/*.JPEG    DIR/val/n01440764/*.JPEG    ...\n"
                        "and beside them, for the classes' names, LOC_synset_mapping.txt or synset_words.txt, if you "
                        "have it.\n"
                        "The validation images come in one folder; LOC_val_solution.csv, or the development kit, says "
                        "which class each is of.\n"
                        "Then: radial-imagenet train --data DIR\n");
                };
            }};
}

}  // namespace radial::train
