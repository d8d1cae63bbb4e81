// The tasks of the programs (MNIST, CIFAR, ImageNet and one's own pictures), and the commands that download their data.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/image_task.h"
#include "radial/data/download.h"

#include <functional>
#include <string>
#include <vector>

namespace radial::train {

/// LeNets++ on MNIST, or on any data set in MNIST's four IDX files.
ImageTask mnist_task();

/// ResNet-20 on CIFAR-10. RBF-Softmax has the gamma with the best accuracy in the paper's Table 5, a learned scale that
/// starts at 8, a spread of 0.7, and normalised features.
ImageTask cifar10_task();
/// ResNet-20 on the 100 fine classes of CIFAR-100. RBF-Softmax has the scale and gamma with the best accuracy in the
/// paper's Table 6, and normalises features (docs/training-rbf-softmax.md).
ImageTask cifar100_task();

/// ResNet-50 with the settings of the paper's Table 7: RBF-Softmax with scale 8 and gamma 4, SGD with momentum 0.9, 100
/// epochs of batches of 256, and a learning rate of 0.1 with a cosine schedule after 5 epochs of warm-up. The weight
/// decay of 5e-5 is from the authors' code. The number of classes is that of the data set. Features are normalised;
/// otherwise the kernel is dead from the first step (docs/training-rbf-softmax.md).
ImageTask imagenet_task();

/// ResNet-18 on one's own pictures: DIR/train/CLASS/FILE and DIR/val/CLASS/FILE, or DIR/CLASS/FILE with --val-split.
/// The defaults are for a few hundred to some ten thousand pictures, with or without pretrained weights. The number of
/// classes is that of the data set.
ImageTask pictures_task();

/// The command `download` for ImageNet, which may not be redistributed: prints where to get it and how its folders are
/// laid out.
Command imagenet_download_command();

/// The command `download` of `program`, for the data set with the display name `title`. `files` returns the files to
/// fetch: from the usual place if its argument is empty, or else from that mirror (a URL that ends in "/").
Command download_command(const std::string& program, const std::string& title,
                         std::function<std::vector<data::RemoteFile>(const std::string& mirror)> files);

}  // namespace radial::train
