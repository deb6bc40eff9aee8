import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readText } from '../../ground/whole-file.ts';
import { endpointFrom, endpointProblem } from '../download/endpoint.ts';
import { originFile, parseOrigin } from '../download/origin.ts';
import { place } from '../download/place.ts';
import { parseSpecifier, repositoryOf, specifierProblem } from '../download/specifier.ts';
import type { Ref, StageContext, Wiring } from '../stage.ts';

/** Asks the plan for a download of a model of the hub; only its form is looked at. */
export const hubInputs = (specifier: string, wiring: Wiring): Readonly<Record<string, Ref>> => {
  const endpoint = endpointFrom(process.env);
  const problem = specifierProblem(specifier) ?? endpointProblem(endpoint);
  if (problem !== undefined) {
    wiring.problem(['model'], problem);
    return {};
  }
  const model = parseSpecifier(specifier);
  const whole = `hub:${repositoryOf(model)}@${model.revision}`;
  return { checkpoint: wiring.step('download', { model: whole, endpoint }, {}) };
};

/** Which model at which commit a downloaded checkpoint is, for reports and model cards. */
export const checkpointName = async (path: InputArtifact['path']): Promise<string> => {
  const { repository, commit } = parseOrigin(await readText(path(originFile)));
  return `${repository} at commit ${commit}`;
};

/** Lays a downloaded checkpoint out as a folder, under the names that its files have, for as long as `use` takes. */
export const withCheckpoint = async <T>(
  input: InputArtifact,
  ctx: Pick<StageContext, 'checkpoints'>,
  use: (folder: string, name: string) => Promise<T>,
): Promise<T> => {
  const folder = join(ctx.checkpoints.folder, 'checkpoint');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  await remove();
  try {
    for (const file of Object.keys(input.artifact.files)) await place(input.path(file), join(folder, file));
    return await use(folder, await checkpointName(input.path));
  } finally {
    await remove();
  }
};
