import type { Example } from './dataset.ts';

/**
 * What the answers about many examples should be, `width` numbers each: the id of a class or a token, one number, or 0 and 1
 * for every class. An answer of which that is not known has -1 among ids, and no number (NaN) among numbers.
 */
export interface Targets {
  readonly width: number;
  readonly data: Int32Array | Float32Array;
}

export const isKnown = ({ width, data }: Targets, answer: number): boolean => {
  const first = data[answer * width] ?? -1;
  return data instanceof Int32Array ? first >= 0 : !Number.isNaN(first);
};

/** The one number of an answer. */
export const targetOf = ({ width, data }: Targets, answer: number): number => data[answer * width] ?? -1;

/** All numbers of an answer. */
export const targetsOf = ({ width, data }: Targets, answer: number): Int32Array | Float32Array =>
  data.subarray(answer * width, (answer + 1) * width);

/** Nothing is known of so many answers. */
export const unknownTargets = (answers: number): Targets => ({ width: 1, data: new Int32Array(answers).fill(-1) });

/** One id an answer. */
export const idTargets = (ids: Iterable<number>): Targets => ({ width: 1, data: Int32Array.from(ids) });

/** One number an answer; NaN where none is known. */
export const numberTargets = (numbers: Iterable<number>): Targets => ({ width: 1, data: Float32Array.from(numbers) });

/** 0 and 1 for every class of an answer; -1 where nothing is known of it. */
export const setTargets = (
  examples: readonly Pick<Example, 'target'>[],
  classes: number,
): Targets & { readonly data: Int32Array } => {
  const data = new Int32Array(examples.length * classes);
  examples.forEach(({ target }, i) => {
    if (typeof target === 'object') for (const c of target) data[i * classes + c] = 1;
    else data.fill(-1, i * classes, (i + 1) * classes);
  });
  return { width: classes, data };
};
