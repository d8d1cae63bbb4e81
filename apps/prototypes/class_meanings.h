// The superclasses of classes, and the synsets of their names in WordNet.
#pragma once

#include "radial/apps/prototypes/wordnet.h"
#include "radial/apps/train/run/input_notes.h"

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace radial::train {

/// A fine class of CIFAR-100 (Krizhevsky 2009).
struct Cifar100Class {
    std::string_view name;        ///< as in fine_label_names.txt
    std::string_view superclass;  ///< as in coarse_label_names.txt
    std::string_view synset;      ///< the sense that the pictures show, as NLTK names it in WordNet 3.0
};

/// The 100 fine classes by superclass, in alphabetical order. Where a name has several senses, the synset is the one
/// that fits the superclass: the animal and not its fur or flesh, the fruit and not its tree, the computer's keyboard.
/// WordNet has no aquarium fish; its synset is that of all fishes.
const std::vector<Cifar100Class>& cifar100_classes();
/// Whether these are the names of CIFAR-100's fine classes, in any order.
bool are_cifar100(const std::vector<std::string>& class_names);

/// Reads a text file of lines "NAME TEXT", with the name of a class and a word for it; NAME may contain spaces. Empty
/// lines and those that begin with # are skipped. Throws FileError, naming the file and the line, for a line without
/// two words and for a name that occurs twice.
std::map<std::string, std::string> read_class_words(const std::filesystem::path& file);

/// The superclass of each class: those of `given` (by class name), or else CIFAR-100's for its classes. Empty if
/// neither is known. Throws Error when `given` is not empty and lacks a class or has a name that is no class.
std::vector<std::string> superclasses_of(const std::vector<std::string>& class_names,
                                         const std::map<std::string, std::string>& given);

/// The synset of each class: the one in `given` (by class name); for CIFAR-100's classes, the one in
/// cifar100_classes(); for a class whose folder is named by an ImageNet id, the synset with this id; and otherwise the
/// first sense of the name as a noun, or of its part before a comma. Throws Error, naming the first class that WordNet
/// does not have, or a name in `given` that is not a class.
std::vector<WordNet::Synset> synsets_of(const WordNet& wordnet, const InputNotes& notes,
                                        const std::map<std::string, std::string>& given);

/// The classes in order of superclass and then of name, as indices; in their own order if `superclasses` is empty.
std::vector<std::size_t> order_by_superclass(const std::vector<std::string>& class_names,
                                             const std::vector<std::string>& superclasses);

}  // namespace radial::train
