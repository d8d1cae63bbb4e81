// Splits a table of comma-separated values into rows and fields.
#include "radial/data/csv.h"

#include "radial/core/io/files.h"
#include "radial/core/util/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace radial::data {
namespace {

class CsvReader {
public:
    CsvReader(const std::filesystem::path& path, std::string_view text) : path_(path), text_(text) {
        constexpr std::string_view mark = "\xEF\xBB\xBF";
        if (text_.starts_with(mark)) at_ = mark.size();
    }

    std::vector<CsvRow> rows() {
        std::vector<CsvRow> all;
        while (at_ < text_.size()) {
            if (end_of_line()) continue;
            CsvRow row{.line = line_, .fields = {field()}};
            while (at_ < text_.size() && text_[at_] == ',') {
                ++at_;
                row.fields.push_back(field());
            }
            if (at_ < text_.size() && !end_of_line()) fail(line_, "text after a closing quote");
            all.push_back(std::move(row));
        }
        return all;
    }

private:
    /// Skips the end of a line at the current position. Returns whether there is one.
    bool end_of_line() {
        const std::string_view rest = text_.substr(at_);
        const std::size_t length = rest.starts_with("\r\n") ? 2 : rest.starts_with('\n') ? 1 : 0;
        at_ += length;
        line_ += length > 0 ? 1 : 0;
        return length > 0;
    }
    std::string field() {
        if (at_ < text_.size() && text_[at_] == '"') return quoted();
        std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
        if (end < text_.size() && text_[end] == '\n' && end > at_ && text_[end - 1] == '\r') --end;
        std::string found(text_.substr(at_, end - at_));
        at_ = end;
        return found;
    }
    std::string quoted() {
        const std::size_t begin = line_;
        std::string found;
        for (++at_; at_ < text_.size(); ++at_) {
            const char c = text_[at_];
            if (c == '"') {
                if (!text_.substr(at_ + 1).starts_with('"')) {
                    ++at_;
                    return found;
                }
                ++at_;
            }
            if (c == '\n') ++line_;
            found += c;
        }
        fail(begin, "a quote that is not closed");
    }
    [[noreturn]] void fail(std::size_t line, std::string_view problem) const {
        throw FileError(fmt::format("{}: line {}: {}", path_.string(), line, problem));
    }

    const std::filesystem::path& path_;
    std::string_view text_;
    std::size_t at_ = 0, line_ = 1;
};

}  // namespace

std::vector<CsvRow> read_csv(const std::filesystem::path& path, std::size_t most) {
    const std::string text = read_file(path, most);
    return CsvReader(path, text).rows();
}

}  // namespace radial::data
