import { typicalLengths } from '../../data/lengths.ts';
import type { Cell } from '../../data/measurements.ts';
import { stageError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';

const same = (a: Cell, b: Cell): boolean => a.batch === b.batch && a.length === b.length;

/**
 * Batch 1 at the median and 95th-percentile length, the larger batch at the median, then what the file names; each once.
 */
export const gridFor = (lengths: ArrayLike<number>, batch: number, named: readonly Cell[]): readonly Cell[] => {
  const { median, p95 } = typicalLengths(lengths);
  const all = [{ batch: 1, length: median }, { batch: 1, length: p95 }, { batch, length: median }, ...named];
  return all.filter((cell, i) => all.findIndex((other) => same(cell, other)) === i);
};

/** Refuses a length that a model has no positions for. */
export const expectFits = (id: string, { info }: Model, named: readonly Cell[]): void => {
  const long = named.find(({ length }) => length > info.maxLength);
  if (long === undefined) return;
  throw stageError(
    `measure.grid asks for texts of ${long.length} tokens, and "${id}" takes at most ${info.maxLength}; name a length up to ${info.maxLength}`,
  );
};
