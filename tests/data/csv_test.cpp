// Tests of the reader of comma-separated values.
#include "radial/data/csv.h"

#include "../expect.h"
#include "scratch.h"

namespace radial::test {
namespace {

using Fields = std::vector<std::string>;

std::vector<data::CsvRow> rows_of(const std::string& text) {
    const Scratch folder;
    return data::read_csv(folder.write("t.csv", text));
}

std::string message_of(const std::string& text) {
    const Scratch folder;
    const std::filesystem::path path = folder.write("t.csv", text);
    return error_of<FileError>([&] { data::read_csv(path); }).substr(path.string().size());
}

}  // namespace

TEST_CASE("a table is split at commas and line ends of either kind", "[data][csv][host]") {
    const auto rows = rows_of("a,b\r\n1,\n\n,2");
    REQUIRE(rows.size() == 3);
    CHECK(rows[0].fields == Fields{"a", "b"});
    CHECK(rows[1].fields == Fields{"1", ""});
    CHECK(rows[2].fields == Fields{"", "2"});
    CHECK(rows[2].line == 4);
}

TEST_CASE("a quoted field may contain commas, quotes and line ends", "[data][csv][host]") {
    const auto rows = rows_of("\"a,\"\"b\"\"\nc\",d\ne,\"\"\n");
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].fields == Fields{"a,\"b\"\nc", "d"});
    CHECK(rows[1].fields == Fields{"e", ""});
    CHECK(rows[1].line == 3);
}

TEST_CASE("a byte order mark is not part of the first field", "[data][csv][host]") {
    CHECK(rows_of("\xEF\xBB\xBF"
                  "a,b\n")
              .at(0)
              .fields == Fields{"a", "b"});
}

TEST_CASE("an empty table has no rows", "[data][csv][host]") {
    CHECK(rows_of("").empty());
    CHECK(rows_of("\n\r\n").empty());
}

TEST_CASE("a malformed quote is refused by line", "[data][csv][host]") {
    CHECK(message_of("a,b\n\"c") == ": line 2: a quote that is not closed");
    CHECK(message_of("a,b\n\"c\"d,e\n") == ": line 2: text after a closing quote");
}

}  // namespace radial::test
