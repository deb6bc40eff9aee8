import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stageError } from '../../ground/errors.ts';
import type { StageRun } from '../stage.ts';
import { tokenFrom } from './endpoint.ts';
import { patience } from './hub.ts';
import type { Config, Reported } from './index.ts';
import { listFiles } from './listing.ts';
import { originFile, originText } from './origin.ts';
import { place } from './place.ts';
import { parseSpecifier, repositoryOf } from './specifier.ts';
import { downloadFiles, totalSize } from './transfer.ts';

const refuse = (model: string): never => {
  throw stageError(
    `${model} is not in the store, and --offline (or DECANT_OFFLINE) forbids to download it: run once without it, or name a local folder`,
  );
};

export const run: StageRun<Config, Reported> = async (_, { model: specifier, endpoint }, ctx) => {
  const model = parseSpecifier(specifier);
  if (ctx.offline) refuse(specifier);
  const { signal, log } = ctx;
  const hub = { endpoint, token: tokenFrom(process.env), signal, patience, log };
  const listing = await listFiles(hub, model);
  const { commit, files } = listing;
  const bytes = totalSize(listing);
  const repository = repositoryOf(model);
  log(`${repository}@${model.revision} is commit ${commit}: ${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`);
  // Kept under the step's key until it is published: an interrupted download goes on.
  await mkdir(ctx.checkpoints.folder, { recursive: true });
  const found = await downloadFiles(hub, listing, ctx.checkpoints.folder, ctx.progress);
  const folder = await ctx.output('folder', 'folder');
  // Linked, not moved: an interruption before publication costs no second download.
  for (const [path, from] of found) await place(from, join(folder, path));
  await writeFile(join(folder, originFile), originText({ repository, commit }));
  return { hub: { endpoint, repository, revision: model.revision, commit, files: files.length, bytes } };
};
