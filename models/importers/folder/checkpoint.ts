import type { Tensor } from '../../../graph/tensor.ts';
import { transposed } from '../../../graph/transposed.ts';
import type { Parameters } from '../../blocks.ts';
import { strangeNumber } from '../../finite.ts';
import type { StoredTensor, StoredTensors } from '../../safetensors/file.ts';
import { floatTensor } from '../../safetensors/float.ts';
import { importError } from '../importer.ts';

/** Tensors of a checkpoint as an architecture asks for them, and what nobody asked for. */
export interface Checkpoint {
  readonly parameters: Parameters;
  /** Whether the file has it, under whatever name. */
  has(name: string): boolean;
  /** Names of the tensors that were never read. */
  unread(): readonly string[];
  /** Refuses numbers that are none in what was asked for, at their place in the file. */
  expectFinite(): void;
}

/**
 * What older checkpoints call the scale and shift of layer normalisation, and the bias of masked language models: whichever
 * of its two names a file has.
 */
const oldNames: readonly (readonly [RegExp, string])[] = [
  [/(LayerNorm)\.weight$/, '$1.gamma'],
  [/(LayerNorm)\.bias$/, '$1.beta'],
  [/(predictions|lm_head)\.decoder\.bias$/, '$1.bias'],
  [/(predictions|lm_head)\.bias$/, '$1.decoder.bias'],
  // GPT-NeoX's head, which transformers calls otherwise since version 5 and still writes so.
  [/^lm_head\.weight$/, 'embed_out.weight'],
];

const namesOf = (name: string): readonly string[] => [
  name,
  ...oldNames.flatMap(([pattern, old]) => (pattern.test(name) ? name.replace(pattern, old) : [])),
];

const shapeText = (dims: readonly number[]): string => `[${dims.join(', ')}]`;

const checkShape = (name: string, { file, dims }: StoredTensor, expected: readonly number[]): void => {
  if (dims.length === expected.length && dims.every((dim, i) => dim === expected[i])) return;
  throw importError(
    `${file}: tensor '${name}' is ${shapeText(dims)}, by config.json it should be ${shapeText(expected)}: ` +
      'the two files belong to different models',
  );
};

/** Where the same name stands behind a prefix, the whole checkpoint was saved as a part of something else. */
const prefixHint = (name: string, names: readonly string[]): string => {
  const longer = names.find((one) => one.endsWith(`.${name}`));
  if (longer === undefined) return '';
  const prefix = longer.slice(0, -name.length);
  return `; they have '${longer}': save the model that '${prefix}' stands for, not what it is a part of, or take '${prefix}' off all names`;
};

/** Names that wrappers of PyTorch put before those of what they wrap: parallel training, compilation, sharding. */
const wrappers = /(?<=^|\.)(module|_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module)\./g;

/** The tensors under the names that they have in the model itself. */
export const unwrapped = (tensors: StoredTensors): StoredTensors => {
  const bare = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const own = name.replace(wrappers, '');
    if (bare.has(own)) {
      throw importError(
        `${tensor.file}: tensor '${name}' is '${own}' behind the prefix of a wrapper, and that stands in the file, too: ` +
          'two models were saved into one file',
      );
    }
    bare.set(own, tensor);
  }
  return bare;
};

const refuseStrange = (name: string, stored: StoredTensor): void => {
  const strange = strangeNumber(floatTensor(name, stored));
  if (strange === undefined) return;
  const { file, dtype, dims } = stored;
  throw importError(
    `${file}: tensor '${name}' (${dtype} ${shapeText(dims)}) holds ${strange}; expected finite numbers: ` +
      'the file is damaged, or the training that wrote it diverged; take an earlier checkpoint',
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
    throw importError(
      `the safetensors have no tensor '${name}', which config.json asks for${prefixHint(name, [...tensors.keys()])}`,
    );
  };
  const parameters: Parameters = (name, dims, role): Tensor => {
    const [stored, tensor] = find(name);
    read.add(stored);
    const kernel = typeof role === 'object' ? role.kernel : undefined;
    const turned = [...dims].reverse();
    checkShape(stored, tensor, kernel !== undefined ? [dims[1] ?? 0, ...kernel] : role === 'linear' ? turned : dims);
    const float = floatTensor(stored, tensor);
    if (kernel !== undefined) return transposed({ ...float, dims: turned });
    return role === 'linear' ? transposed(float) : float;
  };
  return {
    parameters,
    has: (name) => namesOf(name).some((candidate) => tensors.has(candidate)),
    unread: () => [...tensors.keys()].filter((name) => !read.has(name)),
    expectFinite: () => {
      for (const [name, tensor] of tensors) if (read.has(name)) refuseStrange(name, tensor);
    },
  };
};
