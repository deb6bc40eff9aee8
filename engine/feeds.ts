import type { Batch } from '../data/batches.ts';
import type { Stream } from '../data/random.ts';
import { type Graph, value } from '../graph/graph.ts';
import { type Model, type ModelInfo, type Processor, pixelsIn, tokensIn } from '../models/model.ts';
import { type Axis, type InputRole, inputOf, type Port, type Signature, type State } from '../models/signature.ts';
import { placesIn } from './answers.ts';
import { type Encoded, targetLength } from './encoded.ts';
import type { Feeds, HostTensor } from './engine.ts';
import { imagesOf } from './images.ts';

/** How a model is fed: its ports, and what fills batches up. */
export type Fed = Pick<ModelInfo, 'signature' | 'processor'>;

type Whole = Int32Array | Uint8Array;

/**
 * Rows of whole numbers as int64, (batch, length). Elements are written as low 32-bit words: what is fed is never negative,
 * and BigInt would be slow.
 */
const matrixOf = (
  { rows, length }: Batch,
  filler: number,
  write: (row: number, words: Int32Array, at: number) => number,
): BigInt64Array<ArrayBuffer> => {
  const matrix = new BigInt64Array(rows.length * length);
  const words = new Int32Array(matrix.buffer);
  for (let i = 0; i < rows.length; i++) {
    const start = 2 * i * length;
    const end = 2 * (i + 1) * length;
    const filled = start + 2 * Math.min(length, write(rows[i] as number, words.subarray(0, end), start));
    if (filler !== 0) for (let at = filled; at < end; at += 2) words[at] = filler;
  }
  return matrix;
};

/** Writes a row's own numbers; gives how many there are. */
const copied =
  (rowOf: (row: number) => Whole | undefined) =>
  (row: number, words: Int32Array, start: number): number => {
    const own = rowOf(row);
    if (own === undefined) return 0;
    const count = Math.min(own.length, (words.length - start) / 2);
    for (let j = 0; j < count; j++) words[start + 2 * j] = own[j] as number;
    return count;
  };

/** Writes `first` at the first position of a row, and `step` more at each that follows. */
const counted =
  (examples: readonly Encoded[], first: number, step: number) =>
  (row: number, words: Int32Array, start: number): number => {
    const count = Math.min(examples[row]?.length ?? 0, (words.length - start) / 2);
    for (let j = 0; j < count; j++) words[start + 2 * j] = first + j * step;
    return count;
  };

/** What is made of a batch for an input of a role. */
type Fill = (examples: readonly Encoded[], batch: Batch, processor: Processor) => HostTensor;

type Matrix = (examples: readonly Encoded[], batch: Batch, processor: Processor) => BigInt64Array;

/** One whole number a position. */
const wholes =
  (matrix: Matrix): Fill =>
  (examples, batch, processor) => ({
    dtype: 'int64',
    dims: [batch.rows.length, batch.length],
    data: matrix(examples, batch, processor),
  });

const fromRole =
  (role: InputRole, examples: readonly Encoded[]) =>
  (row: number): Whole | undefined =>
    examples[row]?.byRole[role];

/** One whole number a position of what is written: batches of it are as long as the longest answer. */
const ofWritten = (matrix: Matrix): Fill => {
  const fill = wholes(matrix);
  return (examples, batch, processor) =>
    fill(examples, { ...batch, length: targetLength(examples, batch.rows) }, processor);
};

/** 0, 1, 2 ... in every row, to its end: what is behind an answer is looked at by nothing in front of it. */
const order = ofWritten((_, { rows, length }) =>
  BigInt64Array.from({ length: rows.length * length }, (_, at) => BigInt(at % length)),
);

const fills: Readonly<Record<InputRole, Fill>> = {
  tokens: wholes((examples, batch, processor) =>
    matrixOf(batch, tokensIn(processor).padding, copied(fromRole('tokens', examples))),
  ),
  segments: wholes((examples, batch) => matrixOf(batch, 0, copied(fromRole('segments', examples)))),
  mask: wholes((examples, batch) => matrixOf(batch, 0, counted(examples, 1, 0))),
  positions: wholes((examples, batch) => matrixOf(batch, 0, counted(examples, 0, 1))),
  places: (examples, batch) => {
    const data = BigInt64Array.from(placesIn(examples, batch), BigInt);
    return { dtype: 'int64', dims: [data.length], data };
  },
  written: ofWritten((examples, batch, processor) =>
    matrixOf(batch, tokensIn(processor).padding, copied(fromRole('written', examples))),
  ),
  queries: order,
  keys: order,
  last: () => ({ dtype: 'int64', dims: [], data: BigInt64Array.of(0n) }),
  pixels: (examples, batch, processor) => imagesOf(pixelsIn(processor), fromRole('pixels', examples), batch.rows),
};

/** What an input of a role is fed. */
export const fedTo = (role: InputRole, processor: Processor, examples: readonly Encoded[], batch: Batch): HostTensor =>
  fills[role](examples, batch, processor);

/** A state before anything was read of so many examples: no positions. */
const emptyState = ({ axes }: State, rows: number): HostTensor => ({
  dtype: 'float32',
  dims: axes.map((axis) => (typeof axis === 'number' ? axis : axis === 'batch' ? rows : 0)),
  data: new Float32Array(),
});

/** What a model remembers of so many examples before it has read anything, by the inputs that it goes on from. */
export const nothingRead = ({ states }: Pick<Signature, 'states'>, rows: number): Feeds =>
  Object.fromEntries(states.map((state) => [state.past, emptyState(state, rows)]));

