// ImageNet (Russakovsky et al. 2015), or any pictures sorted as it is.
#pragma once

#include "radial/data/image_folder.h"
#include "radial/data/image_set.h"

namespace radial::data {

/// The pictures of a folder as a data set, whose files are decoded when they are needed. The classes take turns: first
/// the first picture of each, then the second of each, so that ImageSet::first() has all of them. Shares class names.
ImageSet make_dataset(const ImageFolder& folder);

/// Reads ROOT/train/CLASS/FILE or ROOT/val/CLASS/FILE, a folder a class, named by WordNet id ("n01440764") or in any
/// other way. Ids have the names that ROOT/LOC_synset_mapping.txt or ROOT/synset_words.txt gives them, where there is
/// one. Classes are numbered in the order of the folders' names; val must have those of train, where train is there.
/// Throws FileError naming the folder or list that is missing or not so (see list_image_folder()).
ImageSet read_imagenet(const std::filesystem::path& root, bool train);

}  // namespace radial::data
