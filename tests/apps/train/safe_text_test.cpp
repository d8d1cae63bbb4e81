// Tests of users' text that is written to terminals, shells and JSON, and read back.
#include "radial/apps/train/console/safe_text.h"
#include "../../expect.h"
#include "../program.h"
#include "radial/apps/report/html_page.h"

#include <cstdlib>

namespace radial::test {

TEST_CASE("text that a terminal would obey is shown as escapes, any other as it is", "[host]") {
    CHECK(train::shown("a\x1b[2Jb\x7f\r\n") == "a\\x1b[2Jb\\x7f\\r\\n");
    CHECK(train::shown("\xc2\x9b"  // one character that begins a control sequence
                       "2J") == "\\u009b2J");
    CHECK(train::shown("\xe2\x80\xae"  // switches to right-to-left text
                       "gpj.exe") == "\\u202egpj.exe");
    CHECK(train::shown("B\xe4r") == "B\\xe4r");
    CHECK(train::shown("\xc0\xaf \xed\xa0\x80 \xe2\x82") == "\\xc0\\xaf \\xed\\xa0\\x80 \\xe2\\x82");
    CHECK(train::shown("B\xc3\xa4r, \xe7\x86\x8a, \xf0\x9f\x90\xbb") == "B\xc3\xa4r, \xe7\x86\x8a, \xf0\x9f\x90\xbb");
    CHECK(train::shown_lines("one\n\ttwo\x07") == "one\n\ttwo\\x07");
}

TEST_CASE("a page shows escapes of what a terminal would obey", "[host]") {
    CHECK(train::escape_html("<b>\x1b[31m") == "&lt;b&gt;\\x1b[31m");
}

TEST_CASE("a shell reads back the path that a word stands for", "[host]") {
    for (const std::string path : {"runs/a", "my run", "it's $HOME `x` \"q\" \\", "-x", "B\xe4r", "a\nb\x1b'c\\d",
                                   "B\xc3\xa4r;ls", "*", "~", "#1", "1.10"}) {
        const TemporaryFolder folder;
        const std::string command =
            "bash -c \"$(cat " + (folder / "command").string() + ")\" > " + (folder / "out").string();
        write_text(folder / "command", "printf %s " + train::shell_word(path));
        REQUIRE(std::system(command.c_str()) == 0);
        const std::string prefix = path.starts_with('-') ? "./" : "";
        CHECK(read_text(folder / "out") == prefix + path);
        CHECK(train::shown(train::shell_word(path)) == train::shell_word(path));
    }
    CHECK(train::shell_word("runs/a_1") == "runs/a_1");
    CHECK(train::shell_word("my run") == "'my run'");
}

TEST_CASE("every byte comes back from JSON as it was", "[host]") {
    std::string bytes;
    for (int byte = 1; byte < 256; ++byte) bytes += static_cast<char>(byte);
    for (const std::string& text : {bytes, std::string("1.10"), std::string("B\xc3\xa4r"), std::string("B\xe4r")}) {
        const std::string written = train::text_to_json(text).dump();
        CHECK(train::text_from_json(nlohmann::ordered_json::parse(written)) == text);
    }
    CHECK(train::text_to_json("B\xe4r").dump() == "{\"latin1\":\"B\xc3\xa4r\"}");
    CHECK_FALSE(train::is_latin1_text({{"latin1", "\xe7\x86\x8a"}}));
    CHECK_FALSE(train::is_latin1_text({{"latin1", 1}}));
}

}  // namespace radial::test
