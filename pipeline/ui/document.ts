import { html, trusted } from '../../reports/html/html.ts';

const head = html`<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">`;

/** Goes on to the page: the browser then knows where it comes from. */
export const entryMarkup = (to: string): string =>
  html`<!doctype html>
<html lang="en">
<head>
${head}
<meta http-equiv="refresh" content="0;url=${to}">
<title>decant</title>
</head>
<body><main><h1>decant</h1><p><a href="${to}">Go on to the runs</a></p></main></body>
</html>
`.markup;

const runsSection = html`<section id="runs" aria-labelledby="runs-title">
<h2 id="runs-title">Runs</h2>
<p id="runs-note" class="note" role="status">Reading the runs.</p>
<div class="scroll" role="group" aria-label="Runs" tabindex="0"><table id="runs-table">
<thead><tr><th scope="col" class="text">run</th><th scope="col" class="text">compare</th><th scope="col" class="text">state</th><th scope="col" class="text">ended (UTC)</th><th scope="col">took</th><th scope="col" class="text">result</th><th scope="col">size</th><th scope="col">p50 ms</th><th scope="col" class="text">with</th></tr></thead>
<tbody></tbody>
</table></div>
</section>`;

const tradeoffSection = html`<section id="tradeoff" aria-labelledby="tradeoff-title" hidden>
<h2 id="tradeoff-title">Quality against size and latency</h2>
<div class="charts" id="tradeoff-charts"></div>
<p class="note" id="tradeoff-note"></p>
</section>`;

const comparisonSection = html`<section id="comparison" aria-labelledby="comparison-title" tabindex="-1" hidden>
<h2 id="comparison-title">Two runs side by side</h2>
<div id="comparison-body"></div>
</section>`;

const askSection = html`<section id="ask" aria-labelledby="ask-title" hidden>
<h3 id="ask-title">Ask a model</h3>
<form id="ask-form">
<p><label for="ask-model">Model</label> <select id="ask-model"></select></p>
<p><label for="ask-text">Text</label> <textarea id="ask-text" rows="3" required></textarea></p>
<p><label for="ask-pair">Second text, where the model takes pairs</label> <textarea id="ask-pair" rows="1"></textarea></p>
<p><button id="ask-button">Ask</button></p>
</form>
<div id="ask-said" role="status"></div>
</section>`;

const runSection = html`<section id="run" aria-labelledby="run-title" tabindex="-1" hidden>
<h2 id="run-title"></h2>
<p id="run-verdict"></p>
<p id="run-problem" class="warning" hidden></p>
<div id="live" hidden>
<div role="status"><h3 id="live-title"></h3></div>
<p id="live-now"></p>
<p id="live-left" hidden></p>
<progress id="live-bar" aria-labelledby="live-title" max="1"></progress>
<ul id="live-rows"></ul>
</div>
<div class="charts" id="curves"></div>
<div id="stages"></div>
<p id="report"></p>
${askSection}
</section>`;

/** The page without what its script fills in. */
export const pageMarkup = (folder: string): string =>
  html`<!doctype html>
<html lang="en">
<head>
${head}
<title>${folder}: decant</title>
<link rel="stylesheet" href="style.css">
<script type="module" src="main.js"></script>
</head>
<body>
<a class="skip" href="#runs">Skip to the runs</a>
<header>
<h1>decant <small>${folder}</small></h1>
<p id="lost" class="warning" role="alert" hidden></p>
${trusted('<noscript><p class="warning">This page needs scripts: <code>decant runs</code> shows the list without.</p></noscript>')}
</header>
<main>
${runsSection}
${comparisonSection}
${runSection}
${tradeoffSection}
</main>
<footer>Served by decant to this machine alone. Nothing is written.</footer>
</body>
</html>
`.markup;
