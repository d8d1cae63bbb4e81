// Decodes UTF-8, escapes characters that should not be printed, quotes fields of CSV tables, and opens and checks the
// standard streams.
#include "radial/apps/train/console/safe_text.h"

#include "radial/core/util/text.h"

#include <fmt/core.h>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>

namespace radial::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view latin1 = "latin1";

/// A character and the number of bytes that encode it; `bytes` is 0 if the text is not UTF-8.
struct Character {
    std::uint32_t code = 0;
    std::size_t bytes = 0;
};

/// The first character of `text`, which must not be empty.
Character first_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < bytes) return {};
    std::uint32_t code = lead & (0xFFU >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) return {};
        code = code << 6U | (byte(i) & 0x3FU);
    }
    // Rejects overlong encodings, UTF-16 surrogates, and codes beyond Unicode.
    static constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least.at(bytes) || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return {};
    return {code, bytes};
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t bytes = first_character(text).bytes;
        if (bytes == 0) return false;
        text.remove_prefix(bytes);
    }
    return true;
}

/// Whether a terminal or a page would interpret the character instead of showing it.
bool is_command(std::uint32_t code) {
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    const bool direction = code == 0x200E || code == 0x200F || code == 0x061C || (code >= 0x202A && code <= 0x202E) ||
                           (code >= 0x2066 && code <= 0x2069);
    return control || direction || code == 0x2028 || code == 0x2029;
}

std::string escaped(std::uint32_t code) {
    if (code == '\n') return "\\n";
    if (code == '\r') return "\\r";
    if (code == '\t') return "\\t";
    return code < 0x80 ? fmt::format("\\x{:02x}", code) : fmt::format("\\u{:04x}", code);
}

std::string shown_but(std::string_view text, std::string_view kept) {
    std::string result;
    while (!text.empty()) {
        const auto [code, bytes] = first_character(text);
        if (bytes == 0) {
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
        } else if (is_command(code) && kept.find(text.front()) == std::string_view::npos) {
            result += escaped(code);
        } else {
            result += text.substr(0, bytes);
        }
        text.remove_prefix(std::max<std::size_t>(bytes, 1));
    }
    return result;
}

/// Whether a spreadsheet program would interpret `text` as a formula.
bool looks_like_formula(const std::string& text) { return text.find_first_of("=+-@\t\r") == 0; }

/// A field of a CSV table, quoted if RFC 4180 requires it.
std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string field = "\"";
    for (const char c : text) field += c == '"' ? std::string("\"\"") : std::string(1, c);
    return field + "\"";
}

}  // namespace

std::string shown(std::string_view text) { return shown_but(text, ""); }

std::string shown_lines(std::string_view text) { return shown_but(text, "\n\t"); }

std::string shell_word(const std::filesystem::path& path) {
    const std::string text = (path.string().starts_with('-') ? "./" : "") + path.string();
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return text;
    if (shown(text) == text) {
        std::string word = "'";
        for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
        return word + "'";
    }
    std::string word = "$'";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\'' || c == '\\') {
            word += std::string("\\") + c;
        } else {
            word += byte < 0x20 || byte >= 0x7F ? fmt::format("\\{:03o}", byte) : std::string(1, c);
        }
    }
    return word + "'";
}

std::string csv_name(const std::string& name) { return quoted((looks_like_formula(name) ? "'" : "") + shown(name)); }

std::string csv_path(const std::filesystem::path& file) {
    const std::string path = (looks_like_formula(file.string()) ? "./" : "") + file.string();
    const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r';
    });
    return quoted(plain ? path : shown(path));
}

Json text_to_json(const std::string& text) {
    if (is_utf8(text)) return text;
    std::string converted;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            converted += c;
        } else {
            converted += static_cast<char>(0xC0U | byte >> 6U);
            converted += static_cast<char>(0x80U | (byte & 0x3FU));
        }
    }
    return {{std::string(latin1), converted}};
}

bool is_latin1_text(const Json& value) {
    if (!value.is_object() || value.size() != 1 || !value.contains(latin1) || !value.at(latin1.data()).is_string())
        return false;
    std::string_view text = value.at(latin1.data()).get_ref<const std::string&>();
    for (Character next; !text.empty(); text.remove_prefix(next.bytes)) {
        next = first_character(text);
        if (next.bytes == 0 || next.code > 0xFF) return false;
    }
    return true;
}

std::string text_from_json(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (!is_latin1_text(value)) return value.dump();
    std::string_view text = value.at(latin1.data()).get_ref<const std::string&>();
    std::string bytes;
    for (Character next; !text.empty(); text.remove_prefix(next.bytes)) {
        next = first_character(text);
        bytes += static_cast<char>(static_cast<unsigned char>(next.code));
    }
    return bytes;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& choices) {
    const std::string best = nearest(word, choices);
    if (best.empty() || word.size() > 2 * best.size() || 2 * edit_distance(word, best) > word.size()) return "";
    return fmt::format("; did you mean {}?", best);
}

namespace {

int first_error = 0;  // errno of the first error; stdio records only that an error occurred

/// The assumed error of an earlier write to stdout whose errno is no longer known: EPIPE if stdout is a pipe that
/// nobody reads any more, otherwise EIO.
int forgotten_error() {
    pollfd stream{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
    return poll(&stream, 1, 0) == 1 && (stream.revents & POLLERR) != 0 ? EPIPE : EIO;
}

void note_error() {
    if (first_error == 0) first_error = errno != 0 ? errno : forgotten_error();
}

}  // namespace

void open_standard_streams() {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(stream, F_GETFD) >= 0 || errno != EBADF) continue;
        // open() returns the lowest free descriptor, which is that of this stream, since those below it are open.
        if (open("/dev/null", O_RDONLY) != stream) _exit(1);
    }
}

void print_error(std::string_view text) {
    const std::string visible = shown_lines(text);
    std::fwrite(visible.data(), 1, visible.size(), stderr);
    std::fflush(stderr);
}

void print_on(std::string_view text) {
    errno = 0;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) note_error();
}

std::error_code output_error() {
    errno = 0;
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) note_error();
    return {first_error, std::generic_category()};
}

void check_output() {
    if (const std::error_code error = output_error()) throw std::system_error(error);
}

}  // namespace radial::train