/** A batch of examples as a model's inputs. This alone gives inputs their values by name. */
export const feedsFor = ({ signature, processor }: Fed, examples: readonly Encoded[], batch: Batch): Feeds => {
  const feeds: Record<string, HostTensor> = {};
  for (const { name, role } of signature.inputs) feeds[name] = fedTo(role, processor, examples, batch);
  return Object.assign(feeds, nothingRead(signature, batch.rows.length));
};

const multipleFor = (inputs: readonly Port[]): number =>
  inputs.reduce((most, { multipleOf = 1 }) => Math.max(most, multipleOf), 1);

/** The batch filled up to a length that the model takes. */
export const fitted = ({ signature }: Fed, batch: Batch): Batch => {
  const multiple = multipleFor(signature.inputs);
  const length = Math.ceil(batch.length / multiple) * multiple;
  return length === batch.length ? batch : { ...batch, length };
};

interface Dropping {
  readonly feeds: Feeds;
  readonly examples: readonly Encoded[];
  readonly batch: Batch;
  /** Rows in front of these in the batch that they are a piece of: they draw first. */
  readonly before?: Int32Array | undefined;
}

/** What was fed to the input of a role, where the model has one. */
export const dataFed = (
  { signature }: Pick<Fed, 'signature'>,
  feeds: Feeds,
  role: InputRole,
): HostTensor['data'] | undefined => {
  const input = inputOf(signature, role);
  return input === undefined ? undefined : feeds[input]?.data;
};

/** Fed token ids as low 32-bit words, every other of which is one; undefined where none were fed. */
export const tokenWords = (fed: Pick<Fed, 'signature'>, feeds: Feeds): Int32Array | undefined => {
  const data = dataFed(fed, feeds, 'tokens');
  return data instanceof BigInt64Array ? new Int32Array(data.buffer, data.byteOffset, 2 * data.length) : undefined;
};

/** Replaces tokens of fed batches by the unknown one, each with the given probability (token dropout, in place). */
export const dropTokens = (
  fed: Fed,
  { feeds, examples, batch, before }: Dropping,
  { rate, random }: { readonly rate: number; readonly random: Stream },
): void => {
  const kept = (row: number): number => Math.min(batch.length, examples[row]?.length ?? 0);
  const words = tokenWords(fed, feeds);
  if (words === undefined) return;
  const { unknown } = tokensIn(fed.processor);
  const threshold = rate * 2 ** 32;
  for (const row of before ?? []) for (let i = 0; i < kept(row); i++) random.bits();
  batch.rows.forEach((row, i) => {
    const start = 2 * i * batch.length;
    const end = start + 2 * kept(row);
    for (let at = start; at < end; at += 2) {
      if (random.bits() >>> 0 < threshold) words[at] = unknown;
    }
  });
};

/** What the symbolic dimensions of a graph's inputs are in these feeds. */
export const symbolsIn = ({ types }: Graph, feeds: Feeds): Readonly<Record<string, number>> => {
  const symbols: Record<string, number> = {};
  for (const [name, { dims }] of Object.entries(feeds)) {
    types.get(value(name))?.shape?.forEach((dim, axis) => {
      const size = dims[axis];
      if (typeof dim !== 'number' && size !== undefined) symbols[String(dim)] = size;
    });
  }
  return symbols;
};

/** What the symbolic dimensions of a model's inputs are where their axes count so much. */
export const symbolsFor = (
  { graph, info }: Pick<Model, 'graph' | 'info'>,
  sizes: Readonly<Partial<Record<Axis, number>>>,
): Readonly<Record<string, number>> => {
  const { inputs, states } = info.signature;
  const symbols: Record<string, number> = {};
  for (const { name, axes } of [...inputs, ...states.map(({ past, axes }) => ({ name: past, axes }))]) {
    graph.types.get(name)?.shape?.forEach((dim, i) => {
      const axis = axes[i];
      const size = typeof axis === 'string' ? sizes[axis] : undefined;
      if (typeof dim !== 'number' && size !== undefined) symbols[dim] = size;
    });
  }
  return symbols;
};

/** Sequences of `length` positions each, cut from given ones that are laid end to end, again and again. */
const recut = (examples: readonly Encoded[], count: number, length: number): readonly Encoded[] => {
  const roles = [...new Set(examples.flatMap(({ byRole }) => Object.keys(byRole)))];
  const ends = roles.map((role) =>
    examples.flatMap((example) => [...(example.byRole[role] ?? new Uint8Array(example.length))]),
  );
  const cut = (all: readonly number[], row: number): Int32Array =>
    Int32Array.from({ length }, (_, i) => all[(row * length + i) % all.length] ?? 0);
  return Array.from({ length: count }, (_, row) => ({
    length,
    byRole: Object.fromEntries(roles.map((role, r) => [role, cut(ends[r] ?? [], row)])),
  }));
};

/** Examples of one size each, again and again. */
const repeated = (examples: readonly Encoded[], count: number): readonly Encoded[] =>
  Array.from({ length: count }, (_, row) => examples[row % examples.length]).filter((one) => one !== undefined);

/** A full batch without padding: tokens of real texts, pairs with their segments; or real images. */
export const filledFeeds = (
  fed: Fed,
  examples: readonly Encoded[],
  { batch, length }: { readonly batch: number; readonly length: number },
): Feeds => {
  const rows = Int32Array.from({ length: batch }, (_, row) => row);
  const inSequence = fed.signature.inputs.some(({ axes }) => axes.includes('sequence'));
  const all = inSequence ? recut(examples, batch, length) : repeated(examples, batch);
  return feedsFor(fed, all, fitted(fed, { rows, length }));
};
