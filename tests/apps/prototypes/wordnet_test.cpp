// Compares WordNet's nouns and their similarities with NLTK's, in a small synthetic database and in Debian's.
#include "../../expect.h"
#include "../../folders.h"
#include "../program.h"
#include "radial/apps/prototypes/class_meanings.h"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>

namespace radial::test {
namespace {

namespace fs = std::filesystem;
using train::WordNet;

const fs::path debian = "/usr/share/wordnet";

/// The values that tests/golden/prototype_cases.py recorded.
nlohmann::json recorded(const char* kind) {
    std::ifstream file(test_folder() + "/golden/wordnet.json");
    return nlohmann::json::parse(file).at(kind);
}

fs::path small() { return test_folder() + "/golden/wordnet_small"; }

/// A copy of the small database, in a new folder, in which `from` is replaced by `to` in one file.
class Changed {
public:
    Changed(const std::string& file, const std::string& from, const std::string& to) {
        for (const char* name : {"data.noun", "index.noun"}) fs::copy(small() / name, folder_ / name);
        std::string text = read_text(folder_ / file);
        const std::size_t at = text.find(from);
        REQUIRE(at != std::string::npos);
        write_text(folder_ / file, text.replace(at, from.size(), to));
    }
    fs::path path() const { return folder_.path(); }

private:
    TemporaryFolder folder_;
};

/// Checks the similarities of all pairs of synsets of the small database.
void check_small(const WordNet& wordnet, const char* version) {
    const nlohmann::json cases = recorded("small");
    const auto names = cases.at("synsets").get<std::vector<std::string>>();
    REQUIRE(names.size() == 40);
    for (std::size_t a = 0; a < names.size(); ++a) {
        for (std::size_t b = 0; b < names.size(); ++b) {
            const nlohmann::json& expected = cases.at("wup").at(version).at(a).at(b);
            const auto found = wordnet.wup_similarity(wordnet.synset(names[a]), wordnet.synset(names[b]));
            INFO(names[a] << " and " << names[b]);
            REQUIRE(found.has_value() == !expected.is_null());
            if (found) REQUIRE(*found == Approx(expected.get<double>()).epsilon(1e-9));
        }
    }
}

bool has_debian() {
    const bool there = fs::exists(debian / "data.noun");
    if (!there)
        std::cout << debian.string() << " is missing: tests on WordNet skipped; Debian's package is wordnet-base\n";
    return there;
}

}  // namespace

TEST_CASE("similarities in a made-up database are NLTK's, none without a common hypernym", "[host][wordnet]") {
    const WordNet wordnet(small());
    CHECK(wordnet.version() == "3.0");
    check_small(wordnet, "3.0");
}

TEST_CASE("the nouns of WordNet 1.6 get a root above all, as in NLTK", "[host][wordnet]") {
    const Changed changed("data.noun", "WordNet 3.0", "WordNet 1.6");
    const WordNet wordnet(changed.path());
    CHECK(wordnet.version() == "1.6");
    check_small(wordnet, "1.6");
}

TEST_CASE("similarities in WordNet 3.0 are NLTK's", "[host][wordnet]") {
    if (!has_debian()) return;
    const WordNet wordnet(debian);
    CHECK(wordnet.version() == "3.0");
    const nlohmann::json pairs = recorded("pairs");
    REQUIRE(pairs.size() >= 30);
    for (const nlohmann::json& pair : pairs) {
        const std::string a = pair.at("a"), b = pair.at("b");
        INFO(a << " and " << b);
        const auto found = wordnet.wup_similarity(wordnet.synset(a), wordnet.synset(b));
        CHECK(found.value() == Approx(pair.at("wup").get<double>()).epsilon(1e-9));
    }
}

TEST_CASE("similarities of all pairs of CIFAR-100's classes are NLTK's", "[host][wordnet]") {
    if (!has_debian()) return;
    const WordNet wordnet(debian);
    const nlohmann::json cases = recorded("cifar100");
    const std::vector<train::Cifar100Class>& classes = train::cifar100_classes();
    std::vector<WordNet::Synset> synsets;
    for (std::size_t c = 0; c < classes.size(); ++c) {
        REQUIRE(cases.at("synsets").at(c) == classes[c].synset);
        synsets.push_back(wordnet.synset(std::string(classes[c].synset)));
        CHECK(wordnet.name_of(synsets.back()) == classes[c].synset);
    }
    for (std::size_t a = 0; a < 100; ++a) {
        for (std::size_t b = a + 1; b < 100; ++b) {
            INFO(classes[a].name << " and " << classes[b].name);
            REQUIRE(wordnet.wup_similarity(synsets[a], synsets[b]).value() ==
                    Approx(cases.at("upper").at(a).at(b - a - 1).get<double>()).epsilon(1e-9));
        }
    }
}

TEST_CASE("a noun is found in any case and with spaces, and a synset by name or ImageNet id", "[host][wordnet]") {
    const WordNet wordnet(small());
    CHECK(wordnet.first_sense("thing_ah") == 188);
    CHECK(wordnet.first_sense("Thing AH") == 188);
    CHECK(wordnet.first_sense("same_1") == 188);
    CHECK_FALSE(wordnet.first_sense("nothing"));
    CHECK(wordnet.synset("thing_ah.n.01") == 188);
    CHECK(wordnet.synset("same_1.n.2") == wordnet.first_sense("same_1").value() + 1136 - 188);
    CHECK(wordnet.synset("n00000188") == 188);
    CHECK(wordnet.name_of(188) == "thing_ah.n.01");
}

TEST_CASE("a synset that is not there is named", "[host][wordnet]") {
    const WordNet wordnet(small());
    const auto complaint = [&wordnet](const std::string& name) { return error_of([&] { wordnet.synset(name); }); };
    CHECK(complaint("thing_ah.n.02") == "WordNet has no synset \"thing_ah.n.02\": the noun \"thing_ah\" has 1 senses");
    CHECK(complaint("nothing.n.01") == "WordNet has no synset \"nothing.n.01\": the noun \"nothing\" has 0 senses");
    CHECK(complaint("run.v.01") == "\"run.v.01\" is no name of a synset, expected one like dog.n.01 or n02084071");
    CHECK(complaint("n00000189") ==
          (small() / "data.noun").string() + ": synset 00000189: there is no synset at this offset");
    CHECK(complaint("n99999999") ==
          (small() / "data.noun").string() + ": synset 99999999: there is no synset at this offset");
}

TEST_CASE("a database that is missing or damaged is named", "[host][wordnet]") {
    CHECK(error_of<FileError>([] { WordNet("/nonexistent"); }) ==
          "/nonexistent/data.noun: no such file of WordNet's: install Debian's package wordnet-base, or give --wordnet "
          "DIR");
    const Changed number("index.noun", "same_0 n 5", "same_0 n x");
    CHECK(error_of<FileError>([&] { WordNet(number.path()); }) ==
          (number.path() / "index.noun").string() + ": line 3: \"x\" where a number was expected");
    const Changed early("index.noun", "same_0 n 5", "same_0 n 6");
    CHECK(error_of<FileError>([&] { WordNet(early.path()); }) ==
          (early.path() / "index.noun").string() + ": line 3: the line ends early");
    const Changed pointers("data.noun", "same_1 0 002", "same_1 0 009");
    CHECK(error_of<FileError>([&] { WordNet(pointers.path()).synset("n00000188"); }) ==
          (pointers.path() / "data.noun").string() + ": synset 00000188: the line ends early");
    // Replaces the root's first pointer, which is to a hyponym, by one to a hypernym that is itself below the root.
    const Changed circle("data.noun", "same_0 0 002 ~ 00000099", "same_0 0 002 @ 00000277");
    CHECK(error_of<FileError>([&] { WordNet(circle.path()).wup_similarity(277, 188); }) ==
          (circle.path() / "data.noun").string() + ": the hypernyms of synset 00000277 run in a circle");
}

TEST_CASE("CIFAR-100 has 20 superclasses of five classes", "[host][wordnet]") {
    std::map<std::string_view, int> sizes;
    std::set<std::string_view> names;
    for (const train::Cifar100Class& one : train::cifar100_classes()) {
        ++sizes[one.superclass];
        names.insert(one.name);
    }
    CHECK(names.size() == 100);
    CHECK(sizes.size() == 20);
    for (const auto& [superclass, size] : sizes) CHECK(size == 5);
}

TEST_CASE("the superclasses are those of CIFAR-100's files", "[host][wordnet]") {
    const char* const data = std::getenv("RADIAL_DATA");
    const fs::path folder = fs::path(data == nullptr ? "" : data) / "cifar-100-binary";
    if (data == nullptr || !fs::exists(folder / "test.bin")) {
        std::cout << "RADIAL_DATA names no folder with cifar-100-binary/: the test on its superclasses is skipped\n";
        return;
    }
    const auto lines = [&folder](const char* file) {
        std::ifstream stream(folder / file);
        std::vector<std::string> names;
        for (std::string name; stream >> name;) names.push_back(name);
        return names;
    };
    const std::vector<std::string> fine = lines("fine_label_names.txt"), coarse = lines("coarse_label_names.txt");
    const std::vector<std::string> superclasses = train::superclasses_of(fine, {});
    const std::string records = read_text(folder / "test.bin");
    for (std::size_t at = 0; at < records.size(); at += 3074) {
        const auto superclass = static_cast<unsigned char>(records[at]),
                   label = static_cast<unsigned char>(records[at + 1]);
        REQUIRE(superclasses.at(label) == coarse.at(superclass));
    }
}

TEST_CASE("classes are looked up by a given synset, an ImageNet folder, or the first sense", "[host][wordnet]") {
    const WordNet wordnet(small());
    train::InputNotes notes;
    notes.class_names = {"Thing aa, the first", "thing_ao", "odd"};
    notes.class_folders = {"aa", "n00000188", "odd"};
    CHECK(train::synsets_of(wordnet, notes, {{"odd", "thing_ao.n.01"}}) == std::vector<WordNet::Synset>{99, 188, 277});
    CHECK(error_of([&] { train::synsets_of(wordnet, notes, {}); }) ==
          "WordNet has no noun for the class \"odd\": name its synset in a file for --synsets, with a line such as "
          "\"odd dog.n.01\"");
    CHECK(error_of([&] {
              train::synsets_of(wordnet, notes, {{"even", "thing_ao.n.01"}});
          }) == "\"even\" is no class of the checkpoint");
}

TEST_CASE("a file of classes and words is read, and what is wrong in it is named", "[host][wordnet]") {
    const TemporaryFolder folder;
    const auto words = [&folder](const std::string& text) {
        write_text(folder / "words.txt", text);
        return train::read_class_words(folder / "words.txt");
    };
    CHECK(words("# comment\n\ncrane crane.n.04\r\n polar bear\tice_bear.n.01 ") ==
          std::map<std::string, std::string>{{"crane", "crane.n.04"}, {"polar bear", "ice_bear.n.01"}});
    const std::string file = (folder / "words.txt").string();
    CHECK(error_of<FileError>([&] { words("a b\ncrane\n"); }) ==
          file + ": line 2: \"crane\", expected the name of a class and a word");
    CHECK(error_of<FileError>([&] { words("a b\n\na c\n"); }) == file + ": line 3: \"a\" a second time");
}

TEST_CASE("given superclasses must name every class and no other", "[host][wordnet]") {
    const std::vector<std::string> names = {"cat", "car", "dog"};
    CHECK(train::superclasses_of(names, {}).empty());
    const std::vector<std::string> found =
        train::superclasses_of(names, {{"cat", "pets"}, {"dog", "pets"}, {"car", "cars"}});
    CHECK(found == std::vector<std::string>{"pets", "cars", "pets"});
    CHECK(train::order_by_superclass(names, found) == std::vector<std::size_t>{1, 0, 2});
    CHECK(train::order_by_superclass(names, {}) == std::vector<std::size_t>{0, 1, 2});
    CHECK(error_of([&] {
              train::superclasses_of(names, {{"cat", "pets"}, {"dog", "pets"}});
          }) == "the class \"car\" has no superclass");
    CHECK(error_of([&] {
              train::superclasses_of(names, {{"rat", "pets"}});
          }) == "\"rat\" is no class of the checkpoint");
}

}  // namespace radial::test
