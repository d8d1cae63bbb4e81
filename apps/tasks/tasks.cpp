// The settings for MNIST, CIFAR-10, CIFAR-100, ImageNet and one's own pictures, and checked, resumable downloads.
#include "radial/apps/tasks/tasks.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/core/util/error.h"
#include "radial/data/image_folder.h"
#include "radial/data/registry.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdio>

namespace radial::train {
namespace {

/// Defaults for a run of a few epochs. Momentum and weight decay are those of He et al. 2016, 4.2: the RBF-Softmax
/// paper uses the network and the augmentation of He et al. (Sec. 4.3), but states neither value.
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

ImageTask mnist_task() {
    ImageTask mnist{.program = "radial-mnist",
                    .set = "mnist",
                    .model = "lenetpp",
                    .model_title = "LeNets++",
                    .classes = 10,
                    .mean = data::dataset_registry().at("mnist").mean,
                    .std = data::dataset_registry().at("mnist").std,
                    .read = data::dataset_registry().at("mnist").read,
                    .where_to_get = "'radial-mnist download DIR' fetches MNIST",
                    .loss_defaults = {{"rbf-softmax", {{"normalise", true}}}},
                    .model_defaults = {},
                    .defaults = {}};
    mnist.defaults.out = "runs/mnist";
    return mnist;
}

ImageTask cifar10_task() {
    ImageTask cifar{
        .program = "radial-cifar10",
        .set = "cifar-10-batches-bin",
        .model = "resnet20",
        .model_title = "ResNet-20",
        .classes = 10,
        .mean = data::dataset_registry().at("cifar10").mean,
        .std = data::dataset_registry().at("cifar10").std,
        .read = data::dataset_registry().at("cifar10").read,
        .where_to_get = "'radial-cifar10 download DIR' fetches CIFAR-10",
        // The paper's scale of 4 limits the probability to 0.86. A learned scale grows as the errors get fewer. With a
        // spread below 1, the kernel of an image far from its class still has a gradient (docs/rbf-softmax.md).
        .loss_defaults =
            {{"rbf-softmax",
              {{"scale", 8}, {"gamma", 1.6}, {"learn_scale", true}, {"normalise", true}, {"spread", 0.7}}}},
        .model_defaults = {},
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
                    .mean = data::dataset_registry().at("cifar100").mean,
                    .std = data::dataset_registry().at("cifar100").std,
                    .read = data::dataset_registry().at("cifar100").read,
                    .where_to_get = "'radial-cifar100 download DIR' fetches CIFAR-100",
                    .loss_defaults = {{"rbf-softmax", {{"scale", 14}, {"gamma", 2.2}, {"normalise", true}}}},
                    .model_defaults = {},
                    .defaults = cifar_defaults(0.1)};
    cifar.defaults.out = "runs/cifar100";
    return cifar;
}

ImageTask imagenet_task() {
    ImageTask imagenet{.program = "radial-imagenet",
                       .set = "imagenet",
                       .model = "resnet50",
                       .model_title = "ResNet-50",
                       .classes = 0,
                       .picture_files = true,
                       .mean = data::dataset_registry().at("imagenet").mean,
                       .std = data::dataset_registry().at("imagenet").std,
                       .read = data::dataset_registry().at("imagenet").read,
                       .where_to_get = "'radial-imagenet download' says where to get ImageNet",
                       .loss_defaults = {{"rbf-softmax", {{"scale", 8}, {"gamma", 4}, {"normalise", true}}}},
                       .lr_defaults = {{"efficientnet", 0.2}, {"tf-efficientnet", 0.2}},  // the paper's (Sec. 4.4)
                       .model_defaults = {},
                       .defaults = {}};
    TrainOptions& defaults = imagenet.defaults;
    defaults.dim = 0;
    defaults.epochs = 100;
    defaults.batch = 256;
    defaults.lr = 0.1;
    defaults.momentum = 0.9;
    defaults.weight_decay = 5e-5;
    // With standard initial weights, the gradient of a ResNet-50 has a norm of 40, and clipping at 1 would leave little
    // of the learning rate.
    defaults.clip_norm = 5;
    defaults.warmup_epochs = 5;
    defaults.augmentation.random_area = 0.08;
    defaults.augmentation.flip = 0.5;
    defaults.out = "runs/imagenet";
    return imagenet;
}

ImageTask pictures_task() {
    ImageTask pictures = imagenet_task();
    pictures.program = "radial-train";
    pictures.set = "";
    pictures.model = "resnet18";
    pictures.model_title = "ResNet-18";
    pictures.read = data::reader_of(data::read_pictures);
    pictures.where_to_get = "It holds a folder of pictures for each class, or train/ and val/ with such folders";
    TrainOptions& defaults = pictures.defaults;
    defaults.epochs = 20;
    defaults.batch = 32;
    defaults.lr = 0.02;
    defaults.weight_decay = 1e-4;
    defaults.warmup_epochs = 1;
    defaults.augmentation.random_area = 0.25;
    defaults.out = "runs/pictures";
    return pictures;
}

Command imagenet_download_command() {
    return {"download", "Say where to get ImageNet", [](CLI::App&) {
                return [] {
                    fmt::print(
                        "ImageNet may not be redistributed: its owners give it to those who register and accept their "
                        "terms.\n"
                        "  https://image-net.org/download.php      ILSVRC 2012, training and validation images\n"
                        "  https://www.kaggle.com/c/imagenet-object-localization-challenge/data      the same\n"
                        "Unpack it so that each class has a folder in both sets, named by WordNet id or in any other "
                        "way:\n"
                        "  DIR/train/n01440764/*.JPEG    DIR/val/n01440764/*.JPEG    ...\n"
                        "and beside them, for the classes' names, LOC_synset_mapping.txt or synset_words.txt, if you "
                        "have it.\n"
                        "The validation images come in one folder; LOC_val_solution.csv, or the development kit, gives "
                        "the class of each.\n"
                        "Then: radial-imagenet train --data DIR\n");
                };
            }};
}

namespace {

struct DownloadOptions {
    std::filesystem::path folder;
    std::string mirror;
};

void run_download(const std::string& title, const std::vector<data::RemoteFile>& files,
                  const std::filesystem::path& folder) {
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    for (const data::RemoteFile& file : files) {
        data::download(file, folder, [terminal](const auto& remote, std::uint64_t done, std::uint64_t total) {
            if (!terminal || total == 0) return;
            print_on(fmt::format("\r\x1b[K{}: {}%", remote.name, 100 * done / total));
        });
        print_on(fmt::format("{}{}: {} bytes, checksum correct\n", terminal ? "\r\x1b[K" : "", file.name, file.bytes));
    }
    print_on(fmt::format("{} is in {}; train with --data {}\n", title, shown(folder.string()), shell_word(folder)));
}

}  // namespace

Command download_command(const std::string& program, const std::string& title,
                         std::function<std::vector<data::RemoteFile>(const std::string& mirror)> files) {
    return {.name = "download",
            .summary = fmt::format("Fetch {} into a folder", title),
            .set_up =
                [program, title, files = std::move(files)](CLI::App& app) {
                    auto options = std::make_shared<DownloadOptions>();
                    app.add_option("folder", options->folder, "Output folder")->type_name("DIR");
                    app.add_option("--mirror", options->mirror, "Download from this URL instead; it ends in /")
                        ->type_name("URL");
                    return [program, title, files, options] {
                        RADIAL_CHECK(!options->folder.empty(), "no folder to download to: {} download DIR", program);
                        run_download(title, files(options->mirror), options->folder);
                    };
                },
            .keeps_results = true};
}

}  // namespace radial::train
