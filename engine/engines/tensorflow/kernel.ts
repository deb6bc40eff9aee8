import type { Call } from '../../../graph/op.ts';
import type { DType } from '../../../graph/tensor.ts';
import type { Numbers } from './held.ts';
import type { Library, Tensor } from './library.ts';

/** One use of an operator in one run: its call with the sizes of that run, and its inputs. */
export interface Work {
  readonly tf: Library;
  readonly call: Call;
  /** An input that the operator cannot do without. */
  x(position: number): Tensor;
  /** An input, undefined where it is left out. */
  given(position: number): Tensor | undefined;
  /** Elements of an input as numbers: what the device computed is waited for. */
  numbers(position: number): readonly number[] | undefined;
  /** The same where they are on the host already. */
  fixed(position: number): readonly number[] | undefined;
  /** The shape of an output, from its operator's record. */
  shape(output?: number): number[];
  /** The element type of an output. */
  made(output?: number): DType;
}

/**
 * An operator in the library's words. Inputs are never disposed or written, other tensors that are not returned are disposed
 * by who calls; what is returned may be an input.
 */
export type Kernel = (work: Work) => Tensor | readonly Tensor[] | Numbers;

/** Kernels by operator, with its domain in front where that is not the standard one. */
export type Kernels = Readonly<Record<string, Kernel>>;
