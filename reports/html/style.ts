/**
 * The style sheet of report.html. Colours are variables, so that pictures follow the reader's theme; text on its
 * ground has a contrast of 4.5 or more in both themes, series of 3 or more.
 */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f6f7f9; --ink: #1c2024; --muted: #5b646d; --rule: #d9dee3;
  --accent: #1f5fbf; --good: #1b7f4d; --bad: #b8402a; --warn: #fff4d6;
  --c1: #1f5fbf; --c2: #b35a12; --c3: #1b7f4d; --c4: #7a4fc4; --c5: #a8356f; --c6: #0b7c86; --c7: #7c6a0a; --c8: #5b646d;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #15181b; --panel: #1d2125; --ink: #e6e9ec; --muted: #a0aab3; --rule: #343b42;
    --accent: #82b1ff; --good: #6bcf98; --bad: #f49a83; --warn: #3a3116;
    --c1: #82b1ff; --c2: #f2ab6d; --c3: #6bcf98; --c4: #bda2ff; --c5: #f196c3; --c6: #62cdd6; --c7: #d8c65c; --c8: #a0aab3;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; }
header, main, footer { max-width: 116rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: 1rem; font-weight: 600; color: var(--muted); margin: 0 0 .5rem; }
h2 { font-size: 1.3rem; margin: 0 0 .9rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .5rem; }
small { font-size: .85em; font-weight: 400; color: var(--muted); }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--paper); padding: .3rem .6rem; }
.verdict { font-size: clamp(1.25rem, 2.6vw, 1.7rem); line-height: 1.35; font-weight: 600; letter-spacing: -.01em; margin: 0 0 1.4rem; max-width: 54rem; text-wrap: pretty; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 0; margin: 0 0 1.5rem; border: 1px solid var(--rule); border-radius: .6rem; overflow: hidden; }
.tiles > div { padding: .8rem 1rem; background: var(--panel); box-shadow: 0 0 0 1px var(--rule); }
.tiles dt { font-size: .85rem; color: var(--muted); }
.tiles dd { margin: 0; font-size: 1.5rem; font-weight: 600; line-height: 1.3; }
.tiles small { display: block; font-size: .8rem; line-height: 1.35; overflow-wrap: anywhere; }
nav { border-bottom: 1px solid var(--rule); padding-bottom: 1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; margin: 0; padding: 0; font-size: .9rem; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
section { padding: 2rem 0 .4rem; }
p { margin: 0 0 .8rem; max-width: 54rem; overflow-wrap: anywhere; }
.note, figcaption { color: var(--muted); font-size: .875rem; max-width: 54rem; }
.warning { background: var(--warn); padding: .5rem .8rem; border-radius: .4rem; }
.scroll { overflow-x: auto; margin: 0 0 .7rem; }
table { border-collapse: collapse; font-size: .9rem; min-width: min(100%, 22rem); }
caption { text-align: left; color: var(--muted); font-size: .85rem; padding-bottom: .3rem; }
th, td { padding: .38rem .7rem; text-align: right; vertical-align: baseline; border-bottom: 1px solid var(--rule); font-weight: 400; white-space: nowrap; }
th:first-child, td:first-child { padding-left: .2rem; }
thead th { color: var(--muted); font-size: .82rem; vertical-align: bottom; border-bottom-color: var(--muted); }
.text { text-align: left; }
td.text, th[scope=row] { white-space: normal; overflow-wrap: break-word; max-width: min(28rem, 44vw); min-width: 5rem; }
th:first-child, td:first-child { position: sticky; left: 0; background: var(--paper); }
.term { font: inherit; color: inherit; background: none; border: 0; padding: 0; text-align: inherit; text-decoration: underline dotted; text-underline-offset: .2em; cursor: help; white-space: inherit; }
.means { max-width: 28rem; border: 1px solid var(--muted); border-radius: .6rem; padding: .8rem 1rem; background: var(--panel); color: var(--ink); box-shadow: 0 .5rem 2rem rgb(0 0 0 / .25); }
.matrix th, .matrix td { padding: .2rem .3rem; }
.upright span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; max-height: 11rem; overflow: hidden; }
.cell { display: block; margin: -.2rem -.3rem; padding: .2rem .3rem; background: color-mix(in srgb, var(--accent) calc(var(--share) * 30%), var(--paper)); }
.none { color: var(--muted); }
.mistakes ol { padding-left: 1.8rem; margin: 0 0 .6rem; max-width: 54rem; }
.mistakes li { margin-bottom: .55rem; overflow-wrap: anywhere; }
tr.strong > *, tr.strong > :first-child { font-weight: 650; background: var(--panel); }
tr.strong small { font-weight: 400; }
figure { margin: 0 0 1.2rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.2rem 2.2rem; align-items: start; margin-bottom: .5rem; }
.chart { max-width: 31rem; min-width: 0; }
.chart-title { font-weight: 600; font-size: .9rem; margin: 0 0 .3rem; }
.chart svg { display: block; width: 100%; height: auto; font-family: inherit; }
details > summary { cursor: pointer; color: var(--accent); font-size: .9rem; padding: .25rem 0; overflow-wrap: anywhere; }
details.more { border-top: 1px solid var(--rule); padding: .4rem 0; }
details.more > summary { color: var(--ink); font-weight: 600; font-size: 1rem; }
.flips { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0 2.5rem; }
.flips ol { padding-left: 1.6rem; margin: 0 0 .6rem; }
.flips li { margin-bottom: .55rem; overflow-wrap: anywhere; }
.flip { display: block; font-size: .85rem; color: var(--muted); }
.causes { margin: .4rem 0 1rem; }
.causes > div { padding: .6rem 0; max-width: 54rem; }
.causes dt { font-weight: 600; }
.causes dt::first-letter, .causes dd::first-letter { text-transform: uppercase; }
.causes dd { margin: .15rem 0 0; overflow-wrap: anywhere; }
.causes .advice { color: var(--muted); }
.share { color: var(--muted); font-weight: 400; white-space: nowrap; }
pre { background: var(--panel); border: 1px solid var(--rule); border-radius: .4rem; padding: .8rem 1rem; overflow-x: auto; font-size: .85rem; line-height: 1.5; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
ul { padding-left: 1.2rem; }
footer { color: var(--muted); font-size: .85rem; padding-top: 1.5rem; padding-bottom: 2.5rem; }
@media print {
  body { font-size: 11pt; }
  nav, .skip, .means, details.data > summary { display: none; }
  .term { text-decoration: none; }
  th:first-child, td:first-child { position: static; }
  .cell { print-color-adjust: exact; }
  section, figure, tr, li { break-inside: avoid; }
  section.long { break-inside: auto; }
  h2, h3 { break-after: avoid; }
  pre { white-space: pre-wrap; overflow-wrap: anywhere; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
  th, td { padding: .2rem .35rem; }
  .charts { grid-template-columns: 1fr 1fr; }
}
`;
