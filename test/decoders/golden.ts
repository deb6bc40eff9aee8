import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutUnits } from '../../models/anatomy/removal.ts';
import { noUnits } from '../../models/anatomy/units.ts';
import { importFolder } from '../../models/importers/folder/index.ts';
import type { Imported } from '../../models/importers/importer.ts';
import { importModel } from '../../models/importers/index.ts';
import type { Model } from '../../models/model.ts';
import { infoAfter } from '../../stages/prune/info.ts';
import type { Workspace } from '../rig/workspace.ts';

/** Where the golden decoders lie, which recipe.py beside them makes. */
export const goldenFolder = join(import.meta.dirname, '../golden/decoders');

/** Their folders, named by model_type, and behind a hyphen by what is special. */
export const goldenDecoders = readdirSync(goldenFolder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

/** The model_type of a golden decoder. */
export const typeOfDecoder = (name: string): string => name.replace(/-.*$/, '');

export const goldenDecoder = (name: string): Promise<Model> => importFolder(join(goldenFolder, name), { head: 'keep' });

/** The LLaMA among them as optimum exports it, with past and present. */
export const optimumDecoder = (space: Workspace): Promise<Imported> => {
  const llama = join(goldenFolder, 'llama');
  for (const file of ['tokenizer.json', 'tokenizer_config.json', 'config.json', 'optimum.onnx'])
    space.write(`optimum/${file}`, readFileSync(join(llama, file)));
  return importModel(space.path('optimum/optimum.onnx'), '/');
};

/** A golden decoder without half of the heads of each layer and a few of its neurons. */
export const slimmed = (model: Model): Model => {
  const [heads, ffn] = [
    [2, 3],
    [1, 7, 8, 9],
  ];
  const units = { ...noUnits, heads: { 0: heads, 1: heads }, ffn: { 0: ffn, 1: ffn } };
  const graph = withoutUnits(model.graph, units);
  return { ...model, graph, info: infoAfter(model.info, graph) };
};
