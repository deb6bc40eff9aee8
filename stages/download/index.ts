import { z } from 'zod';
import { defineStage } from '../stage.ts';
import { PUBLIC_HUB } from './endpoint.ts';

const config = z.strictObject({
  model: z.string().meta({ description: 'The model and its revision: hub:owner/name@revision.' }),
  endpoint: z.string().default(PUBLIC_HUB).meta({ description: 'Address of the hub.' }),
});

export type Config = z.output<typeof config>;

/** What it leaves for the report. */
const reported = z.looseObject({
  hub: z.looseObject({
    endpoint: z.string(),
    repository: z.string(),
    revision: z.string(),
    commit: z.string(),
    files: z.number(),
    bytes: z.number(),
  }),
});

export type Reported = z.infer<typeof reported>;

/** A checkpoint of the hub as a folder: at one commit, every file checked against the size and hash that the hub names. */
export const download = defineStage({
  uses: 'download',
  version: 1,
  summary: 'Downloads a checkpoint from the hub.',
  config,
  place: 'asked',
  metrics: reported,
  makes: 'folder',
  draws: false,
  environment: 'none',
  from: [],
  wire: () => ({}),
  run: async (...given) => (await import('./work.ts')).run(...given),
});
