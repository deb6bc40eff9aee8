import { style } from '../../reports/html/style.ts';

/** The style sheet of reports, and what only the page of all runs has. */
export const pageStyle = `${style}
[hidden] { display: none !important; }
header { padding-top: 1.5rem; }
section { padding-top: 1.4rem; }
tr.chosen > * { background: var(--panel); }
.state-running { color: var(--accent); font-weight: 600; }
.state-failed, .state-unreadable, .state-stopped { color: var(--bad); }
#runs .scroll { max-height: 26rem; overflow-y: auto; }
#runs thead th { position: sticky; top: 0; background: var(--paper); z-index: 1; }
#runs thead th:first-child { z-index: 2; }
#live-rows { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: .2rem 1.2rem; }
#live-rows li { overflow-wrap: anywhere; }
progress { width: min(100%, 30rem); accent-color: var(--accent); }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; list-style: none; padding: 0; margin: .2rem 0; font-size: .85rem; }
.legend svg { width: 1.2rem; height: .8rem; display: inline-block; vertical-align: baseline; }
.chart text { fill: var(--muted); font-size: 12px; }
.chart text.name { fill: var(--ink); }
.chart .axis { stroke: var(--rule); }
.chart .curve { fill: none; stroke-width: 2; }
.chart .interval { stroke-width: 2; opacity: .5; }
.chart .point { cursor: pointer; }
label { display: block; font-size: .9rem; color: var(--muted); }
input, select, textarea, button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--muted); border-radius: .4rem; padding: .3rem .6rem; max-width: 100%; }
textarea { width: min(100%, 40rem); }
button { cursor: pointer; }
input[type=checkbox] { width: 1.15rem; height: 1.15rem; margin: 0; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
`;
