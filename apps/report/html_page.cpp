// Head, style and foot of a page.
#include "radial/apps/report/html_page.h"

#include "radial/apps/report/report_style.h"
#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/version.h"

#include <fmt/core.h>

namespace radial::train {

std::string html_section(const std::string& name, const std::string& note, const std::string& body,
                         const std::string& css_class) {
    const std::string text = note.empty() ? "" : "<p class=\"note\">" + escape_html(note) + "</p>\n";
    return fmt::format("<section class=\"{}\"><h2>{}</h2>\n{}{}</section>\n", css_class, escape_html(name), text, body);
}

std::string html_page(const std::string& title, const std::string& subtitle, const std::string& body) {
    return fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{0}</title>\n"
        "<style>{1}</style></head>\n<body><main>\n<h1>{0}</h1>\n<p class=\"subtitle\">{2}</p>\n{3}"
        "<footer>Radial {4}</footer>\n</main></body></html>\n",
        escape_html(title), report_style, escape_html(subtitle), body, version);
}

std::string escape_html(const std::string& text) {
    std::string escaped;
    for (const char c : shown_lines(text)) {
        switch (c) {
            case '&':
                escaped += "&amp;";
                break;
            case '<':
                escaped += "&lt;";
                break;
            case '>':
                escaped += "&gt;";
                break;
            case '"':
                escaped += "&quot;";
                break;
            default:
                escaped += c;
        }
    }
    return escaped;
}

}  // namespace radial::train
