import { percent, plusMinus, points, type Range, times, whole } from './figures.ts';
import type { Report, StageReport } from './report.ts';
import { oneLine } from './text.ts';

export const stageOf = ({ stages }: Report, id: string | null | undefined): StageReport | undefined =>
  stages.find((stage) => stage.id === id);

const size = (stage: StageReport | undefined): number => stage?.model?.bytes ?? Number.POSITIVE_INFINITY;

/** Stages that were evaluated. */
export const judged = ({ stages }: Report): readonly StageReport[] => stages.filter(({ quality }) => quality !== null);

/**
 * The stage that a reader came for: the smallest evaluated model that the last stage without a model of its own took
 * (an export), else the last evaluated one; null where none was evaluated.
 */
export const headline = (report: Report): StageReport | null => {
  const models = judged(report);
  const taker = report.stages.findLast(({ model, inputs }) => model === null && Object.keys(inputs).length > 0);
  const taken = models.filter(({ id }) => Object.values(taker?.inputs ?? {}).includes(id));
  return taken.toSorted((a, b) => size(a) - size(b))[0] ?? models.at(-1) ?? null;
};

const within = (interval: Range | null | undefined, at: number): boolean =>
  interval !== null && interval !== undefined && interval.low <= at && at <= interval.high;

const between = (interval: Range | null | undefined, write: (x: number) => string): string =>
  interval === null || interval === undefined ? '' : ` (${write(interval.low)} to ${write(interval.high)})`;

const speedPart = ({ latency: [cell] }: StageReport, reference: string): string | undefined => {
  if (cell === undefined || cell.speedup === null) return undefined;
  const { speedup, speedupInterval } = cell;
  if (within(speedupInterval, 1)) return `as fast as ${reference} as far as can be told`;
  const ratio =
    speedup >= 1
      ? `${times(speedup)} times as fast as ${reference}`
      : `slower than ${reference}, at ${times(speedup)} of its speed`;
  return `${ratio}${between(speedupInterval, times)}`;
};

const sizePart = (stage: StageReport, reference: StageReport): string | undefined => {
  if (stage.model === null || reference.model === null) return undefined;
  const ratio = reference.model.bytes / stage.model.bytes;
  if (ratio > 1.005) return `${times(ratio)} times smaller`;
  return ratio < 0.995 ? `${times(1 / ratio)} times larger` : 'of the same size';
};

const qualityPart = ({ quality, difference }: StageReport): string => {
  if (quality === null) return 'it was not evaluated';
  const right = `it is right on ${percent(quality.accuracy)} % of ${whole(quality.examples)} test texts`;
  if (difference === null) return right;
  const shift = `${points(difference.accuracy)} points${between(difference, points)}`;
  return `${right}, ${shift}${within(difference, 0) ? ', which may be chance' : ''}`;
};

/** How much of the headline's accuracy is the choice of the seed. */
const seedsSentence = ({ seeds }: Report, { id }: StageReport): string => {
  const accuracy = seeds?.stages.find((stage) => stage.id === id)?.accuracy;
  if (seeds === undefined || accuracy == null || accuracy.deviation === null) return '';
  const worst = `${percent(accuracy.worst)} % (seed ${accuracy.worstSeed})`;
  return ` Over ${seeds.list.length} seeds it is right on ${plusMinus(accuracy, percent)} %, at worst on ${worst}.`;
};

/** What the run came to, in one sentence of plain text; a second one where there are several seeds. */
export const verdict = (report: Report): string => {
  const stage = headline(report);
  return `${verdictOnce(report)}${stage === null ? '' : seedsSentence(report, stage)}`;
};

const verdictOnce = (report: Report): string => {
  const stage = headline(report);
  const reference = stageOf(report, report.reference);
  if (stage === null) return 'No model of this run was evaluated.';
  const id = oneLine(stage.id);
  if (reference === undefined || reference.id === stage.id)
    return `${id}: ${qualityPart({ ...stage, difference: null })}.`;
  const parts = [speedPart(stage, oneLine(reference.id)), sizePart(stage, reference)].filter(
    (part) => part !== undefined,
  );
  const lead = parts.length === 0 ? id : `${id} is ${parts.join(' and ')}`;
  return `${lead}${parts.length === 0 ? ':' : ';'} ${qualityPart(stage)}.`;
};
