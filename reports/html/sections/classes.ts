import { firstFew } from '../../../ground/names.ts';
import { percent, points, range, whole } from '../../figures.ts';
import { metricOf } from '../../metric.ts';
import type { Comparison, Flip, QualityReport, Report, StageReport } from '../../report.ts';
import { capital } from '../../text.ts';
import { headline } from '../../verdict.ts';
import { type Html, html, nothing } from '../html.ts';
import { bad, type Chart, figure, good, muted } from '../picture.ts';
import { table } from '../table.ts';
import type { Section } from './section.ts';

/** The stage that a reader came for, compared with the reference. */
const compared = (report: Report): { readonly stage: StageReport; readonly comparison: Comparison } | null => {
  const stage = headline(report);
  const comparison = stage?.comparisons.find(({ role }) => role === 'reference') ?? stage?.comparisons[0];
  return stage === null || comparison === undefined || comparison.versus === stage.id ? null : { stage, comparison };
};

/** Of hundreds of tags a sentence names the first. */
const MOST_NAMED = 12;

/** Rows of the folded table: the classes that changed most and those that occur most. */
const MOST_ROWS = 100;

/** As many classes as a picture can hold, those that changed most. */
const MOST_CLASSES = 24;

const clear = ({ low, high }: { readonly low: number; readonly high: number }): boolean => low > 0 || high < 0;

type ClassDifference = Comparison['classes'][number];

const byDifference = (a: ClassDifference, b: ClassDifference): number => a.difference.estimate - b.difference.estimate;

const chartOf = (changed: readonly ClassDifference[]): Chart => {
  const rows = changed.map(({ label, difference: d }) => ({
    label,
    estimate: 100 * d.estimate,
    low: 100 * d.low,
    high: 100 * d.high,
    color: !clear(d) ? muted : d.low > 0 ? good : bad,
  }));
  const y = { field: 'label', type: 'nominal', sort: null, axis: { title: null } } as const;
  const x = { type: 'quantitative', axis: { title: 'percentage points', tickCount: 5 } } as const;
  const color = { field: 'color', type: 'nominal', scale: null } as const;
  return {
    height: 20 * rows.length,
    spec: {
      data: { values: rows },
      layer: [
        { mark: { type: 'rule', color: muted }, encoding: { x: { datum: 0, type: 'quantitative' } } },
        {
          mark: { type: 'rule', strokeWidth: 2 },
          encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' }, color },
        },
        {
          mark: { type: 'point', filled: true, size: 50, opacity: 1 },
          encoding: { y, x: { ...x, field: 'estimate' }, color },
        },
      ],
    },
  };
};

type Scores = ReadonlyMap<string, QualityReport['classes'][number]>;

const tableOf = (listed: readonly ClassDifference[], scores: Scores, examples: string): Html =>
  table(
    [
      { title: 'class', cell: ({ label }) => label },
      { title: examples, cell: ({ label }) => whole(scores.get(label)?.support ?? 0) },
      {
        title: 'points [95 %]',
        cell: ({ difference }) => `${points(difference.estimate)} ${range(difference, points)}`,
      },
      { title: 'precision %', cell: ({ label }) => percent(scores.get(label)?.precision ?? Number.NaN) },
      { title: 'recall %', cell: ({ label }) => percent(scores.get(label)?.recall ?? Number.NaN) },
      { title: 'F1 %', cell: ({ label }) => percent(scores.get(label)?.f1 ?? Number.NaN) },
    ],
    listed,
    'Scores by class',
  );

const named = (classes: readonly ClassDifference[]): string => {
  const names = classes.map(({ label }) => label);
  return names.length === 0 ? 'none' : firstFew(names, MOST_NAMED);
};

/** Which classes gained and which paid. */
export const classesSection = async (report: Report): Promise<Section | null> => {
  const found = compared(report);
  if (found === null || found.comparison.classes.length === 0) return null;
  const { stage, comparison } = found;
  const sorted = comparison.classes.toSorted(byDifference);
  const scores: Scores = new Map(stage.quality?.classes.map((one) => [one.label, one]));
  const supportOf = ({ label }: ClassDifference): number => scores.get(label)?.support ?? 0;
  const bySize = sorted.toSorted((a, b) => Math.abs(b.difference.estimate) - Math.abs(a.difference.estimate));
  const most = new Set(bySize.slice(0, MOST_CLASSES));
  const frequent = new Set(sorted.toSorted((a, b) => supportOf(b) - supportOf(a)).slice(0, MOST_ROWS));
  const changed = sorted.filter((one) => most.has(one));
  const better = named(sorted.filter(({ difference }) => difference.low > 0));
  const worse = named(sorted.filter(({ difference }) => difference.high < 0));
  const some =
    sorted.length > changed.length ? ` The ${changed.length} of ${sorted.length} classes that changed most.` : '';
  return {
    id: 'classes',
    title: 'Classes that gained and lost',
    body: html`<p>${stage.id} against ${comparison.versus}: clearly worse ${worse}; clearly better ${better}.</p>
${await figure({
  caption: `${metricOf(report).ofClasses}, with 95 % intervals; grey where it may be chance.${some}`,
  summary: `Difference by class. Clearly worse: ${worse}. Clearly better: ${better}.`,
  charts: [chartOf(changed)],
  table: tableOf(
    sorted.filter((one) => frequent.has(one) || most.has(one)),
    scores,
    metricOf(report).examples,
  ),
})}`,
  };
};

/** Examples shown before the rest is folded. */
const SHOWN = 5;

const name = (label: string, truth: string): Html => (label === truth ? html`<b>${label}</b>` : html`${label}`);

const item = ({ text, label, was, now, margin }: Flip): Html =>
  html`<li><q dir="auto">${text}</q><span class="flip">${name(was, label)} became ${name(now, label)}, margin ${margin.toFixed(2)}</span></li>\n`;

const flipList = (title: string, flips: readonly Flip[], all: number, examples: string): Html =>
  flips.length === 0
    ? nothing
    : html`<div><h3>${title} <small>${whole(all)} ${examples}</small></h3>
<ol>${flips.slice(0, SHOWN).map(item)}</ol>
${
  flips.length > SHOWN
    ? html`<details><summary>${flips.length - SHOWN} more</summary><ol start="${SHOWN + 1}">${flips.slice(SHOWN).map(item)}</ol></details>`
    : nothing
}</div>`;

/** The clearest examples that one model has right and the other wrong. */
export const flipsSection = (report: Report): Section | null => {
  const found = compared(report);
  if (found === null) return null;
  const { stage, comparison } = found;
  const { lost, gained } = comparison.flips;
  if (lost.length + gained.length === 0) return null;
  const { mcnemar } = comparison;
  if (mcnemar === null) return null;
  const { examples } = metricOf(report);
  const test = mcnemar.method === 'clustered' ? 'with sentences as the sample' : `McNemar, ${mcnemar.method}`;
  return {
    id: 'flips',
    title: `${capital(examples)} whose answer changed`,
    body: html`<p>${stage.id} against ${comparison.versus}: ${whole(mcnemar.lost)} ${examples} were right and are now wrong, ${whole(mcnemar.gained)} were wrong and are now right (${test}: p = ${mcnemar.p < 0.001 ? mcnemar.p.toExponential(1) : mcnemar.p.toFixed(3)}). The clearest of each; the true class is bold.</p>
<div class="flips">${flipList('Right before, wrong now', lost, mcnemar.lost, examples)}${flipList('Wrong before, right now', gained, mcnemar.gained, examples)}</div>`,
  };
};
