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

Registry<DatasetInfo>& datasets() {
    static Registry<DatasetInfo> registry("data set", "data sets",
                                          {
                                              mnist_info(),
                                              cifar10_info(),
                                              cifar100_info(),
                                              imagenet_info(),
                                          });
    return registry;
}

}  // namespace

DatasetReader reader_of(ImageSet (*read)(const std::filesystem::path& folder, bool train)) {
    return [read](const std::filesystem::path& folder, bool train) {
        return std::make_shared<ImageSet>(read(folder, train));
    };
}

const Registry<DatasetInfo>& dataset_registry() { return datasets(); }

void register_dataset(DatasetInfo info) {
    RADIAL_CHECK(info.read != nullptr, "the data set \"{}\" has no function that reads it", info.name);
    RADIAL_CHECK(info.mean.size() == info.std.size(), "the data set \"{}\" has {} means and {} standard deviations",
                 info.name, info.mean.size(), info.std.size());
    datasets().add(std::move(info));
}

void unregister_dataset(std::string_view name) { datasets().remove(name); }

}  // namespace radial::data
