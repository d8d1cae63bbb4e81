// Escapes and quotes fields of CSV tables.
#include "radial/apps/train/console/csv.h"

#include "radial/apps/train/console/safe_text.h"

#include <algorithm>

namespace radial::train {
namespace {

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

std::string csv_name(const std::string& name) { return quoted((looks_like_formula(name) ? "'" : "") + shown(name)); }

std::string csv_path(const std::filesystem::path& file) {
    const std::string path = (looks_like_formula(file.string()) ? "./" : "") + file.string();
    const bool plain = std::all_of(path.begin(), path.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r';
    });
    return quoted(plain ? path : shown(path));
}

}  // namespace radial::train
