// The numbers of CIFAR-10 and CIFAR-100.
#include "radial/apps/cifar10/cifar_task.h"

#include "radial/data/cifar.h"

namespace radial::train {
namespace {

/// What a run of a few epochs is to be told. Momentum and weight decay are those of He et al. 2016, 4.2, whose network
/// and augmentation the paper takes (Sec. 4.3), without naming either.
TrainOptions cifar_defaults(double lr) {
    TrainOptions defaults;
    defaults.dim = 0;
    defaults.epochs = 5;
    defaults.batch = 128;
    defaults.lr = lr;
    defaults.momentum = 0.9;
    defaults.weight_decay = 1e-4;
    defaults.warmup_epochs = 0.5;
    defaults.augmentation.crop_padding = 4;
    defaults.augmentation.flip = 0.5;
    return defaults;
}

}  // namespace

ImageTask cifar10_task() {
    ImageTask cifar{.program = "radial-cifar10",
                    .set = "cifar-10-batches-bin",
                    .model = "resnet20",
                    .model_title = "ResNet-20",
                    .classes = 10,
                    .mean = {0.4914F, 0.4822F, 0.4465F},
                    .deviation = {0.2470F, 0.2435F, 0.2616F},
                    .read = read_by(data::read_cifar10),
                    .where_to_get = "'radial-cifar10 download DIR' fetches CIFAR-10",
                    .loss_defaults = {{"rbf-softmax", {{"scale", 4}, {"gamma", 1.6}}}},
                    .model_defaults = {{"zero-init-residual", 1}},
                    .defaults = cifar_defaults(0.3)};
    cifar.defaults.out = "runs/cifar10";
    return cifar;
}

ImageTask cifar100_task() {
    ImageTask cifar{.program = "radial-cifar100",
                    .set = "cifar-100-binary",
                    .model = "resnet20",
                    .model_title = "ResNet-20",
                    .classes = 100,
                    .mean = {0.5071F, 0.4865F, 0.4409F},
                    .deviation = {0.2673F, 0.2564F, 0.2762F},
                    .read = read_by(data::read_cifar100),
                    .where_to_get = "'radial-cifar100 download DIR' fetches CIFAR-100",
                    .loss_defaults = {{"rbf-softmax", {{"scale", 14}, {"gamma", 2.2}, {"reach", 4}}}},
                    .model_defaults = {{"zero-init-residual", 1}},
                    .defaults = cifar_defaults(0.1)};
    cifar.defaults.out = "runs/cifar100";
    return cifar;
}

}  // namespace radial::train
