// The registry of data sets, which contains the name and statistics of each set and a function that reads it.
#pragma once

#include "radial/core/util/registry.h"
#include "radial/data/dataset.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace radial::data {

/// Reads the training set or, with `train` false, the test set from a folder.
using DatasetReader = std::function<std::shared_ptr<Dataset>(const std::filesystem::path& folder, bool train)>;

class ImageSet;
/// Converts a function that reads an ImageSet to a DatasetReader.
DatasetReader reader_of(ImageSet (*read)(const std::filesystem::path& folder, bool train));

/// An entry of the registry of data sets.
struct DatasetInfo {
    std::string name;         ///< "cifar10"
    std::string source;       ///< paper and year
    std::vector<float> mean;  ///< mean of the pixels in [0, 1], one per channel or one for all
    std::vector<float> std;   ///< standard deviation of the pixels, likewise
    DatasetReader read;       ///< reads the data set
};

/// All data sets: mnist, cifar10, cifar100 and imagenet, followed by those that register_dataset() added.
const Registry<DatasetInfo>& dataset_registry();
/// Adds a data set to the registry. Call it before training starts, for example from main(). Throws Error for a name
/// that is taken or invalid (see Registry), for an entry without `read`, and when `mean` and `std` differ in length.
void register_dataset(DatasetInfo info);
/// Removes a data set that register_dataset() added. Throws Error when there is none with this name.
void unregister_dataset(std::string_view name);

}  // namespace radial::data
