import { editRateOf, exactMatchOf } from './answered.ts';
import { bitsPerByteOf, calibrationErrorOf, macroF1OfChoices, perplexityOf } from './choices.ts';
import { pearsonOf, spearmanOf } from './correlation.ts';
import { entityF1Of } from './entities.ts';
import { canBeLimited, column, type Metric, nats, percent, plain } from './metric.ts';
import { macroF1Of, microF1Of, wholeSets } from './sets.ts';

const unbounded = Number.POSITIVE_INFINITY;
/** Correlations and cosines: what tells good students apart is in the third digit. */
const alike = plain(4, 1, '0.98', '0.005');

/** What has to be changed of a text may be more than the whole of it. */
const edits = { ...percent, most: unbounded };

const rightName = 'accuracy';

/** Share of answers that are right. */
export const accuracy: Metric = {
  ...{ name: rightName, words: rightName, scale: percent, better: 'higher' },
  measure: { kind: 'rate', values: (judged) => column(judged, 'right') },
};

/** Unweighted mean of the F1 scores of the classes that occur in labels or answers. */
const macroF1Facts = { name: 'macroF1', words: 'macro F1', scale: percent, better: 'higher', hub: 'f1' } as const;

export const macroF1: Metric = {
  ...{ ...macroF1Facts, aside: true },
  measure: { kind: 'statistic', of: macroF1OfChoices },
};

/** Mean cross-entropy, -log p(label), in nats. */
export const loss: Metric = {
  ...{ name: 'loss', words: 'loss', scale: nats, better: 'lower', alone: true, aside: true },
  measure: { kind: 'mean', values: (judged) => column(judged, 'nats') },
};

export const calibrationError: Metric = {
  ...{
    name: 'calibrationError',
    words: 'calibration error',
    scale: percent,
    better: 'lower',
    alone: true,
    aside: true,
  },
  measure: { kind: 'statistic', of: calibrationErrorOf },
};

/** Share of entities that are said with both ends and their type right. */
export const entityF1: Metric = {
  ...{ name: 'entityF1', words: 'entity F1', scale: percent, better: 'higher', hub: 'f1' },
  measure: { kind: 'statistic', of: entityF1Of },
};

/** Of the classes of a text, each said or not. */
export const setMicroF1: Metric = {
  ...{ name: 'microF1', words: 'micro F1', scale: percent, better: 'higher', hub: 'f1' },
  measure: { kind: 'statistic', of: microF1Of },
};

export const setMacroF1: Metric = { ...macroF1Facts, measure: { kind: 'statistic', of: macroF1Of } };

/** Share of texts whose classes are all right, none left out and none too many. */
export const subsetAccuracy: Metric = {
  ...{ name: 'subsetAccuracy', words: 'subset accuracy', scale: percent, better: 'higher' },
  measure: { kind: 'rate', values: wholeSets },
};

/** Mean cosine of vectors to those of the reference. */
export const cosine: Metric = {
  ...{ name: 'cosine', words: 'cosine to the teacher', title: 'cosine to teacher', scale: alike, better: 'higher' },
  measure: { kind: 'mean', values: (judged) => column(judged, 'cosine') },
};

/** Correlations: the third digit is the last that some thousand texts tell. */
const correlated = plain(3, 1, '0.9', '0.01');

const spearmanFacts = { name: 'spearman', scale: correlated, better: 'higher', hub: 'spearmanr' } as const;

/** Whether two models find the same pairs of texts alike: of the cosines of pairs in each. */
export const pairSpearman: Metric = {
  ...{ ...spearmanFacts, words: 'rank correlation' },
  ...{ over: 'pairs', alone: true },
  measure: { kind: 'statistic', of: spearmanOf },
};

export const spearman: Metric = {
  ...{ ...spearmanFacts, words: 'Spearman correlation', title: 'Spearman' },
  measure: { kind: 'statistic', of: spearmanOf },
};

export const pearson: Metric = {
  ...{ name: 'pearson', words: 'Pearson correlation', title: 'Pearson', scale: correlated, better: 'higher' },
  ...{ hub: 'pearsonr', measure: { kind: 'statistic', of: pearsonOf } },
};

/** In the square of the user's unit. */
export const meanSquaredError: Metric = {
  ...{ name: 'meanSquaredError', words: 'mean squared error', better: 'lower', hub: 'mse' },
  scale: plain(4, unbounded, '0.25', '0.01'),
  measure: {
    kind: 'mean',
    values: (judged) => {
      const [said, truth] = [column(judged, 'said'), column(judged, 'truth')];
      return Float64Array.from(said, (value, i) => (value - (truth[i] as number)) ** 2);
    },
  },
};

/** Mean surprise at the true token. */
export const natsPerToken: Metric = {
  ...{ name: 'nats', words: 'nats per token', title: 'nats per token', better: 'lower' },
  scale: nats,
  measure: { kind: 'mean', values: (judged) => column(judged, 'nats') },
};

export const perplexity: Metric = {
  ...{ name: 'perplexity', words: 'perplexity', scale: plain(2, unbounded, '12.5', '0.2'), better: 'lower' },
  measure: { kind: 'statistic', of: perplexityOf },
};

/** Surprise at a text in bits over its bytes: the same whatever its tokens are. */
export const bitsPerByte: Metric = {
  ...{ name: 'bitsPerByte', words: 'bits a byte', scale: plain(3, unbounded, '1.8', '0.02'), better: 'lower' },
  measure: { kind: 'statistic', of: bitsPerByteOf },
};

/** Share of prompts whose written answer is the right one, letter by letter. */
export const exactMatch: Metric = {
  ...{ name: 'exactMatch', words: 'exact match', scale: percent, better: 'higher', hub: 'exact_match' },
  measure: { kind: 'statistic', of: exactMatchOf },
};

/** Words that have to be put in, taken out or changed in the written answers, over the words of the right ones. */
export const editRate: Metric = {
  ...{ name: 'editRate', words: 'edit rate', scale: edits, better: 'lower', hub: 'wer' },
  measure: { kind: 'statistic', of: editRateOf },
};

/** Every metric that models can be judged by. Two of one name differ in how they come about, not in how they are written. */
export const metrics: readonly Metric[] = [
  ...[accuracy, macroF1, loss, calibrationError],
  entityF1,
  ...[setMicroF1, setMacroF1, subsetAccuracy],
  ...[cosine, pairSpearman],
  ...[spearman, pearson, meanSquaredError],
  ...[natsPerToken, perplexity, bitsPerByte],
  ...[exactMatch, editRate],
];

/** The metric of this name that models are judged by; undefined where there is none. */
export const metricCalled = (name: string): Metric | undefined =>
  metrics.find((metric) => metric.name === name && canBeLimited(metric));

export type { Metric } from './metric.ts';
