import { bytes, count, milliseconds, percent, plural, range, times } from '../figures.ts';
import { byUrgency, gateCount, gateSentence } from '../gates/words.ts';
import { metricOf, type Primary } from '../metric.ts';
import { disarmed } from '../text.ts';
import { type Change, type Diff, type Finding, isClear, type StageDiff } from './diff.ts';

/** One comparison as tables show it. */
export interface Row {
  readonly stage: string;
  readonly figure: string;
  readonly before: string;
  readonly after: string;
  readonly change: string;
  readonly verdict: string;
  readonly clear: boolean;
}

/** Facts under a heading, as plain text. */
export interface Facts {
  readonly kind: 'gates' | 'refusals' | 'changes';
  readonly title: string;
  readonly items: readonly string[];
}

/** What every rendering of a diff says, in the order in which a reader asks. */
export interface DiffView {
  readonly verdict: string;
  readonly sides: readonly [string, string];
  readonly rows: readonly Row[];
  /** How the rows are to be read. */
  readonly note: string;
  readonly facts: readonly Facts[];
}

const nameOf = ({ id, was, kind }: StageDiff): string => (kind === 'renamed' ? `${id} (was ${was})` : id);

/** "worse", in words that suit the figure. */
const verdictWord = ({ kind, verdict }: Finding): string => {
  if (verdict === 'noise' || kind !== 'latency') return verdict;
  return verdict === 'better' ? 'faster' : 'slower';
};

const changeOf = (finding: Finding, { writeChange }: Primary): string =>
  finding.kind === 'latency'
    ? `${times(finding.difference.estimate)}x ${range(finding.difference, times)}`
    : `${writeChange(finding.difference.estimate)} ${range(finding.difference, writeChange)}${finding.paired ? '' : ' unpaired'}`;

const figureOf = (finding: Finding, { title }: Primary): string =>
  finding.kind === 'latency' ? `p50 ms, ${finding.batch} x ${finding.length}` : title;

const rowOf = (stage: StageDiff, finding: Finding, metric: Primary): Row => {
  const write = finding.kind === 'latency' ? milliseconds : metric.write;
  return {
    stage: nameOf(stage),
    figure: figureOf(finding, metric),
    before: write(finding.before),
    after: write(finding.after),
    change: changeOf(finding, metric),
    verdict: verdictWord(finding),
    clear: isClear(finding),
  };
};

/** What a reader looks for in a stage: its quality, its first latency, and every difference. */
const shownOf = ({ findings }: StageDiff): readonly Finding[] => {
  const first = findings.find(({ kind }) => kind === 'latency');
  return findings.filter((finding) => finding.kind !== 'latency' || finding === first || isClear(finding));
};

const all = ({ stages }: Diff): readonly Finding[] => stages.flatMap(({ findings }) => findings);

/** Words and units of the quality of both runs. */
const metricIn = ({ task }: Diff): Primary => metricOf({ data: { task } });

const told = (stage: StageDiff, finding: Finding, metric: Primary): string =>
  `${nameOf(stage)} ${figureOf(finding, metric)} ${changeOf(finding, metric)}`;

const listed = (diff: Diff, verdict: Finding['verdict']): readonly string[] =>
  diff.stages.flatMap((stage) =>
    stage.findings
      .filter((finding) => finding.verdict === verdict)
      .map((finding) => told(stage, finding, metricIn(diff))),
  );

const MOST_NAMED = 2;

