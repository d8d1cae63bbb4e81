// MNIST, CIFAR and ImageNet as the programs read, train on and measure them, and the command that fetches them.
#pragma once

#include "radial/apps/cli/command_line.h"
#include "radial/apps/cli/image_task.h"
#include "radial/data/download.h"

#include <functional>
#include <string>
#include <vector>

namespace radial::train {

/// LeNets++ on MNIST, or on any set in MNIST's four IDX files.
ImageTask mnist_task();

/// ResNet-20 on CIFAR-10. RBF-Softmax has Table 5's best scale and gamma.
ImageTask cifar10_task();
/// ResNet-20 on CIFAR-100's 100 fine classes. RBF-Softmax has Table 6's best scale and gamma, and
/// reach 4: without it the kernel dies within some hundred steps, at lr 0.1 as at 0.3 (docs/training-rbf-softmax.md).
ImageTask cifar100_task();

/// ResNet-50 by the paper's Table 7: RBF-Softmax with scale 8 and gamma 4, SGD with momentum 0.9, 100 epochs of batches
/// of 256, the rate from 0.1 by a cosine after 5 epochs of warm-up; weight decay 5e-5 from the authors' code. Of
/// pictures sorted into classes it takes as many classes as there are. Residual blocks start as their shortcuts,
/// without which the kernel is dead from the first step (docs/training-rbf-softmax.md).
ImageTask imagenet_task();

/// `download`: says where to get ImageNet, which may not be redistributed, and how its folders are laid out.
Command imagenet_download_command();

/// The `download` of `program`, for the set that people call `title`. `files` lists what to fetch, from the usual place
/// when its argument is empty, else from that mirror (a URL that ends in "/").
Command download_command(const std::string& program, const std::string& title,
                         std::function<std::vector<data::RemoteFile>(const std::string& mirror)> files);

}  // namespace radial::train
