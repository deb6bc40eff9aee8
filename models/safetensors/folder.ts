import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { UserError } from '../../ground/errors.ts';
import { importError } from '../importers/importer.ts';
import { readJson } from '../importers/json-file.ts';
import { readSafetensors, type StoredTensor, type StoredTensors } from './file.ts';

const single = 'model.safetensors';
const index = 'model.safetensors.index.json';

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** The file of each tensor, as the index says. */
const weightMap = (folder: string): ReadonlyMap<string, string> =>
  new Map(Object.entries(readJson(join(folder, index), indexSchema).weight_map));

/** A shard is a file of the folder itself: an index must not make decant read anything else. */
const checkedShard = (folder: string, shard: string): string => {
  if (!/^[^/\\:]+\.safetensors$/.test(shard)) {
    throw importError(`${index} points to '${shard}'; expected the name of a safetensors file in the same folder`);
  }
  if (!existsSync(join(folder, shard))) {
    throw importError(`${index} names the shard '${shard}', which is not in the folder: download it as well`);
  }
  return shard;
};

const shardsOf = (folder: string, map: ReadonlyMap<string, string>): readonly string[] =>
  [...new Set(map.values())].sort().map((shard) => checkedShard(folder, shard));

const others: readonly (readonly [string, string])[] = [
  ['pytorch_model.bin', 'is a pickle, which runs code when it is opened'],
  ['pytorch_model.bin.index.json', 'belongs to pickles, which run code when they are opened'],
  ['tf_model.h5', 'belongs to TensorFlow'],
  ['flax_model.msgpack', 'belongs to Flax'],
];

const noWeights = (folder: string): UserError => {
  const [found] = others.filter(([file]) => existsSync(join(folder, file)));
  const instead = found === undefined ? '' : `; ${found[0]} ${found[1]}, so decant does not read it`;
  return importError(
    `the folder has no ${single} and no ${index}${instead}: ` +
      'save the model with save_pretrained(folder, safe_serialization=True) in transformers, or download its safetensors',
  );
};

/** Names of the files that hold a folder's tensors, the index first. */
export const tensorFiles = (folder: string): readonly string[] => {
  if (existsSync(join(folder, single))) return [single];
  if (!existsSync(join(folder, index))) throw noWeights(folder);
  return [index, ...shardsOf(folder, weightMap(folder))];
};

const joined = (folder: string): StoredTensors => {
  const map = weightMap(folder);
  const tensors = new Map<string, StoredTensor>();
  for (const shard of shardsOf(folder, map)) {
    for (const [name, tensor] of readSafetensors(join(folder, shard))) {
      if (map.get(name) !== shard) {
        throw importError(
          `${shard} holds tensor '${name}', which ${index} ${map.has(name) ? `puts in '${map.get(name)}'` : 'does not list'}`,
        );
      }
      tensors.set(name, tensor);
    }
  }
  const [lost] = [...map].filter(([name]) => !tensors.has(name));
  if (lost !== undefined)
    throw importError(`${index} puts tensor '${lost[0]}' in '${lost[1]}', which does not hold it`);
  return tensors;
};

/** Every tensor of a model's folder, from one file or from the shards that its index lists. */
export const readFolderTensors = (folder: string): StoredTensors =>
  existsSync(join(folder, single)) ? readSafetensors(join(folder, single)) : joined(folder);
