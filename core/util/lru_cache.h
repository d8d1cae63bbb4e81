// A map that drops the least recently used entry, used for the plans of vendor primitives by shape.
#pragma once

#include <cstddef>
#include <list>
#include <unordered_map>
#include <utility>

namespace radial {

/// A map of the most recently used values, at most `capacity` of them. Not thread-safe.
template <class Key, class Value, class Hash = std::hash<Key>>
class LruCache {
public:
    /// Creates an empty cache.
    explicit LruCache(std::size_t capacity) : capacity_(capacity) {}

    /// The value of `key`, created by `make()` if it is not in the cache. The reference is valid until the next call.
    template <class Make>
    Value& get(const Key& key, const Make& make) {
        const auto found = index_.find(key);
        if (found != index_.end()) {
            order_.splice(order_.begin(), order_, found->second);
            return found->second->second;
        }
        order_.emplace_front(key, make());
        index_[key] = order_.begin();
        if (order_.size() > capacity_) {
            index_.erase(order_.back().first);
            order_.pop_back();
        }
        return order_.front().second;
    }

    /// The number of values.
    std::size_t size() const { return order_.size(); }

private:
    using Order = std::list<std::pair<Key, Value>>;
    std::size_t capacity_;
    Order order_;  // most recently used first
    std::unordered_map<Key, typename Order::iterator, Hash> index_;
};

}  // namespace radial
