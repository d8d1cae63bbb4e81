// Reads WordNet's data.noun and index.noun, and walks the hypernyms as NLTK does.
#include "radial/apps/prototypes/wordnet.h"

#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <limits>
#include <string_view>

namespace radial::train {
namespace {

namespace fs = std::filesystem;

/// The root that NLTK adds above all roots for a version of WordNet whose nouns have several.
constexpr WordNet::Synset simulated_root = -1;
constexpr std::size_t largest_file = std::size_t{1} << 30;
constexpr std::int64_t largest_number = std::int64_t{1} << 40;  ///< the largest offset or count

/// The words of one line, in turn. Throws FileError, naming the file and the line, where one is missing or no number.
class Words {
public:
    Words(std::string_view line, std::string place) : rest_(line), place_(std::move(place)) {}

    std::string_view word() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size()));
        const std::string_view word = rest_.substr(0, rest_.find(' '));
        if (word.empty() || word == "|") throw FileError(place_ + ": the line ends early");
        rest_.remove_prefix(word.size());
        return word;
    }
    std::int64_t number(int base = 10) {
        const std::string_view text = word();
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
        if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > largest_number)
            throw FileError(fmt::format("{}: \"{}\" where a number was expected", place_, text));
        return value;
    }

private:
    std::string_view rest_;
    std::string place_;
};

/// The line that starts at `begin`, without its end.
std::string_view line_at(std::string_view text, std::size_t begin) {
    return text.substr(begin, std::min(text.find('\n', begin), text.size()) - begin);
}

/// Converts a word to its form in the index: in lower case, with underscores for spaces.
std::string as_in_index(std::string_view word) {
    std::string text(word);
    for (char& c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        if (c == ' ') c = '_';
    }
    return text;
}

std::optional<std::int64_t> number_in(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value < 0) return {};
    return value;
}

std::string read(const fs::path& file) {
    if (!fs::exists(file)) {
        throw FileError(
            fmt::format("{}: no such file of WordNet's: install Debian's package wordnet-base, or give --wordnet DIR",
                        file.string()));
    }
    return read_file(file, largest_file);
}

}  // namespace

WordNet::WordNet(const fs::path& folder)
    : data_file_(folder / "data.noun"), index_file_(folder / "index.noun"), data_(read(data_file_)) {
    const std::string index = read(index_file_);
    // The lines of the licence begin with spaces; one has the version: "WordNet 3.0 Copyright 2006 by".
    for (std::size_t at = 0; at < data_.size() && data_[at] == ' '; at += line_at(data_, at).size() + 1) {
        const std::string_view line = line_at(data_, at);
        const std::size_t begin = line.find("WordNet "), end = line.find(" Copyright");
        if (version_.empty() && begin != line.npos && end != line.npos && begin + 8 < end)
            version_ = line.substr(begin + 8, end - begin - 8);
    }
    read_index(index);
}

void WordNet::read_index(const std::string& text) {
    std::int64_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view line = line_at(text, at);
        at += line.size() + 1;
        ++number;
        if (line.empty() || line.front() == ' ') continue;
        // lemma pos synset_cnt p_cnt [ptr_symbol...] sense_cnt tagsense_cnt synset_offset...
        Words words(line, fmt::format("{}: line {}", index_file_.string(), number));
        std::vector<Synset>& senses = senses_[std::string(words.word())];
        words.word();
        const std::int64_t synsets = words.number();
        for (std::int64_t pointers = words.number() + 2; pointers > 0; --pointers) words.word();
        senses.clear();
        for (std::int64_t i = 0; i < synsets; ++i) senses.push_back(words.number());
    }
}

const WordNet::Entry& WordNet::entry(Synset synset) const {
    if (const auto known = entries_.find(synset); known != entries_.end()) return known->second;
    Entry entry;
    if (synset == simulated_root) {
        entry.word = "*ROOT*";
        return entries_.emplace(synset, std::move(entry)).first->second;
    }
    const auto at = static_cast<std::size_t>(synset);
    const std::string place = fmt::format("{}: synset {:08}", data_file_.string(), synset);
    const bool starts_line = synset >= 0 && at < data_.size() && (at == 0 || data_[at - 1] == '\n');
    if (!starts_line || number_in(line_at(data_, at).substr(0, 8)) != synset)
        throw FileError(place + ": there is no synset at this offset");
    // offset lex_filenum ss_type w_cnt [word lex_id]... p_cnt [symbol offset pos source/target]... | gloss
    Words words(line_at(data_, at), place);
    for (int i = 0; i < 3; ++i) words.word();
    for (std::int64_t i = 0, count = words.number(16); i < count; ++i) {
        const std::string_view word = words.word();
        if (i == 0) entry.word = as_in_index(word);
        words.word();
    }
    for (std::int64_t count = words.number(); count > 0; --count) {
        const std::string_view symbol = words.word();
        const Synset target = words.number();
        const std::string_view pos = words.word(), between = words.word();
        // "0000": a relation between the synsets, not between two of their words. "@i": the hypernym of an instance.
        if ((symbol == "@" || symbol == "@i") && pos == "n" && between == "0000") entry.hypernyms.push_back(target);
    }
    return entries_.emplace(synset, std::move(entry)).first->second;
}

