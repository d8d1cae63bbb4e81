// The table of CIFAR-100's classes, files that map class names, and looking classes up in WordNet.
#include "radial/apps/prototypes/class_meanings.h"

#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <set>
#include <tuple>

namespace radial::train {
namespace {

const Cifar100Class* cifar100_class(const std::string& name) {
    const auto found = std::ranges::find(cifar100_classes(), name, &Cifar100Class::name);
    return found == cifar100_classes().end() ? nullptr : &*found;
}

/// Throws Error for a name in `given` that is no class.
void check_names(const std::map<std::string, std::string>& given, const std::vector<std::string>& class_names) {
    for (const auto& [name, word] : given) {
        RADIAL_CHECK(std::ranges::find(class_names, name) != class_names.end(), "\"{}\" is no class of the checkpoint",
                     name);
    }
}

/// Whether `folder` is named by an ImageNet id, "n02084071".
bool is_imagenet_id(const std::string& folder) {
    return folder.size() == 9 && folder.front() == 'n' &&
           std::all_of(folder.begin() + 1, folder.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
    return begin == text.npos ? std::string_view() : text.substr(begin, end - begin + 1);
}

constexpr Cifar100Class cifar100_table[] = {
    {"beaver", "aquatic_mammals", "beaver.n.07"},
    {"dolphin", "aquatic_mammals", "dolphin.n.02"},
    {"otter", "aquatic_mammals", "otter.n.02"},
    {"seal", "aquatic_mammals", "seal.n.09"},
    {"whale", "aquatic_mammals", "whale.n.02"},
    {"aquarium_fish", "fish", "fish.n.01"},
    {"flatfish", "fish", "flatfish.n.02"},
    {"ray", "fish", "ray.n.07"},
    {"shark", "fish", "shark.n.01"},
    {"trout", "fish", "trout.n.02"},
    {"orchid", "flowers", "orchid.n.01"},
    {"poppy", "flowers", "poppy.n.01"},
    {"rose", "flowers", "rose.n.01"},
    {"sunflower", "flowers", "sunflower.n.01"},
    {"tulip", "flowers", "tulip.n.01"},
    {"bottle", "food_containers", "bottle.n.01"},
    {"bowl", "food_containers", "bowl.n.01"},
    {"can", "food_containers", "can.n.01"},
    {"cup", "food_containers", "cup.n.01"},
    {"plate", "food_containers", "plate.n.04"},
    {"apple", "fruit_and_vegetables", "apple.n.01"},
    {"mushroom", "fruit_and_vegetables", "mushroom.n.05"},
    {"orange", "fruit_and_vegetables", "orange.n.01"},
    {"pear", "fruit_and_vegetables", "pear.n.01"},
    {"sweet_pepper", "fruit_and_vegetables", "sweet_pepper.n.02"},
    {"clock", "household_electrical_devices", "clock.n.01"},
    {"keyboard", "household_electrical_devices", "computer_keyboard.n.01"},
    {"lamp", "household_electrical_devices", "lamp.n.02"},
    {"telephone", "household_electrical_devices", "telephone.n.01"},
    {"television", "household_electrical_devices", "television_receiver.n.01"},
    {"bed", "household_furniture", "bed.n.01"},
    {"chair", "household_furniture", "chair.n.01"},
    {"couch", "household_furniture", "sofa.n.01"},
    {"table", "household_furniture", "table.n.02"},
    {"wardrobe", "household_furniture", "wardrobe.n.01"},
    {"bee", "insects", "bee.n.01"},
    {"beetle", "insects", "beetle.n.01"},
    {"butterfly", "insects", "butterfly.n.01"},
    {"caterpillar", "insects", "caterpillar.n.01"},
    {"cockroach", "insects", "cockroach.n.01"},
    {"bear", "large_carnivores", "bear.n.01"},
    {"leopard", "large_carnivores", "leopard.n.02"},
    {"lion", "large_carnivores", "lion.n.01"},
    {"tiger", "large_carnivores", "tiger.n.02"},
    {"wolf", "large_carnivores", "wolf.n.01"},
    {"bridge", "large_man-made_outdoor_things", "bridge.n.01"},
    {"castle", "large_man-made_outdoor_things", "castle.n.02"},
    {"house", "large_man-made_outdoor_things", "house.n.01"},
    {"road", "large_man-made_outdoor_things", "road.n.01"},
    {"skyscraper", "large_man-made_outdoor_things", "skyscraper.n.01"},
    {"cloud", "large_natural_outdoor_scenes", "cloud.n.02"},
    {"forest", "large_natural_outdoor_scenes", "forest.n.02"},
    {"mountain", "large_natural_outdoor_scenes", "mountain.n.01"},
    {"plain", "large_natural_outdoor_scenes", "plain.n.01"},
    {"sea", "large_natural_outdoor_scenes", "sea.n.01"},
    {"camel", "large_omnivores_and_herbivores", "camel.n.01"},
    {"cattle", "large_omnivores_and_herbivores", "cattle.n.01"},
    {"chimpanzee", "large_omnivores_and_herbivores", "chimpanzee.n.01"},
    {"elephant", "large_omnivores_and_herbivores", "elephant.n.01"},
    {"kangaroo", "large_omnivores_and_herbivores", "kangaroo.n.01"},
    {"fox", "medium_mammals", "fox.n.01"},
    {"porcupine", "medium_mammals", "porcupine.n.01"},
    {"possum", "medium_mammals", "opossum.n.02"},
    {"raccoon", "medium_mammals", "raccoon.n.02"},
    {"skunk", "medium_mammals", "skunk.n.04"},
    {"crab", "non-insect_invertebrates", "crab.n.01"},
    {"lobster", "non-insect_invertebrates", "lobster.n.02"},
    {"snail", "non-insect_invertebrates", "snail.n.01"},
    {"spider", "non-insect_invertebrates", "spider.n.01"},
    {"worm", "non-insect_invertebrates", "worm.n.01"},
    {"baby", "people", "baby.n.01"},
    {"boy", "people", "male_child.n.01"},
    {"girl", "people", "female_child.n.01"},
    {"man", "people", "man.n.01"},
    {"woman", "people", "woman.n.01"},
    {"crocodile", "reptiles", "crocodile.n.01"},
    {"dinosaur", "reptiles", "dinosaur.n.01"},
    {"lizard", "reptiles", "lizard.n.01"},
    {"snake", "reptiles", "snake.n.01"},
    {"turtle", "reptiles", "turtle.n.02"},
    {"hamster", "small_mammals", "hamster.n.01"},
    {"mouse", "small_mammals", "mouse.n.01"},
    {"rabbit", "small_mammals", "rabbit.n.01"},
    {"shrew", "small_mammals", "shrew.n.02"},
    {"squirrel", "small_mammals", "squirrel.n.01"},
    {"maple_tree", "trees", "maple.n.02"},
    {"oak_tree", "trees", "oak.n.02"},
    {"palm_tree", "trees", "palm.n.03"},
    {"pine_tree", "trees", "pine.n.01"},
    {"willow_tree", "trees", "willow.n.01"},
    {"bicycle", "vehicles_1", "bicycle.n.01"},
    {"bus", "vehicles_1", "bus.n.01"},
    {"motorcycle", "vehicles_1", "motorcycle.n.01"},
    {"pickup_truck", "vehicles_1", "pickup.n.01"},
    {"train", "vehicles_1", "train.n.01"},
    {"lawn_mower", "vehicles_2", "lawn_mower.n.01"},
    {"rocket", "vehicles_2", "rocket.n.01"},
    {"streetcar", "vehicles_2", "streetcar.n.01"},
    {"tank", "vehicles_2", "tank.n.01"},
    {"tractor", "vehicles_2", "tractor.n.01"},
};

}  // namespace

const std::vector<Cifar100Class>& cifar100_classes() {
    static const std::vector<Cifar100Class> classes(std::begin(cifar100_table), std::end(cifar100_table));
    return classes;
}

bool are_cifar100(const std::vector<std::string>& class_names) {
    const std::set<std::string> names(class_names.begin(), class_names.end());
    return class_names.size() == cifar100_classes().size() && names.size() == class_names.size() &&
           std::ranges::all_of(names, [](const std::string& name) { return cifar100_class(name) != nullptr; });
}

std::map<std::string, std::string> read_class_words(const std::filesystem::path& file) {
    const std::string text = read_file(file, std::size_t{1} << 26);
    std::map<std::string, std::string> words;
    std::int64_t number = 0;
    for (std::size_t at = 0; at < text.size(); ++number) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = trimmed(std::string_view(text).substr(at, end - at));
        at = end + 1;
        if (line.empty() || line.front() == '#') continue;
        const std::size_t gap = line.find_last_of(" \t");
        if (gap == line.npos) {
            throw FileError(fmt::format("{}: line {}: \"{}\", expected the name of a class and a word", file.string(),
                                        number + 1, line));
        }
        const std::string name(trimmed(line.substr(0, gap)));
        if (!words.emplace(name, line.substr(gap + 1)).second)
            throw FileError(fmt::format("{}: line {}: \"{}\" a second time", file.string(), number + 1, name));
    }
    return words;
}

std::vector<std::string> superclasses_of(const std::vector<std::string>& class_names,
                                         const std::map<std::string, std::string>& given) {
    std::vector<std::string> superclasses;
    if (given.empty() && !are_cifar100(class_names)) return superclasses;
    check_names(given, class_names);
    for (const std::string& name : class_names) {
        const auto word = given.find(name);
        RADIAL_CHECK(given.empty() || word != given.end(), "the class \"{}\" has no superclass", name);
        superclasses.emplace_back(given.empty() ? std::string(cifar100_class(name)->superclass) : word->second);
    }
    return superclasses;
}

std::vector<WordNet::Synset> synsets_of(const WordNet& wordnet, const InputNotes& notes,
                                        const std::map<std::string, std::string>& given) {
    const std::vector<std::string>& names = notes.class_names;
    check_names(given, names);
    const bool cifar100 = are_cifar100(names);
    std::vector<WordNet::Synset> synsets;
    for (std::size_t c = 0; c < names.size(); ++c) {
        const std::string folder = c < notes.class_folders.size() ? notes.class_folders[c] : "";
        if (const auto word = given.find(names[c]); word != given.end()) {
            synsets.push_back(wordnet.synset(word->second));
        } else if (cifar100) {
            synsets.push_back(wordnet.synset(std::string(cifar100_class(names[c])->synset)));
        } else if (is_imagenet_id(folder)) {
            synsets.push_back(wordnet.synset(folder));
        } else {
            const auto sense = wordnet.first_sense(names[c].substr(0, names[c].find(',')));
            RADIAL_CHECK(sense,
                         "WordNet has no noun for the class \"{}\": name its synset in a file for --synsets, "
                         "with a line such as \"{} dog.n.01\"",
                         names[c], names[c]);
            synsets.push_back(*sense);
        }
    }
    return synsets;
}

std::vector<std::size_t> order_by_superclass(const std::vector<std::string>& class_names,
                                             const std::vector<std::string>& superclasses) {
    std::vector<std::size_t> order(class_names.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    if (superclasses.empty()) return order;
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return std::tie(superclasses[a], class_names[a]) < std::tie(superclasses[b], class_names[b]);
    });
    return order;
}

}  // namespace radial::train
