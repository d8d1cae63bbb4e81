// ImageNet (Russakovsky et al. 2015), and other images sorted in the same way.
#pragma once

#include "radial/data/image_folder.h"
#include "radial/data/image_set.h"

namespace radial::data {

/// The images of a folder as a data set whose files are decoded when they are needed. Classes alternate: first the
/// first image of each class, then the second of each, so that ImageSet::first() contains all classes. Class names are
/// shared.
ImageSet make_dataset(const ImageFolder& folder);

/// Reads ROOT/train/CLASS/FILE or ROOT/val/CLASS/FILE, with one folder per class, named by WordNet id ("n01440764") or
/// in any other way. Ids are replaced by the names in ROOT/LOC_synset_mapping.txt or ROOT/synset_words.txt, if there is
/// such a file. Classes are numbered in the order of the folders' names; val must have the classes of train if train
/// exists. Throws FileError naming the folder or file that is missing or malformed (see list_image_folder()).
ImageSet read_imagenet(const std::filesystem::path& root, bool train);

}  // namespace radial::data
