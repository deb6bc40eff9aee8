import { type Graph, indexOf, type Value } from '../graph.ts';
import { asSingles, isHalf } from '../halves.ts';
import { elementCount, type Tensor } from '../tensor.ts';
import { contentOf, isSame, isTurned } from './content.ts';

/** The weight of a normalised graph that holds one of the file. */
export interface KeptAs {
  readonly weight: Value;
  /** Whether it is the matrix turned over. */
  readonly turned: boolean;
}

const candidatesIn = (normal: Graph): ReadonlyMap<number, readonly (readonly [Value, Tensor])[]> => {
  const bySize = new Map<number, (readonly [Value, Tensor])[]>();
  for (const [name, tensor] of normal.weights) {
    if (tensor.dtype !== 'float32') continue;
    const size = elementCount(tensor.dims);
    bySize.set(size, [...(bySize.get(size) ?? []), [name, tensor]]);
  }
  return bySize;
};

const found = (tensor: Tensor, candidates: readonly (readonly [Value, Tensor])[]): KeptAs | undefined => {
  if (candidates.length === 0 || contentOf(tensor).uniform) return undefined;
  for (const [weight, other] of candidates) {
    if (isSame(tensor, other)) return { weight, turned: false };
    if (tensor.dims.length === 2 && isTurned(tensor, other)) return { weight, turned: true };
  }
  return undefined;
};

/** Whether a value is one number that a file says. */
const isNumber = (file: Graph, name: Value): boolean => {
  const isSaid = file.weights.has(name) || indexOf(file).producer.get(name)?.op === 'Constant';
  return isSaid && file.types.get(name)?.shape?.every((dim) => dim === 1) === true;
};

/** The sum of a weight and one number, where nothing else reads the weight: what moves one moves the other. */
const shifted = (file: Graph, normal: Graph, name: Value, { dims }: Tensor): KeptAs | undefined => {
  const [user, ...others] = indexOf(file).users.get(name) ?? [];
  const [sum] = user?.outputs ?? [];
  const number = user?.inputs.find((input) => input !== name);
  if (user?.op !== 'Add' || user.domain !== '' || others.length > 0) return undefined;
  if (sum === undefined || number == null || !isNumber(file, number)) return undefined;
  return normal.weights.get(sum)?.dims.join() === dims.join() ? { weight: sum, turned: false } : undefined;
};

/**
 * What became of the weights of a file, by their names there: they keep these where they can, and are found by their numbers
 * where they were turned over or tied to others, or by the sum with one number. Those that were taken apart or computed with
 * otherwise are not told.
 */
export const keptAs = (file: Graph, normal: Graph): ReadonlyMap<Value, KeptAs> => {
  const bySize = candidatesIn(normal);
  const kept = new Map<Value, KeptAs>();
  for (const [name, stored] of file.weights) {
    const tensor = isHalf(stored) ? asSingles(stored) : stored;
    if (tensor.dtype !== 'float32') continue;
    const own = normal.weights.get(name);
    const isItself = own !== undefined && own.dims.join() === tensor.dims.join();
    const place = isItself
      ? { weight: name, turned: false }
      : (shifted(file, normal, name, tensor) ?? found(tensor, bySize.get(elementCount(tensor.dims)) ?? []));
    if (place !== undefined) kept.set(name, place);
  }
  return kept;
};
