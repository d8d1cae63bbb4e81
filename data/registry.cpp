// The registry of data sets.
#include "radial/data/registry.h"

#include "radial/core/util/error.h"
#include "radial/data/cifar.h"
#include "radial/data/idx.h"
#include "radial/data/image_folder.h"
#include "radial/data/image_set.h"

#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>

namespace radial::data {
namespace {

/// Adapts a function that reads an ImageSet.
DatasetReader reader(ImageSet (*read)(const std::filesystem::path& folder, bool train)) {
    return [read](const std::filesystem::path& folder, bool train) {
        return std::make_shared<ImageSet>(read(folder, train));
    };
}

Registry<DatasetInfo>& datasets() {
    static Registry<DatasetInfo> registry(
        "data set", "data sets",
        {{.name = "mnist",
          .source = "LeCun et al. 1998, and every set in its four IDX files",
          .mean = {0.1307F},
          .std = {0.3081F},
          .read = reader(read_mnist)},
         {.name = "cifar10",
          .source = "Krizhevsky 2009",
          .mean = {0.4914F, 0.4822F, 0.4465F},
          .std = {0.2470F, 0.2435F, 0.2616F},
          .read = reader(read_cifar10)},
         {.name = "cifar100",
          .source = "Krizhevsky 2009",
          .mean = {0.5071F, 0.4865F, 0.4409F},
          .std = {0.2673F, 0.2564F, 0.2762F},
          .read = reader(read_cifar100)},
         {.name = "imagenet",
          .source = "Russakovsky et al. 2015, and every folder of pictures that is sorted as it is",
          .mean = {0.485F, 0.456F, 0.406F},
          .std = {0.229F, 0.224F, 0.225F},
          .read = reader(read_imagenet)}});
    return registry;
}

}  // namespace

const Registry<DatasetInfo>& dataset_registry() { return datasets(); }

void register_dataset(DatasetInfo info) {
    RADIAL_CHECK(info.read != nullptr, "the data set \"{}\" has no function that reads it", info.name);
    RADIAL_CHECK(info.mean.size() == info.std.size(), "the data set \"{}\" has {} means and {} standard deviations",
                 info.name, info.mean.size(), info.std.size());
    datasets().add(std::move(info));
}

void unregister_dataset(std::string_view name) { datasets().remove(name); }

}  // namespace radial::data
