import { type Stream, stream } from '../../data/random.ts';
import { bindDim, type Dim } from '../../graph/dim.ts';
import { halfWord } from '../../graph/halves.ts';
import { isFloating } from '../../graph/sites/content.ts';
import { type DType, elementCount, newArray, type TypedArray } from '../../graph/tensor.ts';
import type { BareAxis, BareAxisKind, BareInput, Roles } from './roles.ts';

/** What is fed to one input, as engines take it. */
export interface SampleFeed {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: TypedArray;
}

export interface SampleOptions {
  readonly batch: number;
  /** Positions of the sequence; as many as the model has where that is fewer. */
  readonly sequence: number;
  readonly seed: number;
  /** Positions that states remember. */
  readonly past?: number;
  /** Positions of what a decoder looks at. */
  readonly source?: number;
}

type Sizes = Readonly<Record<BareAxisKind, number>>;

/** The first number that a file has for axes of a kind. */
const fixedOf = ({ inputs }: Roles, kind: BareAxisKind): number | undefined =>
  inputs.flatMap(({ axes }) => axes.filter((axis) => axis.kind === kind)).find(({ size }) => typeof size === 'number')
    ?.size as number | undefined;

const PAST = 3;

const sizesFor = (roles: Roles, { batch, sequence, past = PAST, source = sequence + 2 }: SampleOptions): Sizes => {
  const remembers = roles.inputs.some(({ axes }) => axes.some(({ kind }) => kind === 'past'));
  const remembered = remembers ? (fixedOf(roles, 'past') ?? past) : 0;
  const most = Math.max(1, (roles.longest ?? Number.POSITIVE_INFINITY) - remembered);
  const own = fixedOf(roles, 'sequence') ?? Math.min(sequence, most);
  const other = fixedOf(roles, 'source') ?? Math.min(source, roles.longest ?? source);
  return {
    ...{ batch: fixedOf(roles, 'batch') ?? batch, sequence: own, source: other, past: remembered },
    ...{ total: fixedOf(roles, 'total') ?? own + remembered, width: 1 },
  };
};

/** What the names of sizes stand for: the axes of ids first, then of states, then the rest. */
const bindingsOf = ({ inputs }: Roles, sizes: Sizes): Readonly<Record<string, number>> => {
  const order: readonly BareAxisKind[] = ['batch', 'sequence', 'source', 'past', 'total', 'width'];
  const axes = inputs.flatMap((input) => input.axes);
  const bound: Record<string, number> = {};
  for (const kind of order) {
    for (const axis of axes) if (axis.kind === kind && isSymbol(axis.size)) bound[axis.size] ??= sizes[kind];
  }
  return bound;
};

const isSymbol = (size: Dim): size is Exclude<Dim, number> => typeof size !== 'number' && !/[+*-]/.test(size);

const sizeOf = ({ kind, size }: BareAxis, sizes: Sizes, bound: Readonly<Record<string, number>>): number => {
  // Files call the length of a mask over all positions by the name of the sequence's own.
  if (kind === 'total' && typeof size !== 'number') return sizes.total;
  const known = bindDim(size, bound);
  return typeof known === 'number' && known >= 0 ? known : sizes[kind];
};

/** Rows of a batch as numbers, by row and place. */
type Cell = (place: readonly number[]) => number;

/** Positions that count: of the last row of several a third is padding. */
const lengthOf = (row: number, rows: number, length: number): number =>
  rows > 1 && row === rows - 1 ? Math.max(1, length - Math.ceil(length / 3)) : length;

/** Ids that the graph knows by number (padding, ends of texts) are not drawn: a text has them where they belong. */
const drawnId = (random: Stream, { end = 2, compared = [] }: BareInput): number => {
  const known = compared.filter((id) => id < end);
  if (known.length >= end) return 0;
  for (;;) {
    const id = random.integer(end);
    if (!known.includes(id)) return id;
  }
};

const PADDED = -1e4;

const cellOf = (input: BareInput, dims: readonly number[], sizes: Sizes, random: Stream): Cell => {
  const [rows, length] = [dims.at(0) ?? 1, dims.at(-1) ?? 1];
  const isPadding = (place: readonly number[]): boolean =>
    dims.length > 1 && (place.at(-1) ?? 0) >= lengthOf(place[0] ?? 0, rows, length);
  switch (input.role) {
    case 'tokens': {
      const filler = input.compared?.find((id) => id < (input.end ?? 0)) ?? 0;
      return (place) => (isPadding(place) ? filler : drawnId(random, input));
    }
    case 'segments':
      return (place) => (2 * (place.at(-1) ?? 0) < length || (input.end ?? 2) < 2 ? 0 : 1);
    case 'positions':
      return (place) => Math.min(sizes.past + (place.at(-1) ?? 0), (input.end ?? Number.POSITIVE_INFINITY) - 1);
    case 'mask':
      return (place) => (input.added ? (isPadding(place) ? PADDED : 0) : isPadding(place) ? 0 : 1);
    case 'flag':
      // As whole texts are asked: states that are fed beside it are left out.
      return () => 0;
    case 'spare':
      return () => (isFloating(input.dtype) ? 1 : 0);
    default:
      return () => random.normal();
  }
};

const put = (data: TypedArray, dtype: DType, i: number, number: number): void => {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(Math.trunc(number));
  else data[i] = dtype === 'float16' || dtype === 'bfloat16' ? halfWord(number, dtype) : number;
};

/** One number for every place of an input. */
export const filled = (input: BareInput, dims: readonly number[], cell: Cell): SampleFeed => {
  const data: TypedArray = newArray(input.dtype, elementCount(dims));
  const place = dims.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    put(data, input.dtype, i, cell(place));
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      place[axis] = ((place[axis] ?? 0) + 1) % (dims[axis] ?? 1);
      if (place[axis] !== 0) break;
    }
  }
  return { dtype: input.dtype, dims, data };
};

/**
 * Inputs that fit a graph: ids within its vocabulary, positions within its table, padding in the last row of several, images,
 * sounds and states drawn at random. Sizes that the file gives as numbers are obeyed. Equal seeds give equal feeds.
 */
export const sampleFeeds = (roles: Roles, options: SampleOptions): Readonly<Record<string, SampleFeed>> => {
  const sizes = sizesFor(roles, options);
  const bound = bindingsOf(roles, sizes);
  return Object.fromEntries(
    roles.inputs.map((input) => {
      const dims = input.axes.map((axis) => sizeOf(axis, sizes, bound));
      const random = stream(options.seed, 'sample', input.name);
      return [input.name, filled(input, dims, cellOf(input, dims, sizes, random))];
    }),
  );
};
