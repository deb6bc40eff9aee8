import { besideScore } from './classification.ts';
import { firstEngine } from './engines.ts';
import { milliseconds, percent, plusMinus, type Range, times, whole } from './figures.ts';
import { metricOf, type Primary } from './metric.ts';
import type { GapReport, QualityReport, Report, StageReport } from './report.ts';
import { isControl } from './rows.ts';
import { MEASURED_BUSY, PROFILED_BUSY } from './speed.ts';
import { oneLine } from './text.ts';
import { unfinishedSentence } from './unfinished.ts';

export const stageOf = ({ stages }: Report, id: string | null | undefined): StageReport | undefined =>
  stages.find((stage) => stage.id === id);

const size = (stage: StageReport | undefined): number => stage?.model?.bytes ?? Number.POSITIVE_INFINITY;

/** Stages that were evaluated. */
export const judged = ({ stages }: Report): readonly StageReport[] => stages.filter(({ quality }) => quality !== null);

/**
 * The stage that a reader came for: the smallest evaluated model that the last stage without a model of its own took
 * (an export), else the last evaluated one that is no control; null where none was evaluated.
 */
export const headline = (report: Report): StageReport | null => {
  const models = judged(report);
  const taker = report.stages.findLast(({ model, inputs }) => model === null && Object.keys(inputs).length > 0);
  const taken = models.filter(({ id }) => Object.values(taker?.inputs ?? {}).includes(id));
  return (
    taken.toSorted((a, b) => size(a) - size(b))[0] ??
    models.findLast((stage) => !isControl(report, stage)) ??
    models.at(-1) ??
    null
  );
};

const within = (interval: Range | null | undefined, at: number): boolean =>
  interval !== null && interval !== undefined && interval.low <= at && at <= interval.high;

const between = (interval: Range | null | undefined, write: (x: number) => string): string =>
  interval === null || interval === undefined ? '' : ` (${write(interval.low)} to ${write(interval.high)})`;

/** Where a speed-up holds, if not on the CPU; in front of what stands after it. */
const onFirst = (report: Report): string => {
  const on = firstEngine(report);
  return on === undefined ? '' : ` on ${on.engine}`;
};

