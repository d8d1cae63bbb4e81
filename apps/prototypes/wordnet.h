// Reads the nouns of WordNet, and computes the similarity of two of their senses.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace radial::train {

/// The nouns of a WordNet database (Fellbaum 1998), read from its files data.noun and index.noun, whose format
/// wndb(5WN) describes. A synset is a sense that several words may share. An object must not be used by several threads
/// at once.
class WordNet {
public:
    /// A synset: the offset of its line in data.noun.
    using Synset = std::int64_t;

    /// Reads the files in `folder`. Throws FileError, naming the file, when one is missing (the message says where to
    /// get it) or has a line that is not in the format.
    explicit WordNet(const std::filesystem::path& folder);

    /// The version that data.noun says it has, such as "3.0"; empty if it says none.
    const std::string& version() const { return version_; }
    /// The first sense of a noun, which is the most frequent one. Upper case counts as lower case and a space as an
    /// underscore; forms such as plurals are not reduced. Empty if there is no such noun.
    std::optional<Synset> first_sense(const std::string& noun) const;
    /// The synset with a name such as "dog.n.01" (one of its nouns, and the number of the sense among the senses of
    /// this noun, from 1), or with an ImageNet id such as "n02084071". Throws Error when there is none.
    Synset synset(const std::string& name) const;
    /// The name of a synset, made of its first word: "dog.n.01". Throws FileError when data.noun has no synset there,
    /// or when index.noun does not list it.
    std::string name_of(Synset synset) const;

    /// The similarity of Wu and Palmer (1994) as NLTK's Synset.wup_similarity() computes it, in (0, 1]:
    ///
    ///     2 depth / (depth + distance(a, s) + depth + distance(b, s)).
    ///
    /// s is the common hypernym whose shortest path to the root is longest; of several, `a` itself, or else the first
    /// in alphabetical order of name. depth is the number of synsets on the longest path from s to the root, both
    /// included, and distance the number of steps of the shortest path through a common hypernym. As in NLTK, the order
    /// of `a` and `b` can matter. Returns nothing if they have no common hypernym; in WordNet 1.6, whose nouns have
    /// several roots, a root above all of them is assumed. Throws FileError when the hypernyms form a cycle.
    std::optional<double> wup_similarity(Synset a, Synset b) const;

private:
    /// The line of a synset in data.noun, and the depths computed from it.
    struct Entry {
        std::string word;  ///< the first, in lower case
        std::vector<Synset> hypernyms;
        std::int64_t least_depth = -1, most_depth = -1;  ///< steps to the root; -1: not yet known
        bool visited = false;                            ///< on the path that depths_of() follows
    };
    const Entry& entry(Synset synset) const;
    const Entry& depths_of(Synset synset) const;
    std::unordered_map<Synset, std::int64_t> distances_from(Synset synset) const;
    std::optional<std::int64_t> distance(Synset a, Synset b) const;
    Synset subsumer(Synset a, const std::vector<Synset>& common) const;
    void read_index(const std::string& text);

    std::filesystem::path data_file_, index_file_;
    std::string data_, version_;
    std::unordered_map<std::string, std::vector<Synset>> senses_;  ///< by noun, in lower case
    mutable std::unordered_map<Synset, Entry> entries_;
};

}  // namespace radial::train
