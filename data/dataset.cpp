// Sets made of tensors, of parts of a set, and of several sets.
#include "radial/data/dataset.h"

#include "radial/core/util/error.h"
#include "radial/data/cifar.h"
#include "radial/data/idx.h"
#include "radial/data/image_folder.h"
#include "radial/data/image_set.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace radial::data {
namespace {

/// Row `index` of a tensor, without the dimension of the rows.
Tensor row(const Tensor& tensor, std::int64_t index) {
    const Shape& shape = tensor.shape();
    return tensor.rows(index, index + 1).view(Shape(std::span(shape.begin() + 1, shape.end())));
}

void check_index(const char* who, std::int64_t index, std::int64_t size) {
    RADIAL_CHECK(index >= 0 && index < size, "{}: sample {} of {} asked for", who, index, size);
}

/// A reader of a set of images.
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

Shape Dataset::input_shape() const {
    RADIAL_CHECK(size() > 0, "the data set holds no samples");
    return get(0).input.shape();
}

Tensor Dataset::picture(std::int64_t index) const {
    const Tensor input = get(index).input;
    const bool shown = input.dtype() == DType::uint8 && input.rank() == 3 && (input.size(0) == 1 || input.size(0) == 3);
    return shown ? input : Tensor{};
}

TensorSet::TensorSet(Tensor inputs, Tensor targets, std::vector<std::string> names)
    : inputs_(std::move(inputs)), targets_(std::move(targets)) {
    RADIAL_CHECK(inputs_.defined() && targets_.defined() && inputs_.rank() >= 1 && targets_.rank() >= 1 &&
                     inputs_.size(0) == targets_.size(0),
                 "TensorSet: inputs are {}, targets {}, expected as many rows", inputs_.str(), targets_.str());
    RADIAL_CHECK(inputs_.device() == Device{} && targets_.device() == Device{},
                 "TensorSet: inputs are on {}, targets on {}, expected cpu", inputs_.device().str(),
                 targets_.device().str());
    inputs_ = inputs_.to(Layout::row_major);
    targets_ = targets_.to(Layout::row_major);
    class_names = std::move(names);
}

Sample TensorSet::get(std::int64_t index) const {
    check_index("TensorSet", index, size());
    return {row(inputs_, index), row(targets_, index)};
}

Subset::Subset(std::shared_ptr<const Dataset> set, std::vector<std::int64_t> indices)
    : set_(std::move(set)), indices_(std::move(indices)) {
    RADIAL_CHECK(set_ != nullptr, "Subset: there is no set");
    for (const std::int64_t index : indices_) check_index("Subset", index, set_->size());
    Dataset::operator=(*set_);
}

std::int64_t Subset::at(std::int64_t index) const {
    check_index("Subset", index, size());
    return indices_[static_cast<std::size_t>(index)];
}

Sample Subset::get(std::int64_t index) const { return set_->get(at(index)); }
Tensor Subset::picture(std::int64_t index) const { return set_->picture(at(index)); }

ConcatSet::ConcatSet(std::vector<std::shared_ptr<const Dataset>> sets) : sets_(std::move(sets)) {
    RADIAL_CHECK(!sets_.empty(), "ConcatSet: there is no set");
    std::int64_t end = 0;
    for (const auto& set : sets_) {
        RADIAL_CHECK(set != nullptr, "ConcatSet: a set is null");
        RADIAL_CHECK(set->class_names == sets_.front()->class_names, "ConcatSet: the sets' class names differ");
        ends_.push_back(end += set->size());
        notes.insert(notes.end(), set->notes.begin(), set->notes.end());
    }
    class_names = sets_.front()->class_names;
    class_folders = sets_.front()->class_folders;
    names_are_guessed = sets_.front()->names_are_guessed;
}

std::pair<const Dataset*, std::int64_t> ConcatSet::at(std::int64_t index) const {
    check_index("ConcatSet", index, size());
    const auto set = std::upper_bound(ends_.begin(), ends_.end(), index) - ends_.begin();
    const std::int64_t begin = set == 0 ? 0 : ends_[static_cast<std::size_t>(set - 1)];
    return {sets_[static_cast<std::size_t>(set)].get(), index - begin};
}

Sample ConcatSet::get(std::int64_t index) const {
    const auto [set, own] = at(index);
    return set->get(own);
}

Tensor ConcatSet::picture(std::int64_t index) const {
    const auto [set, own] = at(index);
    return set->picture(own);
}

std::shared_ptr<Dataset> first(const std::shared_ptr<const Dataset>& set, std::int64_t count) {
    if (const auto* const images = dynamic_cast<const ImageSet*>(set.get()))
        return std::make_shared<ImageSet>(images->first(count));
    RADIAL_CHECK(count >= 0 && count <= set->size(), "Dataset: first {} samples asked for, expected 0 to {}", count,
                 set->size());
    std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
    std::iota(indices.begin(), indices.end(), 0);
    return std::make_shared<Subset>(set, std::move(indices));
}

Tensor labels_of(const Dataset& set) {
    if (const auto* const images = dynamic_cast<const ImageSet*>(&set)) return images->labels;
    Tensor labels = Tensor::empty({set.size()}, DType::int64, Device{});
    const std::span<std::int64_t> values = labels.values<std::int64_t>();
    for (std::int64_t i = 0; i < set.size(); ++i) {
        const Tensor target = set.get(i).target;
        RADIAL_CHECK(target.dtype() == DType::int64 && target.numel() == 1 && target.rank() == 0,
                     "the target of sample {} is {}, expected a class, int64[]", i, target.str());
        values[static_cast<std::size_t>(i)] = target.values<std::int64_t>()[0];
    }
    return labels;
}

}  // namespace radial::data
