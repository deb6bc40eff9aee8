import { type Graph, indexOf, type Value } from '../../graph/graph.ts';
import { elementCount, numbersOf, type Tensor, tensorOf } from '../../graph/tensor.ts';

/** How rotary positions go on: all turns slower alike, or slow ones more than quick ones. */
type Slowing = 'interpolate' | 'scale';

/** What cosines and sines of positions are made of: how far each pair of a head turns with a position. */
const turnsIn = (graph: Graph): ReadonlyMap<Value, Tensor> => {
  const { producer } = indexOf(graph);
  const angles = graph.nodes
    .filter(({ op }) => op === 'Cos' || op === 'Sin')
    .flatMap(({ inputs: [input] }) => input ?? []);
  return new Map(
    angles.flatMap((angle) => {
      const node = producer.get(angle);
      const factors = node?.op === 'Mul' ? node.inputs : [];
      return factors.flatMap((input) => {
        const tensor = input === null ? undefined : graph.weights.get(input);
        return input !== null && tensor?.dtype === 'float32' && elementCount(tensor.dims) > 1
          ? [[input, tensor] as const]
          : [];
      });
    }),
  );
};

/**
 * Of how many times the length pair i of d / 2 turns so much less: 1 / s for all (Chen et al. 2023, arXiv 2306.15595), or
 * s^(-2 i / (d - 2)), as from a base of theta s^(d / (d - 2)): the quickest as before, the slowest by 1 / s (Peng et al. 2023, arXiv 2309.00071).
 */
const slowing = (by: Slowing, times: number, pairs: number, i: number): number =>
  by === 'interpolate' || pairs < 2 ? 1 / times : times ** -((i % pairs) / (pairs - 1));

/** Rotary frequencies for texts so many times as long. */
export const slowed = (graph: Graph, by: Slowing, times: number): ReadonlyMap<Value, Tensor> =>
  new Map(
    [...turnsIn(graph)].map(([name, tensor]) => {
      const numbers = numbersOf(tensor);
      // Both halves of a head turn alike where they stand one behind the other.
      const pairs = numbers[0] === numbers[numbers.length / 2] ? numbers.length / 2 : numbers.length;
      const slow = Float32Array.from(numbers, (turn, i) => turn * slowing(by, times, pairs, i));
      return [name, tensorOf('float32', tensor.dims, slow)] as const;
    }),
  );

/** The same in the words of config.json, where it says how positions turn and nothing of slowing yet. */
export const rotationSaid = (
  { rope_theta: theta, rope_scaling: scaling, head_dim: width }: Readonly<Record<string, unknown>>,
  by: 'copy' | Slowing,
  times: number,
): Readonly<Record<string, unknown>> => {
  if (typeof theta !== 'number' || scaling != null || by === 'copy') return {};
  if (by === 'interpolate') return { rope_scaling: { rope_type: 'linear', factor: times } };
  return typeof width === 'number' && width > 2 ? { rope_theta: theta * times ** (width / (width - 2)) } : {};
};
