import type { InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { type Looking, lookedInto } from './looked.ts';

/** Models of teachers by their ids, as far as they come in. */
export const readLooked = async (
  taught: Looking,
  inputs: Readonly<Record<string, InputArtifact>>,
): Promise<ReadonlyMap<string, Model>> => {
  const models = new Map<string, Model>();
  for (const [id, name] of lookedInto(taught)) {
    const input = inputs[name];
    if (input !== undefined) models.set(id, await readModelArtifact(input.path));
  }
  return models;
};
