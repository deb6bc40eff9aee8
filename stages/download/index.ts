import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { stageError } from '../../ground/errors.ts';
import { defineStage } from '../stage.ts';
import { PUBLIC_HUB, tokenFrom } from './endpoint.ts';
import { patience } from './hub.ts';
import { listFiles } from './listing.ts';
import { originFile, originText } from './origin.ts';
import { place } from './place.ts';
import { parseSpecifier, repositoryOf } from './specifier.ts';
import { downloadFiles, totalSize } from './transfer.ts';

const config = z.strictObject({
  model: z.string().meta({ description: 'The model and its revision: hub:owner/name@revision.' }),
  endpoint: z.string().default(PUBLIC_HUB).meta({ description: 'Address of the hub.' }),
});

const refuse = (model: string): never => {
  throw stageError(
    `${model} is not in the store, and --offline (or DECANT_OFFLINE) forbids to download it: run once without it, or name a local folder`,
  );
};

/** A checkpoint of the hub as a folder: at one commit, every file checked against the size and hash that the hub names. */
export const download = defineStage({
  uses: 'download',
  version: 1,
  summary: 'Downloads a checkpoint from the hub.',
  config,
  place: 'asked',
  metrics: z.looseObject({
    hub: z.looseObject({
      endpoint: z.string(),
      repository: z.string(),
      revision: z.string(),
      commit: z.string(),
      files: z.number(),
      bytes: z.number(),
    }),
  }),
  makes: 'folder',
  draws: false,
  environment: 'none',
  from: [],
  wire: () => ({}),
  run: async (_, { model: specifier, endpoint }, ctx) => {
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
  },
});
