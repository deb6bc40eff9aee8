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

/** The first number of a tensor that is none, and where it stands: "NaN at [0, 3]"; nothing where all are finite. */
export const strangeNumber = (tensor: Tensor): string | undefined => {
  const strange = firstStrange(tensor);
  return strange === undefined ? undefined : `${strange.value} at ${placeOf(strange.index, tensor.dims)}`;
};

/** Which number of a weight is none, where there is one. */
export const nonFinite = (name: string, tensor: Tensor): string | undefined => {
  const strange = strangeNumber(tensor);
  return strange === undefined
    ? undefined
    : `the weight '${name}' (float32 [${tensor.dims.join(', ')}]) holds ${strange}`;
};

const refuse = (name: string, tensor: Tensor): void => {
  const strange = nonFinite(name, tensor);
  if (strange === undefined) return;
  throw modelError(
    `${strange}; expected finite numbers: the file is damaged, or the training that wrote it diverged; take an earlier checkpoint`,
  );
};

/** Refuses a model with a parameter that is NaN or infinite: whatever it would say is no answer. */
export const expectFinite = (graph: Graph): void => {
  for (const name of parameterNames(graph)) {
    const tensor = graph.weights.get(name);
    if (tensor?.dtype === 'float32') refuse(name, tensor);
  }
};
