// A list of named entries, built in or added by users.
#pragma once

#include "radial/core/util/error.h"
#include "radial/core/util/text.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace radial {

/// Entries in the order in which they were added, each with a unique `name`. References to entries stay valid when
/// others are added, but not when one is removed. Add entries before work starts: the list must not change while
/// another thread reads it.
template <class Entry>
class Registry {
public:
    /// The built-in entries. `what` and `plural` name an entry and entries in messages, as "loss" and "losses".
    Registry(std::string what, std::string plural, std::vector<Entry> entries)
        : what_(std::move(what)),
          plural_(std::move(plural)),
          entries_(std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end())),
          built_in_(entries_.size()) {}

    /// Adds an entry. Throws Error when its name is taken, or is not a letter followed by letters, digits, hyphens and
    /// underscores.
    void add(Entry entry) {
        const std::string& name = entry.name;
        const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
        const bool fits = !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char c) {
            return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
        RADIAL_CHECK(
            fits, "\"{}\" cannot be the name of a {}: expected a letter, then letters, digits, hyphens and underscores",
            name, what_);
        RADIAL_CHECK(find(name) == nullptr, "there is a {} called \"{}\" already", what_, name);
        entries_.push_back(std::move(entry));
    }
    /// Removes an entry that was added by add(). Throws Error when there is none with this name.
    void remove(std::string_view name) {
        const auto added = entries_.begin() + static_cast<std::ptrdiff_t>(built_in_);
        const auto found = std::find_if(added, entries_.end(), [&](const Entry& e) { return e.name == name; });
        RADIAL_CHECK(found != entries_.end(), "no {} called \"{}\" was registered", what_, name);
        entries_.erase(found);
    }

    /// The entry with this name; null if there is none.
    const Entry* find(std::string_view name) const {
        const auto found = std::find_if(begin(), end(), [&](const Entry& entry) { return entry.name == name; });
        return found == end() ? nullptr : &*found;
    }
    /// The entry with this name. If there is none, throws an Error that lists the names and suggests the nearest.
    const Entry& at(std::string_view name) const {
        if (const Entry* const entry = find(name)) return *entry;
        const std::vector<std::string> all = names();
        throw Error(fmt::format("no {} is called \"{}\"; did you mean {}? The {} are {}", what_, name,
                                nearest(name, all), plural_, fmt::join(all, ", ")));
    }
    /// All names in order.
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        all.reserve(size());
        for (const Entry& entry : entries_) all.push_back(entry.name);
        return all;
    }

    ///@{
    /// The entries as a range.
    auto begin() const { return entries_.begin(); }
    auto end() const { return entries_.end(); }
    ///@}
    /// The number of entries.
    std::size_t size() const { return entries_.size(); }
    /// Whether there are no entries.
    bool empty() const { return entries_.empty(); }
    /// Entry number `i`, unchecked.
    const Entry& operator[](std::size_t i) const { return entries_[i]; }

private:
    std::string what_, plural_;
    std::deque<Entry> entries_;
    std::size_t built_in_;
};

}  // namespace radial
