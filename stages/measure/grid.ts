import { typicalLengths } from '../../data/lengths.ts';
import type { Cell } from '../../data/measurements.ts';
import { stageError } from '../../ground/errors.ts';
import type { Foreseen, Outlook } from '../expected.ts';

const same = (a: Cell, b: Cell): boolean => a.batch === b.batch && a.length === b.length;

/**
 * Batch 1 at the median and 95th-percentile length, the larger batch at the median, then what the file names; each once. Usual
 * lengths end where a model does, so that all are compared at them.
 */
export const gridFor = (
  lengths: ArrayLike<number>,
  batch: number,
  named: readonly Cell[],
  shortest = Number.POSITIVE_INFINITY,
): readonly Cell[] => {
  const typical = typicalLengths(lengths);
  const [median, p95] = [Math.min(typical.median, shortest), Math.min(typical.p95, shortest)];
  const all = [{ batch: 1, length: median }, { batch: 1, length: p95 }, { batch, length: median }, ...named];
  return all.filter((cell, i) => all.findIndex((other) => same(cell, other)) === i);
};

/** A model by the longest text that it takes. */
interface Taking {
  readonly id: string;
  readonly maxLength: number;
}

const tooLong = (length: number, { id, maxLength }: Taking): string =>
  `measure.grid asks for texts of ${length} tokens, and "${id}" takes at most ${maxLength}; name a length up to ${maxLength}`;

/** The model that takes the longest texts: what it does not take, nobody does. */
const longestOf = (all: readonly Taking[]): Taking | undefined =>
  all.reduce<Taking | undefined>(
    (most, one) => (most !== undefined && most.maxLength >= one.maxLength ? most : one),
    undefined,
  );

/** Refuses a length that no model has positions for. */
export const expectFits = (all: readonly Taking[], named: readonly Cell[]): void => {
  const most = longestOf(all);
  const long = named.find(({ length }) => most !== undefined && length > most.maxLength);
  if (most !== undefined && long !== undefined) throw stageError(tooLong(long.length, most));
};

/** The same before there are models, and which of them are left out where texts are too long for them. */
export const foreseeGrid = ({ grid }: { readonly grid: readonly Cell[] }, { models }: Outlook): Foreseen => {
  const { dataset: _, ...inputs } = models;
  const entries = Object.entries(inputs);
  const known = entries.flatMap(([id, model]) =>
    model?.maxLength === undefined ? [] : [{ id, maxLength: model.maxLength }],
  );
  const most = longestOf(known);
  if (most === undefined) return {};
  const isBeyond = (length: number): boolean => known.length === entries.length && length > most.maxLength;
  const lengths = grid.map(({ length }) => length);
  const problems = lengths.flatMap((length, i) =>
    isBeyond(length) ? [{ path: ['grid', i, 'length'], message: tooLong(length, most) }] : [],
  );
  const remarks = known.flatMap(({ id, maxLength }) => {
    const long = lengths.filter((length) => length > maxLength && !isBeyond(length));
    return long.length === 0
      ? []
      : [`"${id}" takes at most ${maxLength} tokens, and is not measured at ${long.join(', ')}`];
  });
  return { problems, remarks };
};
