// Includes Catch2 version 2 (Debian 12) or 3 (Debian 13) and defines how Catch2 prints a long vector.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
#else
#include <catch2/catch.hpp>
inline auto ContainsSubstring(const std::string& text) { return Catch::Matchers::Contains(text); }
#endif

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

namespace Catch {

template <class T, class A>
struct is_range<std::vector<T, A>> : std::false_type {};  // so that the StringMaker below is used

/// A failed check prints the first elements of a long vector and the number of the remaining ones. To see where two
/// vectors differ, check radial::test::differences.
template <class T, class A>
struct StringMaker<std::vector<T, A>> {
    static std::string convert(const std::vector<T, A>& values) {
        constexpr std::size_t most = 32, first = 8;
        const std::size_t shown = values.size() <= most ? values.size() : first;
        std::string text = "{ ";
        for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + Detail::stringify(values[i]);
        if (shown < values.size()) text += ", and " + std::to_string(values.size() - shown) + " more";
        return text + " }";
    }
};

}  // namespace Catch