const WordNet::Entry& WordNet::depths_of(Synset synset) const {
    entry(synset);
    Entry& found = entries_.at(synset);  // stays where it is: an unordered_map moves no element
    if (found.least_depth >= 0) return found;
    if (found.visited)
        throw FileError(fmt::format("{}: the hypernyms of synset {:08} run in a circle", data_file_.string(), synset));
    found.visited = true;
    std::int64_t least = found.hypernyms.empty() ? 0 : std::numeric_limits<std::int64_t>::max(), most = 0;
    for (const Synset hypernym : found.hypernyms) {
        const Entry& above = depths_of(hypernym);
        least = std::min(least, above.least_depth + 1);
        most = std::max(most, above.most_depth + 1);
    }
    found.visited = false;
    found.least_depth = least;
    found.most_depth = most;
    return found;
}

/// The steps from `synset` to itself and to each of its hypernyms, by the shortest path. In WordNet 1.6, the simulated
/// root is one step beyond the furthest hypernym.
std::unordered_map<WordNet::Synset, std::int64_t> WordNet::distances_from(Synset synset) const {
    if (synset == simulated_root) return {{synset, 0}};
    std::unordered_map<Synset, std::int64_t> distances;
    std::deque<std::pair<Synset, std::int64_t>> waiting = {{synset, 0}};
    std::int64_t furthest = 0;
    while (!waiting.empty()) {
        const auto [next, steps] = waiting.front();
        waiting.pop_front();
        if (!distances.emplace(next, steps).second) continue;
        furthest = std::max(furthest, steps);
        for (const Synset hypernym : entry(next).hypernyms) waiting.emplace_back(hypernym, steps + 1);
    }
    if (version_ == "1.6") distances.emplace(simulated_root, furthest + 1);
    return distances;
}

std::optional<std::int64_t> WordNet::distance(Synset a, Synset b) const {
    const auto from_a = distances_from(a), from_b = distances_from(b);
    std::optional<std::int64_t> shortest;
    for (const auto& [hypernym, steps] : from_a) {
        const auto other = from_b.find(hypernym);
        if (other != from_b.end()) shortest = std::min(shortest.value_or(steps + other->second), steps + other->second);
    }
    return shortest;
}

/// The common hypernym for wup_similarity(). `common` is not empty.
WordNet::Synset WordNet::subsumer(Synset a, const std::vector<Synset>& common) const {
    std::int64_t deepest = 0;
    for (const Synset each : common) deepest = std::max(deepest, depths_of(each).least_depth);
    std::optional<Synset> best;
    std::string best_name;
    for (const Synset each : common) {
        if (depths_of(each).least_depth != deepest) continue;
        if (each == a) return a;
        std::string name = name_of(each);
        if (best && best_name <= name) continue;
        best = each;
        best_name = std::move(name);
    }
    return *best;
}

std::optional<double> WordNet::wup_similarity(Synset a, Synset b) const {
    depths_of(a);  // throws for hypernyms that form a cycle
    depths_of(b);
    const auto from_a = distances_from(a), from_b = distances_from(b);
    std::vector<Synset> common;
    for (const auto& [hypernym, steps] : from_a)
        if (from_b.contains(hypernym)) common.push_back(hypernym);
    if (common.empty()) return {};
    const Synset shared = subsumer(a, common);
    const double depth = static_cast<double>(depths_of(shared).most_depth) + 1;
    // Both reach `shared`, so there is a path.
    const auto steps_a = static_cast<double>(distance(a, shared).value());
    const auto steps_b = static_cast<double>(distance(b, shared).value());
    return 2 * depth / (depth + steps_a + depth + steps_b);
}

std::optional<WordNet::Synset> WordNet::first_sense(const std::string& noun) const {
    const auto found = senses_.find(as_in_index(noun));
    if (found == senses_.end() || found->second.empty()) return {};
    return found->second.front();
}

WordNet::Synset WordNet::synset(const std::string& name) const {
    if (name.size() == 9 && name.front() == 'n') {
        if (const auto offset = number_in(std::string_view(name).substr(1))) {
            entry(*offset);
            return *offset;
        }
    }
    const std::size_t dot = name.rfind(".n.");
    const auto sense = dot == name.npos ? std::nullopt : number_in(std::string_view(name).substr(dot + 3));
    RADIAL_CHECK(sense, "\"{}\" is no name of a synset, expected one like dog.n.01 or n02084071", name);
    const std::string noun = as_in_index(name.substr(0, dot));
    const auto found = senses_.find(noun);
    const std::int64_t count = found == senses_.end() ? 0 : std::ssize(found->second);
    RADIAL_CHECK(*sense >= 1 && *sense <= count, "WordNet has no synset \"{}\": the noun \"{}\" has {} senses", name,
                 noun, count);
    return found->second[static_cast<std::size_t>(*sense - 1)];
}

std::string WordNet::name_of(Synset synset) const {
    const Entry& found = entry(synset);
    if (synset == simulated_root) return found.word;
    const auto senses = senses_.find(found.word);
    const auto begin = senses == senses_.end() ? std::vector<Synset>::const_iterator() : senses->second.begin();
    const auto at = senses == senses_.end() ? begin : std::find(begin, senses->second.end(), synset);
    if (senses == senses_.end() || at == senses->second.end())
        throw FileError(fmt::format("{}: \"{}\" does not have synset {:08}, which data.noun gives it",
                                    index_file_.string(), found.word, synset));
    return fmt::format("{}.n.{:02}", found.word, at - begin + 1);
}

}  // namespace radial::train