const named = (items: readonly string[]): string => {
  const rest = items.length - MOST_NAMED;
  return `${items.slice(0, MOST_NAMED).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
};

/** The diff in one sentence. */
const diffVerdict = (diff: Diff): string => {
  const { comparisons } = diff;
  const [worse, better] = [listed(diff, 'worse'), listed(diff, 'better')];
  if (comparisons === 0) return 'No figure of the two runs could be compared.';
  if (worse.length + better.length === 0)
    return comparisons === 1
      ? 'No difference beyond noise in the one comparison.'
      : `No difference beyond noise in ${comparisons} comparisons.`;
  const parts = [
    ...(worse.length === 0 ? [] : [`worse in ${worse.length}: ${named(worse)}`]),
    ...(better.length === 0 ? [] : [`better in ${better.length}: ${named(better)}`]),
  ];
  return `Of ${plural(comparisons, 'comparison')}, B is ${parts.join('; ')}.`;
};

const LONGEST_VALUE = 60;

const valueText = (value: Change['before']): string => {
  if (value === null) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
};

const changeText = ({ key, before, after }: Change): string => `${key}: ${valueText(before)} -> ${valueText(after)}`;

/** Changes of less than this share are counted, not listed. */
const TELLING_SHARE = 0.01;

const shareOf = ({ before, after }: Change): number =>
  typeof before === 'number' && typeof after === 'number' && before > 0 ? after / before - 1 : Number.POSITIVE_INFINITY;

const sizeText = (change: Change): string => {
  const { key, before, after } = change;
  const write = (value: Change['before']): string =>
    typeof value !== 'number' ? 'none' : key.toLowerCase().endsWith('bytes') ? bytes(value) : count(value);
  const share = shareOf(change);
  return `${key} ${write(before)} -> ${write(after)}${Number.isFinite(share) ? ` (${times(1 + share)}x)` : ''}`;
};

/** One line a stage, with what changed by a per cent or more. */
const sizeTexts = ({ sizes }: StageDiff): readonly string[] => {
  const telling = sizes.filter((change) => Math.abs(shareOf(change)) >= TELLING_SHARE);
  const rest = sizes.length - telling.length;
  const parts = [...telling.map(sizeText), ...(rest === 0 ? [] : [`${rest} changed by less than 1 %`])];
  return parts.length === 0 ? [] : [parts.join(', ')];
};

const perStage = (diff: Diff, write: (stage: StageDiff) => readonly string[]): readonly string[] =>
  diff.stages.flatMap((stage) => write(stage).map((text) => `${nameOf(stage)}: ${text}`));

/** Each reason once, with the stages that it holds for. */
const refusalTexts = ({ stages }: Diff): readonly string[] => {
  const byReason = new Map<string, string[]>();
  for (const stage of stages) {
    for (const { kind, figure, reason } of stage.refusals) {
      const key = `${kind === 'latency' ? kind : figure} is not compared: ${reason}`;
      byReason.set(key, [...(byReason.get(key) ?? []), nameOf(stage)]);
    }
  }
  return [...byReason].map(([reason, names]) => `${reason} (${names.join(', ')})`);
};

const unpairedText = (diff: Diff): readonly string[] => {
  const unpaired = all(diff).filter((finding) => finding.kind !== 'latency' && !finding.paired);
  return unpaired.length === 0
    ? []
    : [
        `${metricIn(diff).words} is compared unpaired, with wider intervals: the predictions of one side are missing or of other examples; name run folders of the same test split`,
      ];
};

const renamedText = ({ kind, id, was, uses }: StageDiff): readonly string[] => {
  switch (kind) {
    case 'added':
      return [`${id} (${uses}) was added`];
    case 'removed':
      return [`${id} (${uses}) was removed`];
    case 'renamed':
      return [`${was} is now called ${id} (${uses})`];
    case 'same':
      return [];
  }
};

const factsOf = (diff: Diff): readonly Facts[] =>
  [
    {
      kind: 'gates' as const,
      title: `Gates: ${gateCount(diff.gates)}`,
      items: byUrgency(diff.gates).map(gateSentence),
    },
    {
      kind: 'refusals' as const,
      title: 'What could not be compared',
      items: [...refusalTexts(diff), ...unpairedText(diff)],
    },
    { kind: 'changes' as const, title: 'Stages', items: diff.stages.flatMap(renamedText) },
    {
      kind: 'changes' as const,
      title: 'Configuration',
      items: perStage(diff, ({ changes }) => changes.map(changeText)),
    },
    { kind: 'changes' as const, title: 'Data and environment', items: diff.changes.map(changeText) },
    { kind: 'changes' as const, title: 'Sizes', items: perStage(diff, sizeTexts) },
    {
      kind: 'changes' as const,
      title: 'Structure',
      items: perStage(diff, ({ structure }) => structure.map(changeText)),
    },
    {
      kind: 'changes' as const,
      title: 'Causes of slowness',
      items: perStage(diff, ({ causes }) => [
        ...causes.appeared.map((name) => `${name} appeared`),
        ...causes.vanished.map((name) => `${name} vanished`),
      ]),
    },
  ].filter(({ items }) => items.length > 0);

const bandOf = (diff: Diff): string => {
  const { metric, writeChange, changeUnit } = metricIn(diff);
  return `${writeChange(diff.bands.quality).replace(/^\+/, '')}${changeUnit} of ${metric.words}`;
};

const noteOf = (diff: Diff, shown: number): string => {
  if (diff.comparisons === 0) return '';
  const hidden = diff.comparisons - shown;
  return [
    ...(hidden > 0 ? [`${plural(hidden, 'more comparison')}: noise`] : []),
    `latency divided by what was timed beside it (${[...new Set(all(diff).flatMap((f) => (f.kind === 'latency' ? [f.yardstick] : [])))].join('; ')})`,
    `95 % intervals corrected for ${plural(diff.comparisons, 'comparison')} (Holm)`,
    `a difference counts beyond ${percent(diff.bands.latency)} % of latency, ${bandOf(diff)}`,
  ]
    .filter((part) => !part.endsWith('()'))
    .join('; ')
    .concat('.');
};

const sideText = ({ where, created }: Diff['before']): string =>
  `${where}${created === '' ? '' : `, ${created.slice(0, 10)}`}`;

const disarmedRow = (row: Row): Row => ({ ...row, stage: disarmed(row.stage) });

export const viewOf = (diff: Diff): DiffView => {
  const rows = diff.stages.flatMap((stage) => shownOf(stage).map((finding) => rowOf(stage, finding, metricIn(diff))));
  return {
    verdict: disarmed(diffVerdict(diff)),
    sides: [disarmed(sideText(diff.before)), disarmed(sideText(diff.after))],
    rows: rows.map(disarmedRow),
    note: disarmed(noteOf(diff, rows.length)),
    facts: factsOf(diff).map((facts) => ({ ...facts, items: facts.items.map(disarmed) })),
  };
};
