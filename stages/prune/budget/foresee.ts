import { bytesIn, bytes as writtenBytes } from '../../../ground/bytes.ts';
import type { DataFacts, Expected, Foreboding } from '../../expected.ts';
import type { PruneOptions } from '../config.ts';
import { shareOf, targetOf } from '../counts.ts';
import { levelsOf, widthsOf } from './levels.ts';
import { type BudgetOptions, freeKinds } from './options.ts';

/** Sizes of which every budget's amount hangs. */
interface Shape {
  readonly layers: number;
  readonly hidden: number;
  /** Width of all heads together. */
  readonly attention: number;
  readonly ffn: number;
  readonly tokens: number;
  readonly embedding: number;
}

/** Sizes of a whole model, and into how many heads its attention is divided. */
interface Whole extends Shape {
  readonly heads: number;
  /** How many matrices of stream x neurons a layer may have. */
  readonly blocks: readonly number[];
}

/** Layers of these have several blocks of neurons. */
const SEVERAL = 'mobilebert';

/**
 * How many matrices of stream x heads and of stream x neurons a layer may have: heads share keys and values in some, neurons are gated
 * or stand in several blocks in others. What is refused is refused for all of them.
 */
const attentions = [2, 4];
const blocks = { usual: [2, 3], any: [2, 3, 8] } as const;

const FLOAT = 4;

/** Tokens of a text where nobody says how many there may be. */
const LONGEST = 512;

type Amount = (shape: Shape, attention: number, block: number) => number;

const weights: Amount = ({ layers, hidden, attention, ffn }, a, b) => layers * hidden * (a * attention + b * ffn);

/** Multiply-accumulates of one token among so many. */
const macsAt =
  (length: number): Amount =>
  (shape, a, b) =>
    weights(shape, a, b) + 2 * length * shape.layers * shape.attention;

/** Layers may share their weights. */
const numbersOf = ({ tokens, embedding, ...shape }: Shape, a: number, b: number, layers: number): number =>
  weights({ ...shape, tokens, embedding, layers }, a, b) + tokens * embedding;

/** The least of an amount, whatever the layers look like. */
const leastOver = (kinds: readonly number[], amount: (a: number, b: number) => number): number =>
  Math.min(...attentions.flatMap((a) => kinds.map((b) => amount(a, b))));

const wholeOf = ({ sizes = {}, headWidth, modelType = SEVERAL }: Expected): Whole | undefined => {
  const { layers, hidden, heads, ffn, vocabulary = 0, embedding = hidden } = sizes;
  if (layers === undefined || hidden === undefined || heads === undefined || ffn === undefined) return undefined;
  const width = headWidth ?? hidden / heads;
  return {
    layers,
    hidden,
    heads,
    attention: heads * width,
    ffn,
    tokens: vocabulary,
    embedding: embedding ?? hidden,
    blocks: modelType === SEVERAL ? blocks.any : blocks.usual,
  };
};

const layersLeft = (kept: NonNullable<PruneOptions['keep']>['layers'], all: number): number => {
  if (kept === undefined) return all;
  if (typeof kept === 'object') return kept.length;
  const { exact, kept: count } = targetOf(kept, all);
  return Math.max(1, Math.round(exact ?? count));
};

/** What has to stay: what is kept by name, and the fewest of each kind that the budget may cut. */
const leastOf = (options: PruneOptions, budget: BudgetOptions, whole: Whole): Shape => {
  const { keep = {} } = options;
  const free = new Set<string>(freeKinds(budget, keep));
  const named = (key: 'heads' | 'ffn' | 'hidden', size: number): number => {
    const count = keep[key];
    return count === undefined ? size : targetOf(count, size).kept;
  };
  const heads = named('heads', whole.heads);
  const ffn = named('ffn', whole.ffn);
  const hidden = named('hidden', whole.hidden);
  const fewest = (kind: 'heads' | 'ffn', count: number): number =>
    free.has(kind) ? (levelsOf({ kind, count })[0] ?? count) : count;
  const narrow = free.has('hidden') ? (widthsOf(hidden).at(-1) ?? hidden) : hidden;
  return {
    layers: free.has('layers') ? 1 : layersLeft(keep.layers, whole.layers),
    hidden: narrow,
    attention: (fewest('heads', heads) * whole.attention) / whole.heads,
    ffn: fewest('ffn', ffn),
    // Tokens that are cut are counted in texts, and a table that becomes two factors is left out.
    tokens: keep.vocabulary === undefined && keep.embedding === undefined ? whole.tokens : 0,
    embedding: Math.min(whole.embedding, narrow),
  };
};

/** Rounded down: that much may be had. */
const percent = (share: number): string => `${Math.floor(1000 * share) / 10} %`;

type Found = readonly [asked: number, least: number, written: string];

/** Multiply-accumulates that were asked for, and that are left at least: shares, or those of a single token. */
const workOf = (macs: number | string, whole: Whole, least: Shape, longest: number): Found => {
  if (typeof macs === 'number') {
    const one = leastOver(whole.blocks, (a, b) => macsAt(1)(least, a, b));
    return [macs, one, `${Math.floor(one)} for a single token`];
  }
  const shares = [1, longest].map((n) =>
    leastOver(whole.blocks, (a, b) => macsAt(n)(least, a, b) / macsAt(n)(whole, a, b)),
  );
  const share = Math.min(...shares);
  return [shareOf(macs) ?? 1, share, percent(share)];
};

/** The same of bytes. */
const bytesOf = (asked: string, whole: Whole, least: Shape): Found => {
  const absolute = bytesIn(asked);
  const size = leastOver(whole.blocks, (a, b) => FLOAT * numbersOf(least, a, b, 1));
  if (absolute !== undefined) return [absolute, size, writtenBytes(size)];
  const share = leastOver(whole.blocks, (a, b) => numbersOf(least, a, b, 1) / numbersOf(whole, a, b, whole.layers));
  return [shareOf(asked) ?? 1, share, percent(share)];
};

/** A budget of work or bytes that what must stay does not keep to, by the sizes of the model; of time only a machine can tell. */
export const belowLeast = (
  options: PruneOptions,
  model: Expected,
  data: DataFacts | undefined,
): readonly Foreboding[] => {
  const { budget, keep } = options;
  const whole = wholeOf(model);
  if (budget === undefined || whole === undefined || model.stored !== undefined || budget.p50 !== undefined) return [];
  const least = leastOf(options, budget, whole);
  const key = budget.macs === undefined ? 'bytes' : 'macs';
  const longest = data?.maxLength ?? model.maxLength ?? LONGEST;
  const [asked, fewest, written] =
    budget.macs === undefined ? bytesOf(budget.bytes ?? '', whole, least) : workOf(budget.macs, whole, least, longest);
  if (asked >= fewest) return [];
  const more = budget.cuts.includes('hidden')
    ? ''
    : ', or let the width of the stream be cut, too (cuts: [..., hidden])';
  const message =
    `${budget[key]} ${key} cannot be reached: with the fewest ${freeKinds(budget, keep).join(', ')} that can stay it is at least ` +
    `${written}; ask for more than that${more}`;
  return [{ path: ['budget', key], message }];
};
