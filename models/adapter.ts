import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../ground/errors.ts';

/** How peft calls what it saves: the difference from a model, which transformers adds to weights that lie beside it. */
export const adapterFiles: readonly string[] = [
  'adapter_config.json',
  'adapter_model.safetensors',
  'adapter_model.bin',
];

/** Refuses a folder with an adapter, beside a whole model too: without it the answers are those of another model. */
export const checkAdapter = (folder: string, kind: 'import' | 'model-file' = 'import'): void => {
  const file = adapterFiles.find((name) => existsSync(join(folder, name)));
  if (file === undefined) return;
  throw new UserError(
    `${kind === 'import' ? 'the folder' : folder} holds an adapter (${file}), the difference from another model: ` +
      'merge the two with merge_and_unload() in peft and save the result with save_pretrained; ' +
      'where the adapter is not to count, take its files out of the folder',
    { kind },
  );
};
