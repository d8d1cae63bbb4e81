// Listing ImageNet's folders as a data set.
#include "radial/data/imagenet.h"

#include "radial/core/util/error.h"
#include "radial/data/image_folder.h"

#include <algorithm>

namespace radial::data {

namespace fs = std::filesystem;

ImageSet make_dataset(const ImageFolder& folder) {
    std::vector<std::pair<std::int64_t, std::size_t>> turns;  // which of its class a picture is, and its place
    std::vector<std::int64_t> seen(folder.folders.size(), 0);
    for (std::size_t i = 0; i < folder.files.size(); ++i)
        turns.emplace_back(seen[static_cast<std::size_t>(folder.labels[i])]++, i);
    std::sort(turns.begin(), turns.end());
    std::vector<fs::path> files;
    std::vector<std::int64_t> labels;
    for (const auto& [turn, place] : turns) {
        files.push_back(folder.files[place]);
        labels.push_back(folder.labels[place]);
    }
    ImageSet set(std::move(files), Tensor::from(labels, {std::ssize(labels)}, Device{}), folder.class_names);
    set.class_folders = folder.folders;
    if (!folder.others.empty()) set.notes.push_back(passed_over(folder.others));
    return set;
}

ImageSet read_imagenet(const fs::path& root, bool train) {
    if (!fs::is_directory(root / "train") && !fs::is_directory(root / "val"))
        throw FileError(root.string() + ": neither train/ nor val/ in this folder");
    ImageFolderOptions options;
    for (const char* const list : {"LOC_synset_mapping.txt", "synset_words.txt"}) {
        if (!options.names.empty() || !fs::exists(root / list)) continue;
        options.names = read_synset_names(root / list);
    }
    if (!train && fs::is_directory(root / "train")) options.folders = list_class_folders(root / "train");
    return make_dataset(list_image_folder(root / (train ? "train" : "val"), options));
}

}  // namespace radial::data
