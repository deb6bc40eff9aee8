/**
 * What the answers about many examples should be, `width` numbers each: the id of a class or a token, one number, or 0 and 1
 * for every class. An answer of which that is not known has -1 among ids, and no number (NaN) among numbers.
 */
export interface Targets {
  readonly width: number;
  readonly data: Int32Array | Float32Array;
}
