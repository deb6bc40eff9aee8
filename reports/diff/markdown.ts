import { folded, inert, MOST_LINES, table } from '../markdown.ts';
import type { Diff } from './diff.ts';
import { type DiffView, type Facts, viewOf } from './view.ts';

const MOST_ITEMS = 8;
const LONGEST_VERDICT = 500;
const MOST_ROWS = 20;

/** Differences before noise, so that a long table loses what says least. */
const comparisons = ({ rows }: DiffView): readonly string[] =>
  rows.length === 0
    ? []
    : table(
        ['stage', 'figure', 'A', 'B', 'B against A', ''],
        rows
          .toSorted((a, b) => Number(b.clear) - Number(a.clear))
          .map(({ stage, figure, before, after, change, verdict, clear }) => [
            inert(stage),
            figure,
            before,
            after,
            change,
            clear ? `**${verdict}**` : verdict,
          ]),
        MOST_ROWS,
      );

const itemsOf = ({ items }: Facts): readonly string[] => [
  ...items.slice(0, MOST_ITEMS).map((item) => `- ${inert(item, LONGEST_VERDICT)}`),
  ...(items.length > MOST_ITEMS ? [`- and ${items.length - MOST_ITEMS} more`] : []),
];

/** A diff that fits a pull-request comment: gates and comparisons open, what changed folded. */
export const renderDiffMarkdown = (diff: Diff): string => {
  const view = viewOf(diff);
  const [open, rest] = [
    view.facts.filter(({ kind }) => kind === 'gates'),
    view.facts.filter(({ kind }) => kind !== 'gates'),
  ];
  const lines = [
    `## ${inert(diff.after.name)}: A against B`,
    '',
    `**${inert(view.verdict, LONGEST_VERDICT)}**`,
    '',
    `A: ${inert(view.sides[0])}; B: ${inert(view.sides[1])}`,
    ...open.flatMap((facts) => ['', `**${inert(facts.title)}**`, '', ...itemsOf(facts)]),
    '',
    ...comparisons(view),
    ...(view.note === '' ? [] : ['', inert(view.note, LONGEST_VERDICT)]),
  ];
  for (const facts of rest) {
    const part = folded(inert(facts.title), itemsOf(facts));
    if (lines.length + part.length <= MOST_LINES) lines.push(...part);
  }
  return `${lines.join('\n')}\n`;
};
