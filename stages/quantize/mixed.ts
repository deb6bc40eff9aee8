import { encodedBytes } from '../../graph/codec/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { chooseWeights, type QuantizeOptions } from '../../graph/quantize/choose.ts';
import { type Quantized, quantizeWeights } from '../../graph/quantize/index.ts';
import { bytesAfter } from '../../graph/quantize/report.ts';
import type { RoundedProducts } from './blocks.ts';
import { expectReachable, type Widening, widenedWithin } from './budget.ts';
import { withCorrections } from './corrections.ts';
import type { Harms } from './sensitivity.ts';

/** Which weights of a graph get more bits, and why. */
export interface Mixed {
  readonly widened: ReadonlySet<Value>;
  /** What each weight alone loses in the fewest bits, and the bytes that more would take. */
  readonly singles: readonly Widening[];
  /** What all of them lose together. */
  readonly whole: number;
  /** What those lose that keep the fewest bits, by the sum of what each loses. */
  readonly predicted: number;
}

interface Request {
  readonly graph: Graph;
  readonly options: QuantizeOptions;
  readonly products: RoundedProducts;
  /** With every weight in the fewest bits. */
  readonly smallest: Quantized;
  /** Of the file. */
  readonly bytes: number;
  readonly harms: Harms;
  onWeight(done: number, total: number): void;
}

/** Bytes that each weight in blocks would take more in 8 bits. */
const extraBytes = ({ graph, options, smallest }: Request): ReadonlyMap<Value, number> => {
  const blocked = [...smallest.choices].flatMap(([name, choice]) =>
    'form' in choice && choice.form === 'blocks' ? [name] : [],
  );
  const wide = chooseWeights(graph, { ...options, widened: new Set(blocked) });
  return new Map(
    blocked.map((name) => {
      const dims = graph.weights.get(name)?.dims ?? [];
      const [few, many] = [smallest.choices.get(name), wide.get(name)];
      if (few === undefined || many === undefined) throw new Error('every weight has a choice');
      return [name, bytesAfter(many, dims, 0) - bytesAfter(few, dims, 0)];
    }),
  );
};

/** Chooses weights for 8 bits by what each alone loses in fewer, within so many bytes of the file. */
export const mixedWithin = async (request: Request): Promise<Mixed> => {
  const { graph, options, products, smallest, bytes, harms, onWeight } = request;
  const least = encodedBytes(smallest.graph);
  expectReachable(least, bytes);
  const extra = extraBytes(request);
  const singles: Widening[] = [];
  for (const [weight, more] of extra) {
    const alone = withCorrections(graph, products, [weight]);
    const { graph: single } = quantizeWeights(alone, { ...options, only: new Set([weight]) }, products.packings);
    singles.push({ weight, bytes: more, harm: await harms.harmOf(single) });
    onWeight(singles.length, extra.size);
  }
  const widened = widenedWithin(singles, bytes - least);
  const predicted = singles.reduce((sum, { weight, harm }) => sum + (widened.has(weight) ? 0 : harm), 0);
  return { widened, singles, whole: await harms.harmOf(smallest.graph), predicted };
};
