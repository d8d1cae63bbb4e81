// The style sheet of every page, its head and foot, and tables in Markdown and HTML.
#include "radial/apps/report/html_page.h"

#include "radial/apps/train/console/safe_text.h"
#include "radial/apps/train/run/version.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace radial::train {
namespace {

constexpr std::string_view report_style = R"css(
:root { color-scheme: light dark; --page: #f6f6f3; --card: #ffffff; --ink: #1c1c1a; --soft: #62625c; --rule: #e2e2dc;
  --s0: #2a6fc9; --s1: #d95f1e; --s2: #1a8f6a; --s3: #8a55b8;
  --s4: #b0851c; --s5: #c2417c; --s6: #3a96a8; --s7: #77716a; --right: 42 111 201; --wrong: 217 95 30;
  --c0: #4e79a7; --c1: #f28e2b; --c2: #e15759; --c3: #5fb3ad; --c4: #59a14f;
  --c5: #d9b32c; --c6: #b07aa1; --c7: #f58a97; --c8: #9c755f; --c9: #85888c; }
@media (prefers-color-scheme: dark) {
  :root { --page: #161615; --card: #20201e; --ink: #ecece7; --soft: #a3a39b; --rule: #363632;
    --s0: #5b9ae8; --s1: #ee8248; --s2: #3fb98f; --s3: #b58be0;
    --s4: #d9b04a; --s5: #ea7bb0; --s6: #62c2d4; --s7: #a8a29a; --right: 91 154 232; --wrong: 238 130 72; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 20px 48px; }
h1 { margin: 0; font-size: 26px; line-height: 1.25; }
h2 { margin: 0 0 8px; font-size: 16px; }
p.subtitle { margin: 4px 0 24px; color: var(--soft); }
p.note { margin: 0 0 10px; color: var(--soft); font-size: 13px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-bottom: 16px; }
.tile, section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
.tile { padding: 12px 16px; }
.tile span { display: block; color: var(--soft); font-size: 13px; }
.tile b { font-size: 24px; font-weight: 600; font-variant-numeric: tabular-nums; }
.grid2 { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); gap: 16px; }
section { padding: 16px 18px; overflow-x: auto; min-width: 0; margin-bottom: 16px; }
.grid2 section { margin-bottom: 0; }
.grid2 section:last-child:nth-child(odd) { grid-column: 1 / -1; }
.grid2 { margin-bottom: 16px; }
svg { display: block; width: 100%; height: auto; }
.runs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(360px, 100%), 1fr)); gap: 16px; margin: 12px 0 16px; }
.runs section { margin-bottom: 0; } .runs h2 { overflow-wrap: anywhere; }
/* Small charts: what is written in them stays as large as the page's. */
.runs .tick { font-size: 19px; } .runs .dots { stroke-width: 4; } .runs .ray { stroke-width: 3; }
.runs .prototype circle { r: 14px; stroke-width: 4; } .runs .prototype text { font-size: 19px; }
.runs .many .prototype circle { r: 9px; stroke-width: 2.5; } .runs .many .prototype text { font-size: 11px; }
.runs p.fact { margin: 0 0 8px; } .runs p.note { margin: 10px 0 0; overflow-wrap: anywhere; }
.scatter svg { max-width: 720px; margin: 0 auto; }
.grid { stroke: var(--rule); } .axis { stroke: var(--soft); }
.tick { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.series path { fill: none; stroke-width: 2; stroke-linejoin: round; }
.series circle { stroke: var(--card); stroke-width: 1.5; }
.s0 { --line: var(--s0); } .s1 { --line: var(--s1); } .s2 { --line: var(--s2); } .s3 { --line: var(--s3); }
.s4 { --line: var(--s4); } .s5 { --line: var(--s5); } .s6 { --line: var(--s6); } .s7 { --line: var(--s7); }
.series path { stroke: var(--line); } .series circle { fill: var(--line); } .dashed path { stroke-dasharray: 7 4; }
.bin { fill: var(--s0); fill-opacity: 0.55; } .equal { stroke: var(--ink); stroke-dasharray: 5 4; }
.mean { fill: var(--s1); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 8px; padding: 0; list-style: none;
  color: var(--soft); font-size: 13px; }
.legend b { color: var(--ink); font-weight: 600; }
.legend i { display: inline-block; margin-right: 6px; vertical-align: middle; }
i.line { width: 16px; height: 3px; border-radius: 2px; } i.dot { width: 10px; height: 10px; border-radius: 50%; }
i.line { background: var(--line); }
i.dashed { background: repeating-linear-gradient(90deg, var(--line) 0 5px, transparent 5px 8px); }
.dots { fill: none; stroke-width: 3.2; stroke-linecap: round; stroke-opacity: 0.6; }
.ray { stroke-width: 2; }
.far circle { stroke-dasharray: 4 3; }
.prototype circle { fill: var(--card); stroke-width: 3; }
.prototype text { fill: var(--ink); font-size: 12px; font-weight: 700; text-anchor: middle; dominant-baseline: central; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th { font-weight: 600; color: var(--soft); text-align: right; }
td, th { padding: 4px 10px; text-align: right; white-space: nowrap; }
.numbers { width: 100%; } .numbers th { white-space: normal; vertical-align: bottom; } .numbers td { border-top: 1px solid var(--rule); } .numbers tr.best td { font-weight: 600; }
.named td:first-child, .named th:first-child { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 110px; }
td i.line, th i.line { display: inline-block; margin-right: 8px; vertical-align: middle; }
.differ thead th { overflow-wrap: anywhere; white-space: normal; min-width: 120px; vertical-align: bottom; border: 0; }
.settings td, .settings th { text-align: left; border-top: 1px solid var(--rule); }
.settings { width: 100%; } .settings td { white-space: normal; overflow-wrap: anywhere; }
.confusion { width: 100%; min-width: 470px; table-layout: fixed; } .confusion th:first-child { width: 88px; }
.confusion th { font-size: 12px; line-height: 1.2; overflow-wrap: anywhere; } .confusion thead th { vertical-align: bottom; }
.confusion.upright thead th { writing-mode: vertical-rl; transform: rotate(180deg); text-align: left; max-height: 150px; padding: 0 0 4px; }
.numbers .text { text-align: left; white-space: normal; }
.curves { display: grid; align-items: end; grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr)); gap: 16px; margin-top: 16px; }
.curves .tick { font-size: 14px; }
.confusion td { text-align: center; border: 1px solid var(--card); border-radius: 4px; }
.confusion thead th { text-align: center; } td.none { color: var(--rule); } td.share { color: var(--soft); }
.map { max-width: 720px; margin: 0 auto; } .map .frame { fill: none; stroke: var(--rule); }
.map path { shape-rendering: crispEdges; } .map .tick { font-size: 16px; }
.runs .map .tick { font-size: 24px; } .map image { image-rendering: pixelated; } .map .border { stroke: var(--card); stroke-opacity: 0.7; }
.ramp { display: grid; grid-template-columns: auto 1fr auto; gap: 10px; align-items: center; max-width: 640px; margin: 8px auto 0; color: var(--soft); font-size: 13px; font-variant-numeric: tabular-nums; }
.ramp i { height: 12px; border-radius: 3px; }
.key { columns: 320px; column-gap: 28px; margin: 0; padding: 0; list-style: none; font-size: 13px; }
.key li { break-inside: avoid; padding: 2px 0; overflow-wrap: anywhere; color: var(--soft); } .key b { color: var(--ink); font-weight: 600; }
.pairs { width: 100%; } .pairs td { border-top: 1px solid var(--rule); }
.pairs td:nth-child(-n+2), .pairs th:nth-child(-n+2) { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.bars { columns: 300px; column-gap: 28px; margin: 0; padding: 0; list-style: none; font-size: 13px; font-variant-numeric: tabular-nums; }
.bars li { display: grid; grid-template-columns: var(--name, 11ch) 1fr 52px; break-inside: avoid; gap: 10px; align-items: center; padding: 2px 0; }
.bars span { overflow-wrap: anywhere; line-height: 1.25; }
.bars i { height: 12px; background: var(--rule); border-radius: 3px; overflow: hidden; }
.bars u { display: block; height: 100%; background: var(--s0); } .bars b { text-align: right; font-weight: 600; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(280px, 100%), 1fr)); gap: 12px 28px; }
h3 { margin: 0 0 6px; font-size: 13px; color: var(--soft); } details { margin-top: 12px; } summary { cursor: pointer; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(112px, 1fr)); gap: 14px; }
figure { margin: 0; min-width: 0; } figcaption { margin-top: 4px; font-size: 12px; line-height: 1.35; }
figcaption span { display: block; color: var(--soft); } figcaption b { font-weight: 600; color: var(--ink); overflow-wrap: anywhere; }
.gallery img { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--page); border-radius: 4px; }
img.coarse { image-rendering: pixelated; }
@media (max-width: 600px) { main { padding: 20px 12px 32px; } section { padding: 12px; } h1 { font-size: 21px; }
  .tick { font-size: 17px; } .map .tick { font-size: 25px; } .gallery { grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); } }
