import type { Graph } from '../graph/graph.ts';
import { parameterNames } from '../graph/sites.ts';
import { floatPiecesOf, type Tensor } from '../graph/tensor.ts';
import { modelError } from '../ground/errors.ts';

/** Where the numbers of a weight begin to be none; -1 where all are. One piece of it is in memory at a time. */
const firstStrange = (tensor: Tensor): { readonly index: number; readonly value: number } | undefined => {
  let before = 0;
  for (const piece of floatPiecesOf(tensor)) {
    // A sum is finite unless a part of it is not, or it overflows: only then is each number looked at.
    let sum = 0;
    for (let i = 0; i < piece.length; i++) sum += piece[i] as number;
    const at = Number.isFinite(sum) ? -1 : piece.findIndex((x) => !Number.isFinite(x));
    if (at >= 0) return { index: before + at, value: piece[at] ?? Number.NaN };
    before += piece.length;
  }
  return undefined;
};

const placeOf = (index: number, dims: readonly number[]): string => {
  let rest = index;
  const place = dims.toReversed().map((size) => {
    const at = rest % size;
    rest = Math.floor(rest / size);
    return at;
  });
  return `[${place.reverse().join(', ')}]`;
};

const refuse = (name: string, tensor: Tensor): void => {
  const strange = firstStrange(tensor);
  if (strange === undefined) return;
  const { index, value } = strange;
  throw modelError(
    `the weight '${name}' (float32 [${tensor.dims.join(', ')}]) holds ${value} at ${placeOf(index, tensor.dims)}; expected finite numbers: ` +
      'the file is damaged, or the training that wrote it diverged; take an earlier checkpoint',
  );
};

/** Refuses a model with a parameter that is NaN or infinite: whatever it would say is no answer. */
export const expectFinite = (graph: Graph): void => {
  for (const name of parameterNames(graph)) {
    const tensor = graph.weights.get(name);
    if (tensor?.dtype === 'float32') refuse(name, tensor);
  }
};
