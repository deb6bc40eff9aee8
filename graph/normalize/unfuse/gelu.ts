import type { Value } from '../../graph.ts';
import {
  type Fused,
  has,
  inputAt,
  isComputed,
  needed,
  numberOf,
  outputAt,
  scalarLike,
  times,
  type Unfusion,
} from './fused.ts';
import { batch, fusedNode, sampleOf, sequence, weight } from './samples.ts';

/** The operator set that brought Gelu. */
const GELU = 20;

/** y = x P(x), P the normal distribution function, before there was an operator for it. */
const exactParts = (at: Fused, x: Value): void => {
  const { builder } = at;
  const shifted = builder.op('Add', [builder.op('Erf', [times(at, x, Math.SQRT1_2)]), scalarLike(at, x, 1)]);
  builder.op('Mul', [builder.op('Mul', [x, shifted]), scalarLike(at, x, 0.5)], {}, outputAt(at, 0));
};

/** y = x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). */
const tanhParts = (at: Fused, x: Value): void => {
  const { builder } = at;
  const cube = builder.op('Mul', [builder.op('Mul', [x, x]), x]);
  const inner = times(at, builder.op('Add', [x, times(at, cube, 0.044715)]), Math.sqrt(2 / Math.PI));
  const shifted = builder.op('Add', [builder.op('Tanh', [inner]), scalarLike(at, x, 1)]);
  builder.op('Mul', [builder.op('Mul', [x, shifted]), scalarLike(at, x, 0.5)], {}, outputAt(at, 0));
};

const gelu = (at: Fused, x: Value, approximate: 'none' | 'tanh'): void => {
  if (at.builder.opset >= GELU) at.builder.op('Gelu', [x], { approximate }, outputAt(at, 0));
  else if (approximate === 'tanh') tanhParts(at, x);
  else exactParts(at, x);
};

const unfusion = (op: string, biases: readonly boolean[], write: (at: Fused, x: Value) => void): Unfusion => ({
  domain: 'com.microsoft',
  op,
  plan: (at) => {
    if (!isComputed(at)) return undefined;
    return () => {
      const [x, bias] = [needed(at, 0), inputAt(at, 1)];
      write(at, bias === undefined ? x : at.builder.op('Add', [x, bias]));
    };
  },
  changes: [20, 17].flatMap((opset) =>
    biases.map((biased) =>
      sampleOf(
        `${biased ? 'with' : 'without'} a bias, operator set ${opset}`,
        (builder, { x }) =>
          fusedNode(
            builder,
            `com.microsoft:${op}`,
            [x, biased ? weight(builder, 'bias', 8) : null],
            [[batch, sequence, 8]],
          ),
        { opset },
      ),
    ),
  ),
  leaves: [],
});

/** The exact Gelu, of x + bias, and with tanh. */
export const gelus: readonly Unfusion[] = [
  unfusion('Gelu', [false], (at, x) => gelu(at, x, 'none')),
  unfusion('BiasGelu', [true], (at, x) => gelu(at, x, 'none')),
  unfusion('FastGelu', [true, false], (at, x) => gelu(at, x, 'tanh')),
];

const slope = (name: string, attrs: { readonly alpha?: { readonly float: number } }) =>
  sampleOf(name, (builder, { x }) => fusedNode(builder, 'com.microsoft:QuickGelu', [x], [[batch, sequence, 8]], attrs));

/** x sigmoid(a x). */
export const quickGelu: Unfusion = {
  domain: 'com.microsoft',
  op: 'QuickGelu',
  plan: (at) => {
    if (!isComputed(at) || !has(at, 0)) return undefined;
    return () => {
      const x = needed(at, 0);
      const share = at.builder.op('Sigmoid', [times(at, x, numberOf(at, 'alpha', 1.702))]);
      at.builder.op('Mul', [x, share], {}, outputAt(at, 0));
    };
  },
  changes: [slope('the usual slope', {}), slope('swish', { alpha: { float: 1 } })],
  leaves: [],
};
