// Tests of the cache of plans: the values that it keeps and those that it drops.
#include "radial/core/util/lru_cache.h"
#include "../../catch.h"

#include <string>
#include <vector>

using radial::LruCache;

namespace {

/// A cache with room for two values, and the keys for which a value was computed, in order.
struct Recorder {
    LruCache<int, std::string> cache{2};
    std::vector<int> made = {};

    std::string get(int key) {
        return cache.get(key, [&] {
            made.push_back(key);
            return "value " + std::to_string(key);
        });
    }
};

}  // namespace

TEST_CASE("a cached value is made once", "[host]") {
    Recorder recorder;
    CHECK(recorder.get(1) == "value 1");
    CHECK(recorder.get(1) == "value 1");
    CHECK(recorder.made == std::vector<int>{1});
}

TEST_CASE("a full cache forgets the value that was used longest ago", "[host]") {
    Recorder recorder;
    recorder.get(1);
    recorder.get(2);
    recorder.get(1);
    recorder.get(3);  // replaces 2
    CHECK(recorder.cache.size() == 2);
    CHECK(recorder.get(1) == "value 1");
    CHECK(recorder.made == std::vector<int>{1, 2, 3});
    CHECK(recorder.get(2) == "value 2");
    CHECK(recorder.made == std::vector<int>{1, 2, 3, 2});
}

TEST_CASE("a value that cannot be made leaves the cache as it was", "[host]") {
    Recorder recorder;
    recorder.get(1);
    CHECK_THROWS_AS(recorder.cache.get(2, []() -> std::string { throw std::string("no"); }), std::string);
    CHECK(recorder.cache.size() == 1);
    CHECK(recorder.get(2) == "value 2");
}
