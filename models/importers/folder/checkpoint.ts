import type { Tensor } from '../../../graph/tensor.ts';
import type { Parameters } from '../../blocks.ts';
import type { StoredTensor, StoredTensors } from '../../safetensors/file.ts';
import { floatTensor, transposed } from '../../safetensors/float.ts';
import { ImportError } from '../importer.ts';

/** Tensors of a checkpoint as an architecture asks for them, and what nobody asked for. */
export interface Checkpoint {
  readonly parameters: Parameters;
  /** Names of the tensors that were never read. */
  unread(): readonly string[];
}

/**
 * What older checkpoints call a parameter: scale and shift of layer normalisation in very old ones; the bias of an untied output
 * layer in those of transformers 4, where it was one parameter with that of the head and stored under the head's name.
 */
const oldNames: readonly (readonly [RegExp, string])[] = [
  [/(LayerNorm)\.weight$/, '$1.gamma'],
  [/(LayerNorm)\.bias$/, '$1.beta'],
  [/^((?:cls\.)?predictions|lm_head)\.decoder\.bias$/, '$1.bias'],
];

const namesOf = (name: string): readonly string[] => [
  name,
  ...oldNames.flatMap(([pattern, old]) => (pattern.test(name) ? name.replace(pattern, old) : [])),
];

const shapeText = (dims: readonly number[]): string => `[${dims.join(', ')}]`;

const checkShape = (name: string, { file, dims }: StoredTensor, expected: readonly number[]): void => {
  if (dims.length === expected.length && dims.every((dim, i) => dim === expected[i])) return;
  throw new ImportError(
    `${file}: tensor '${name}' is ${shapeText(dims)}, by config.json it should be ${shapeText(expected)}: ` +
      'the two files belong to different models',
  );
};

/** The checkpoint's tensors under their own names; matrices of linear layers, stored (out, in), are turned to (in, out). */
export const checkpointOf = (tensors: StoredTensors): Checkpoint => {
  const read = new Set<string>();
  const find = (name: string): readonly [string, StoredTensor] => {
    for (const candidate of namesOf(name)) {
      const tensor = tensors.get(candidate);
      if (tensor !== undefined) return [candidate, tensor];
    }
    throw new ImportError(`the safetensors have no tensor '${name}', which config.json asks for`);
  };
  const parameters: Parameters = (name, dims, role): Tensor => {
    const [stored, tensor] = find(name);
    read.add(stored);
    checkShape(stored, tensor, role === 'linear' ? [...dims].reverse() : dims);
    const float = floatTensor(stored, tensor);
    return role === 'linear' ? transposed(float) : float;
  };
  return { parameters, unread: () => [...tensors.keys()].filter((name) => !read.has(name)) };
};
