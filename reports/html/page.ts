import { askedBesides } from '../asked.ts';
import { testSize } from '../columns.ts';
import type { Report } from '../report.ts';
import { verdict } from '../verdict.ts';
import { renderPage } from './document.ts';
import { answersSection, mistakesSection } from './sections/answers.ts';
import { bitsSection } from './sections/bits.ts';
import { classesSection, flipsSection } from './sections/classes.ts';
import { gatesSection } from './sections/gates.ts';
import { costSection, latencySection } from './sections/latency.ts';
import { environmentSection, notesSection, reproduceSection } from './sections/origin.ts';
import { comparisonsSection, qualitySection } from './sections/quality.ts';
import { samplesSection } from './sections/samples.ts';
import type { Section } from './sections/section.ts';
import { seedsSection } from './sections/seeds.ts';
import { structureSection } from './sections/structure.ts';
import { summarySection, tiles } from './sections/summary.ts';
import { causesSection, timeSection } from './sections/time.ts';
import { tradeoffSection } from './sections/tradeoff.ts';
import { trainingSection } from './sections/training.ts';
import { useSection } from './sections/use.ts';
import { waterfallSection } from './sections/waterfall.ts';

type Write = (report: Report) => Section | null | Promise<Section | null>;

/** In the order a reader asks: how good, how fast, what paid, why, and under what conditions. */
const writers: readonly Write[] = [
  summarySection,
  gatesSection,
  useSection,
  seedsSection,
  answersSection,
  mistakesSection,
  samplesSection,
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
  bitsSection,
  trainingSection,
  costSection,
  notesSection,
  environmentSection,
  reproduceSection,
];

const subtitle = (report: Report): string => {
  const { data, stages, created } = report;
  const asked = askedBesides(report);
  return [
    `${stages.length} stages`,
    testSize(report),
    ...(data.classes.length === 0 ? [] : [`${data.classes.length} classes`]),
    ...(created === '' ? [] : [created.slice(0, 10)]),
    ...(asked === undefined ? [] : [`run with ${asked}`]),
  ].join(', ');
};

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
  return renderPage({
    title: `${report.name}: decant report`,
    name: report.name,
    subtitle: subtitle(report),
    verdict: verdict(report),
    lead: tiles(report),
    sections,
    first: 'stages',
    footer: `Made by decant ${report.environment.decant} from the records of the run. Intervals are of 95 %.`,
  });
};