const speedPart = ({ latency: [cell] }: StageReport, reference: string): string | undefined => {
  if (cell === undefined || cell.busy || cell.speedup === null) return undefined;
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

/** Fewer texts say nothing that could stand in a headline: one of them more or less moves it by points. */
const FEWEST_TEXTS = 30;

/** Whether a report has so few test texts that no rate over them is worth a headline. */
export const hasTooFewTexts = ({ data }: Report): boolean => data.test < FEWEST_TEXTS;

/** What stands in the place of a rate there. */
export const tooFewTexts = (report: Report): string =>
  `${whole(report.data.test)} test ${metricOf(report).inputs} are too few for a verdict (${FEWEST_TEXTS} or more are needed)`;

const goodness = ({ isRate, words, write, unit, examples }: Primary, quality: QualityReport): string => {
  const on = `${whole(quality.examples)} test ${examples}`;
  const figure = `${write(quality.score)}${unit}`;
  return isRate
    ? `it is right on ${figure}${between(quality.scoreInterval, write)} of ${on}`
    : `the ${words} is ${figure}${between(quality.scoreInterval, write)} over ${on}`;
};

/** "-0.5 points (-1.1 to +0.1), which may be chance" */
const changeText = (change: NonNullable<StageReport['difference']>, { writeChange, changeUnit }: Primary): string =>
  `${writeChange(change.score)}${changeUnit}${between(change, writeChange)}${within(change, 0) ? ', which may be chance' : ''}`;

/** Where classes are uneven, what every class weighs alike in. */
const besideText = (report: Report, quality: QualityReport): string => {
  const beside = besideScore(report, quality);
  const figure = beside === undefined ? undefined : quality.more[beside.metric.name];
  if (beside === undefined || figure === undefined) return '';
  const { words, write, unit } = beside;
  return ` with a ${words} of ${write(figure.value)}${unit}${between(figure.interval, write)} over uneven classes`;
};

const qualityPart = ({ quality, difference }: StageReport, report: Report): string => {
  if (quality === null) return 'it was not evaluated';
  if (hasTooFewTexts(report)) return tooFewTexts(report);
  const metric = metricOf(report);
  const good = `${goodness(metric, quality)}${besideText(report, quality)}`;
  if (difference === null || metric.isToReference || !Number.isFinite(difference.score)) return good;
  return `${good}, ${changeText(difference, metric)}`;
};

type Over = NonNullable<StageReport['overBaseline']>;

const overOf = ({ overBaseline }: StageReport): NonNullable<StageReport['difference']> | null => {
  const score = overBaseline?.score;
  return score === undefined ? null : { score: score.estimate, low: score.low, high: score.high };
};

/** Whether a model is better than the strongest baseline beyond chance. */
const beatsBaseline = (report: Report, { overBaseline }: StageReport): boolean => {
  if (overBaseline === null) return false;
  const { low, high } = overBaseline.score;
  return metricOf(report).metric.better === 'higher' ? low > 0 : high < 0;
};

const baselineIn = ({ data }: Report, { baseline }: Over) => data.baselines?.[baseline];

/** "the linear bag of words" */
const calledBaseline = (report: Report, over: Over): string =>
  `the ${oneLine(baselineIn(report, over)?.called ?? over.baseline)}`;

/**
 * What is said first where the model that ships does not beat what costs next to nothing; undefined where it does, and where
 * nothing is known of it.
 */
const notWorth = (report: Report, stage: StageReport): string | undefined => {
  const { overBaseline: over, quality } = stage;
  const change = overOf(stage);
  if (over === null || quality === null || change === null) return undefined;
  if (hasTooFewTexts(report) || beatsBaseline(report, stage)) return undefined;
  const metric = metricOf(report);
  const { words, write, unit } = metric;
  const others = judged(report).filter((one) => !isControl(report, one) && beatsBaseline(report, one));
  const lead =
    others.length === 0 ? 'Nothing here is worth deploying yet' : `${oneLine(stage.id)} is not worth deploying yet`;
  const figures = `${write(quality.score)}${unit} against ${write(baselineIn(report, over)?.score ?? Number.NaN)}${unit}`;
  const does =
    others.length === 0
      ? ''
      : `; ${others.map(({ id }) => oneLine(id)).join(', ')} ${others.length === 1 ? 'does' : 'do'}`;
  const how = over.paired ? '' : ' (not paired)';
  return `${lead}: ${oneLine(stage.id)} does not beat ${calledBaseline(report, over)} by ${words}, ${figures}, ${changeText(change, metric)}${how}${does}.`;
};

/** How far above the strongest baseline the headline is, where it is. */
const overSentence = (report: Report, stage: StageReport): string => {
  const change = overOf(stage);
  if (stage.overBaseline === null || change === null || hasTooFewTexts(report)) return '';
  if (!beatsBaseline(report, stage)) return '';
  return ` Against ${calledBaseline(report, stage.overBaseline)} it is ${changeText(change, metricOf(report))}.`;
};

/** How much of the headline's score is the choice of the seed. */
const seedsSentence = (report: Report, { id }: StageReport): string => {
  const { seeds } = report;
  const { isRate, words, write, unit } = metricOf(report);
  const score = seeds?.stages.find((stage) => stage.id === id)?.score;
  if (seeds === undefined || score == null || score.deviation === null || hasTooFewTexts(report)) return '';
  const said = isRate ? 'it is right on' : `the ${words} is`;
  const worst = `${write(score.worst)}${unit} (seed ${score.worstSeed})`;
  const at = isRate ? 'at worst on' : 'at worst';
  return ` Over ${seeds.list.length} seeds ${said} ${plusMinus(score, write)}${unit}, ${at} ${worst}.`;
};

/** Causes are looked for on the CPU, whatever the speed-ups are of. */
const onCpu = (report: Report): string => (firstEngine(report) === undefined ? '' : ' on the CPU');

/**
 * The cause that costs the headline most of its time, in one sentence of plain text, or that it could not be told; undefined
 * where none was found.
 */
export const mainCause = (report: Report): string | undefined => {
  const stage = headline(report);
  if (stage?.undecided === true)
    return `Why ${oneLine(stage.id)} is not faster still${onCpu(report)} is undecided: ${PROFILED_BUSY}.`;
  const cause = stage?.causes.find(({ about, share }) => about === 'time' && share !== null);
  if (stage === null || cause === undefined || cause.share === null) return undefined;
  const { finding, share } = cause;
  return `Why ${oneLine(stage.id)} is not faster still${onCpu(report)}, by a profile of its own: ${oneLine(finding)} (${percent(share)} % of its time).`;
};

/** A stage's time against its MACs, beside the reference, in one sentence of plain text. */
export const gapSentence = (gap: GapReport): string => {
  const fewer = gap.macRatio >= 1.005 ? `${times(gap.macRatio)} times fewer MACs than` : 'no fewer MACs than';
  const expected = `MACs alone would say ${milliseconds(gap.expectedMs)}`;
  return `${fewer} ${oneLine(gap.versus)} and ${times(gap.timeRatio)} times as fast: ${milliseconds(gap.ms)} ms where ${expected}.`;
};

/**
 * What the run came to, in one sentence of plain text, behind one of what it lacks and one of what is against it; a further one
 * where there are several seeds.
 */
export const verdict = (report: Report): string => {
  const lacks = unfinishedSentence(report);
  return lacks === undefined ? verdictOfAll(report) : `${lacks} ${verdictOfAll(report)}`;
};

const verdictOfAll = (report: Report): string => {
  const stage = headline(report);
  if (stage === null) return verdictOnce(report);
  const against = notWorth(report, stage);
  return `${against === undefined ? '' : `${against} `}${verdictOnce(report)}${overSentence(report, stage)}${seedsSentence(report, stage)}`;
};

/** Why nothing is said of its speed. */
const untold = ({ latency: [cell], lacking }: StageReport, report: Report): string => {
  if (lacking !== undefined)
    return ` Its speed is not told:${onFirst(report)} there is no kernel for ${oneLine(lacking.join(', '))}.`;
  return cell?.busy === true ? ` Its speed cannot be told: ${MEASURED_BUSY}.` : '';
};

const verdictOnce = (report: Report): string => {
  const stage = headline(report);
  const reference = stageOf(report, report.reference);
  if (stage === null) return 'No model of this run was evaluated.';
  const id = oneLine(stage.id);
  if (reference === undefined || reference.id === stage.id)
    return `${id}: ${qualityPart({ ...stage, difference: null }, report)}.`;
  const faster = speedPart(stage, oneLine(reference.id));
  const parts = [faster === undefined ? undefined : `${faster}${onFirst(report)}`, sizePart(stage, reference)].filter(
    (part) => part !== undefined,
  );
  const lead = parts.length === 0 ? id : `${id} is ${parts.join(' and ')}`;
  const speed = untold(stage, report);
  return `${lead}${parts.length === 0 ? ':' : ';'} ${qualityPart(stage, report)}.${speed}`;
};
