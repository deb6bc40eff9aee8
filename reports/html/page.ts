import { whole } from '../figures.ts';
import type { Report } from '../report.ts';
import { verdict } from '../verdict.ts';
import { type Html, html, trusted } from './html.ts';
import { classesSection, comparisonsSection, flipsSection, qualitySection } from './sections/classes.ts';
import { gatesSection } from './sections/gates.ts';
import { costSection, latencySection } from './sections/latency.ts';
import { environmentSection, notesSection, reproduceSection } from './sections/origin.ts';
import { renderSection, type Section } from './sections/section.ts';
import { seedsSection } from './sections/seeds.ts';
import { structureSection } from './sections/structure.ts';
import { summarySection, tiles } from './sections/summary.ts';
import { causesSection, timeSection } from './sections/time.ts';
import { tradeoffSection } from './sections/tradeoff.ts';
import { trainingSection } from './sections/training.ts';
import { waterfallSection } from './sections/waterfall.ts';
import { style } from './style.ts';

type Write = (report: Report) => Section | null | Promise<Section | null>;

/** In the order a reader asks: how good, how fast, what paid, why, and under what conditions. */
const writers: readonly Write[] = [
  summarySection,
  gatesSection,
  seedsSection,
  tradeoffSection,
  waterfallSection,
  qualitySection,
  comparisonsSection,
  classesSection,
  flipsSection,
  latencySection,
  timeSection,
  causesSection,
  structureSection,
  trainingSection,
  costSection,
  notesSection,
  environmentSection,
  reproduceSection,
];

const contents = (sections: readonly Section[]): Html =>
  html`<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>`;

const subtitle = ({ data, stages, created }: Report): string =>
  [
    `${stages.length} stages`,
    `${whole(data.test)} test texts`,
    `${data.classes.length} classes`,
    ...(created === '' ? [] : [created.slice(0, 10)]),
  ].join(', ');

/**
 * report.html: one file that needs no network and no script, with every figure of the report. Sections that the run has
 * no figures for are absent. All text is escaped.
 */
export const renderHtml = async (report: Report): Promise<string> => {
  const sections: Section[] = [];
  for (const write of writers) {
    const section = await write(report);
    if (section !== null) sections.push(section);
  }
  const { markup } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${report.name}: decant report</title>
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#stages">Skip to the results</a>
<header>
<h1>${report.name} <small>${subtitle(report)}</small></h1>
<p class="verdict">${verdict(report)}</p>
${tiles(report)}
${contents(sections)}
</header>
<main>
${sections.map(renderSection)}</main>
<footer>Made by decant ${report.environment.decant} from the records of the run. Intervals are of 95 %.</footer>
</body>
</html>
`;
  return markup;
};