footer { color: var(--soft); font-size: 13px; }
)css";

/// The number of characters of UTF-8 text: counts the bytes that do not continue a character.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths, std::size_t numbers) {
    std::string text;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string space(widths[i] - width_of(cells[i]), ' ');
        text += "| " + (i < numbers ? cells[i] + space : space + cells[i]) + " ";
    }
    return text + "|\n";
}

std::string row(const std::vector<std::string>& cells, const char* element, std::size_t numbers) {
    std::string html = "<tr>";
    for (std::size_t i = 0; i < cells.size(); ++i)
        html += fmt::format("<{0}{1}>{2}</{0}>", element, i < numbers ? " class=\"text\"" : "", escape_html(cells[i]));
    return html + "</tr>\n";
}

}  // namespace

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

std::string percent(double fraction) { return std::isnan(fraction) ? "–" : fmt::format("{:.2f}%", 100 * fraction); }

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

std::string to_markdown(const TextTable& table) {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < table.headers.size(); ++i) {
        std::size_t width = std::max<std::size_t>(3, width_of(table.headers[i]));
        for (const auto& cells : table.rows) width = std::max(width, width_of(cells[i]));
        widths.push_back(width);
    }
    std::string text = line(table.headers, widths, table.numbers_from);
    for (std::size_t i = 0; i < widths.size(); ++i) {
        const bool number = i >= table.numbers_from;
        text += "| " + std::string(widths[i] - (number ? 1 : 0), '-') + (number ? ": " : " ");
    }
    text += "|\n";
    for (const auto& cells : table.rows) text += line(cells, widths, table.numbers_from);
    return text;
}

std::string to_html(const TextTable& table) {
    std::string html =
        "<table class=\"numbers\"><thead>" + row(table.headers, "th", table.numbers_from) + "</thead><tbody>\n";
    for (const auto& cells : table.rows) html += row(cells, "td", table.numbers_from);
    return html + "</tbody></table>\n";
}

}  // namespace radial::train
