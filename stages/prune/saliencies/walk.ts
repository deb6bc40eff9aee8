import type { Engine, Program } from '../../../engine/engine.ts';
import { carry, openCarrier, STRETCH } from '../../../engine/layerwise/carry.ts';
import { damped, inOrder, inverseFactor } from '../../../engine/layerwise/factor.ts';
import { shareFor } from '../zeros.ts';
import type { Asked, Walked, Walker } from './saliency.ts';

/** Share of the mean of the diagonal that is added to it, as the paper has it. */
const DAMPING = 0.01;

interface Underway {
  readonly rows: number;
  readonly width: number;
  /** Changes as what stays makes up for what goes. */
  readonly w: Float32Array;
  /** Upper triangular. */
  readonly factor: Float32Array;
  /** 1 where a weight was 0 before: it does not come back. */
  readonly empty: Uint8Array;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Marks what goes of some inputs of all rows, as they are now: (rows, to - from). */
const markSpan = (
  { rows, width, w, factor, empty }: Underway,
  { from, to }: Span,
  { pattern, quota, compete }: Asked,
): Uint8Array => {
  const own = to - from;
  const scores = new Float32Array(rows * own);
  for (let row = 0; row < rows; row++) {
    for (let i = from; i < to; i++) {
      if (empty[row * width + i] === 1) continue;
      scores[row * own + i - from] = ((w[row * width + i] as number) / (factor[i * width + i] as number)) ** 2;
    }
  }
  const units = scores.length / (pattern.rows * pattern.columns);
  const share = pattern.fixed ?? shareFor(quota.take(units), units);
  const [gone = new Uint8Array()] = pattern.mark([{ plane: { rows, width: own, turned: false }, scores }], {
    share,
    compete,
  });
  return gone;
};

/** Takes away what goes of some inputs; errors go on within the stretch, up to `end`, and are noted. */
const clearSpan = (
  { rows, width, w, factor, empty }: Underway,
  { from, to }: Span,
  gone: Uint8Array,
  stretch: Span & { readonly errors: Float32Array },
): void => {
  const length = stretch.to - stretch.from;
  for (let row = 0; row < rows; row++) {
    const own = w.subarray(row * width, (row + 1) * width);
    for (let i = from; i < to; i++) {
      if (gone[row * (to - from) + i - from] === 0 && empty[row * width + i] === 0) continue;
      const at = i * width;
      const error = (own[i] as number) / (factor[at + i] as number);
      stretch.errors[row * length + i - stretch.from] = error;
      own[i] = 0;
      for (let j = i + 1; j < stretch.to; j++) own[j] = (own[j] as number) - error * (factor[at + j] as number);
    }
  }
};

/** Inputs of a stretch: whole groups of those that are decided together. */
const stretchOf = ({ pattern }: Asked): number => Math.max(1, Math.floor(STRETCH / pattern.columns)) * pattern.columns;

const walk = async (underway: Underway, asked: Asked, carrier: Program, signal: AbortSignal): Promise<Float32Array> => {
  const { rows, width, w } = underway;
  const length = stretchOf(asked);
  for (let from = 0; from < width; from += length) {
    signal.throwIfAborted();
    const to = Math.min(width, from + length);
    const stretch = { from, to, errors: new Float32Array(rows * (to - from)) };
    const together = asked.pattern.together ?? length;
    for (let first = from; first < to; first += together) {
      const span = { from: first, to: Math.min(to, first + together) };
      clearSpan(underway, span, markSpan(underway, span, asked), stretch);
    }
    await carry(carrier, underway, stretch);
  }
  return w;
};

/** Goes along inputs in their own order; what products of one input share is worked out once. */
export const open = async (engine: Engine, threads: number): Promise<Walker> => {
  const carrier = await openCarrier(engine, threads);
  let known: { readonly products: Float64Array; readonly factor: Float32Array } | undefined;
  const factorOf = ({ products, width }: Walked): Float32Array => {
    if (known?.products === products) return known.factor;
    const factor = inverseFactor(damped(products, width, inOrder(width), DAMPING), width);
    if (factor === undefined) throw new Error('a damped matrix of products is positive definite');
    known = { products, factor: Float32Array.from(factor) };
    return known.factor;
  };
  return {
    thin: (walked, asked, signal) => {
      const { rows, width, data } = walked;
      const empty = Uint8Array.from(data, (w) => Number(w === 0));
      return walk({ rows, width, w: data.slice(), factor: factorOf(walked), empty }, asked, carrier, signal);
    },
    release: () => carrier.release(),
  };
};
