import type { Dim } from '../../graph/dim.ts';
import type { Value } from '../../graph/graph.ts';
import type { DType } from '../../graph/tensor.ts';

/**
 * What an axis counts: examples, positions of the sequence that is answered about, positions of another one (what a decoder
 * looks at), positions that a state remembers, these with the sequence's own, or numbers side by side.
 */
export type BareAxisKind = 'batch' | 'sequence' | 'source' | 'past' | 'total' | 'width';

/** An axis with the size that the file gives it: a number is obeyed. */
export interface BareAxis {
  readonly kind: BareAxisKind;
  readonly size: Dim;
}

/**
 * What an input is fed: ids of tokens, which of two texts each belongs to, its position, which positions count, an image, the
 * features of a sound, states of an encoder, states of positions before, whether those count, or what has no part in the answer.
 */
export type BareRole =
  | 'tokens'
  | 'segments'
  | 'positions'
  | 'mask'
  | 'pixels'
  | 'frames'
  | 'hidden'
  | 'past'
  | 'flag'
  | 'spare';

export interface BareInput {
  readonly name: Value;
  readonly role: BareRole;
  readonly dtype: DType;
  readonly axes: readonly BareAxis[];
  /** The number from which on a look-up by it fails: rows of the smallest table. */
  readonly end?: number;
  /** Numbers that ids are compared with: padding, the end of a text. */
  readonly compared?: readonly number[];
  /** A mask that is added to scores as it is: 0 where a position counts. */
  readonly added?: true;
}

/** What an output tells: features of every position, scores, one vector a text, a state, or something else. */
export type BareOutputRole = 'hidden' | 'scores' | 'vector' | 'present' | 'other';

export interface BareOutput {
  readonly name: Value;
  readonly role: BareOutputRole;
  readonly dtype: DType;
  readonly axes: readonly BareAxis[];
  /** Numbers of the model that it depends on. */
  readonly weights: number;
}

/** What a graph remembers of positions before; one that only looks at what an encoder gave has no output for it. */
export interface BareState {
  readonly past: Value;
  readonly present?: Value;
}

/** What a graph of any maker is fed and gives, found by what it does with it. */
export interface Roles {
  readonly inputs: readonly BareInput[];
  readonly outputs: readonly BareOutput[];
  readonly states: readonly BareState[];
  /** The output that the model is for, as far as it shows. */
  readonly answer?: Value;
  /** The longest sequence that its positions allow; left out where they have no end. */
  readonly longest?: number;
}
