// The style sheet of a run's report.
#pragma once

#include <string_view>

namespace radial::apps {

inline constexpr std::string_view report_style = R"css(
:root { color-scheme: light dark; --page: #f6f6f3; --card: #ffffff; --ink: #1c1c1a; --soft: #62625c; --rule: #e2e2dc;
  --s0: #2a6fc9; --s1: #d95f1e; --s2: #1a8f6a; --right: 42 111 201; --wrong: 217 95 30;
  --c0: #4e79a7; --c1: #f28e2b; --c2: #e15759; --c3: #5fb3ad; --c4: #59a14f;
  --c5: #d9b32c; --c6: #b07aa1; --c7: #f58a97; --c8: #9c755f; --c9: #85888c; }
@media (prefers-color-scheme: dark) {
  :root { --page: #161615; --card: #20201e; --ink: #ecece7; --soft: #a3a39b; --rule: #363632;
    --s0: #5b9ae8; --s1: #ee8248; --s2: #3fb98f; --right: 91 154 232; --wrong: 238 130 72; } }
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
.grid2 { margin-bottom: 16px; }
svg { display: block; width: 100%; height: auto; }
.runs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(360px, 100%), 1fr)); gap: 16px; margin: 12px 0 16px; }
.runs section { margin-bottom: 0; } .runs h2 { overflow-wrap: anywhere; }
/* Small charts: what is written in them stays as large as the page's. */
.runs .tick { font-size: 19px; } .runs .dots { stroke-width: 4; } .runs .ray { stroke-width: 3; }
.runs .prototype circle { r: 14px; stroke-width: 4; } .runs .prototype text { font-size: 19px; }
.runs p.fact { margin: 0 0 8px; } .runs p.note { margin: 10px 0 0; overflow-wrap: anywhere; }
.scatter svg { max-width: 720px; margin: 0 auto; }
.grid { stroke: var(--rule); } .axis { stroke: var(--soft); }
.tick { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
.series path { fill: none; stroke-width: 2; stroke-linejoin: round; }
.series circle { stroke: var(--card); stroke-width: 1.5; }
.s0 path { stroke: var(--s0); } .s1 path { stroke: var(--s1); } .s2 path { stroke: var(--s2); }
.s0 circle { fill: var(--s0); } .s1 circle { fill: var(--s1); } .s2 circle { fill: var(--s2); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0 0 8px; padding: 0; list-style: none;
  color: var(--soft); font-size: 13px; }
.legend b { color: var(--ink); font-weight: 600; }
.legend i { display: inline-block; margin-right: 6px; vertical-align: middle; }
i.line { width: 16px; height: 3px; border-radius: 2px; } i.dot { width: 10px; height: 10px; border-radius: 50%; }
i.s0 { background: var(--s0); } i.s1 { background: var(--s1); } i.s2 { background: var(--s2); }
.dots { fill: none; stroke-width: 3.2; stroke-linecap: round; stroke-opacity: 0.6; }
.ray { stroke-width: 2; }
.far circle { stroke-dasharray: 4 3; }
.prototype circle { fill: var(--card); stroke-width: 3; }
.prototype text { fill: var(--ink); font-size: 12px; font-weight: 700; text-anchor: middle; dominant-baseline: central; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th { font-weight: 600; color: var(--soft); text-align: right; }
td, th { padding: 4px 10px; text-align: right; white-space: nowrap; }
.numbers { width: 100%; } .numbers th { white-space: normal; vertical-align: bottom; } .numbers td { border-top: 1px solid var(--rule); } .numbers tr.best td { font-weight: 600; }
.settings td, .settings th { text-align: left; border-top: 1px solid var(--rule); }
.settings { width: 100%; } .settings td { white-space: normal; overflow-wrap: anywhere; }
.confusion { width: 100%; table-layout: fixed; } .confusion td, .confusion th { padding: 5px 4px; white-space: normal; }
.confusion td { text-align: center; border: 1px solid var(--card); border-radius: 4px; }
.confusion thead th { text-align: center; } td.none { color: var(--rule); } td.share { color: var(--soft); }
footer { color: var(--soft); font-size: 13px; }
)css";

}  // namespace radial::apps
