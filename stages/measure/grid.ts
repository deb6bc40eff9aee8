import { typicalLengths } from '../../data/lengths.ts';
import type { Cell } from '../../data/measurements.ts';
import { stageError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';
import type { Foreseen, Outlook } from '../expected.ts';

const same = (a: Cell, b: Cell): boolean => a.batch === b.batch && a.length === b.length;

/**
 * Batch 1 at the median and 95th-percentile length, the larger batch at the median, then what the file names; each once.
 */
export const gridFor = (lengths: ArrayLike<number>, batch: number, named: readonly Cell[]): readonly Cell[] => {
  const { median, p95 } = typicalLengths(lengths);
  const all = [{ batch: 1, length: median }, { batch: 1, length: p95 }, { batch, length: median }, ...named];
  return all.filter((cell, i) => all.findIndex((other) => same(cell, other)) === i);
};

const tooLong = (length: number, id: string, maxLength: number): string =>
  `measure.grid asks for texts of ${length} tokens, and "${id}" takes at most ${maxLength}; name a length up to ${maxLength}`;

/** Refuses a length that a model has no positions for. */
export const expectFits = (id: string, { info: { maxLength } }: Model, named: readonly Cell[]): void => {
  const long = named.find(({ length }) => length > maxLength);
  if (long !== undefined) throw stageError(tooLong(long.length, id, maxLength));
};

/** The same before there are models. */
export const foreseeGrid = ({ grid }: { readonly grid: readonly Cell[] }, { models }: Outlook): Foreseen => {
  const known = Object.entries(models).flatMap(([id, model]) =>
    model?.maxLength === undefined ? [] : [{ id, maxLength: model.maxLength }],
  );
  const problems = grid.flatMap(({ length }, i) => {
    const short = known.find(({ maxLength }) => length > maxLength);
    const path = ['grid', i, 'length'];
    return short === undefined ? [] : [{ path, message: tooLong(length, short.id, short.maxLength) }];
  });
  return { problems };
};
