// The classes that a network thinks likeliest.
#pragma once

#include "radial/core/tensor/tensor.h"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace radial::predict {

/// A class and its probability.
struct Guess {
    std::int64_t index = 0;
    double probability = 0;
};

/// For each row of logits [N, classes] its `count` likeliest classes, or all when there are fewer, the likeliest first.
/// Throws NumericError for a NaN or an infinity, under the name of its row's file where there are `files`.
std::vector<std::vector<Guess>> rank(const Tensor& logits, std::int64_t count,
                                     std::span<const std::filesystem::path> files = {});

/// The rankings of many files: a CSV table (RFC 4180) with the columns file, class_1, score_1, class_2 ...
/// A file or a class whose name begins with =, +, -, @, a tab or a carriage return, which spreadsheets take for a
/// formula, gets "./" or an apostrophe before it. Characters that a terminal obeys are written as in \x1b.
class RankingTable {
public:
    /// `names` has one name a class, or none: then classes are numbers.
    RankingTable(std::vector<std::string> names, std::int64_t count);
    void add(const std::filesystem::path& file, const std::vector<Guess>& guesses);
    const std::string& text() const { return text_; }

private:
    std::vector<std::string> names_;
    std::string text_;
};

/// What a class is called: its name, or its number where there are no names.
std::string class_name(const std::vector<std::string>& names, std::int64_t index);

}  // namespace radial::predict
