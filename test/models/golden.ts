import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostTensor } from '../../engine/engine.ts';
import type { ModelInfo } from '../../models/model.ts';

/** Tiny random checkpoints and what PyTorch says of them; recipe.py makes them. */
export const checkpointsFolder = fileURLToPath(new URL('../golden/checkpoints', import.meta.url));

export const checkpointNames: readonly string[] = readdirSync(checkpointsFolder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();

export const checkpoint = (name: string): string => join(checkpointsFolder, name);

/** A batch of texts as Python's tokenizer cuts them, and what transformers computes from it. */
interface Expected {
  readonly text: readonly string[];
  readonly pair?: readonly string[];
  readonly ids: readonly (readonly number[])[];
  readonly mask: readonly (readonly number[])[];
  readonly types?: readonly (readonly number[])[];
  readonly output: 'logits' | 'last_hidden_state';
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

export const expectedOf = (name: string): Expected =>
  JSON.parse(readFileSync(join(checkpoint(name), 'expected.json'), 'utf8'));

const tensor = (rows: readonly (readonly number[])[]): HostTensor => ({
  dtype: 'int64',
  dims: [rows.length, rows[0]?.length ?? 0],
  data: BigInt64Array.from(rows.flat(), BigInt),
});

/** The batch as feeds of an imported model. */
export const feedsOf = ({ ids, mask, types }: Expected, { inputs }: ModelInfo): Record<string, HostTensor> => ({
  [inputs.ids]: tensor(ids),
  [inputs.mask]: tensor(mask),
  ...(inputs.types === undefined ? {} : { [inputs.types]: tensor(types ?? ids.map((row) => row.map(() => 0))) }),
});

/** Outputs at tokens that the mask keeps: what PyTorch computes at padding is nobody's business. */
export const kept = (values: readonly number[], { dims, mask }: Expected): readonly number[] => {
  if (dims.length < 3) return values;
  const width = dims[2] ?? 1;
  return mask.flat().flatMap((keep, row) => (keep === 1 ? values.slice(row * width, (row + 1) * width) : []));
};
