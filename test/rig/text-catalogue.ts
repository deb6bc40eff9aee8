import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Catalogue } from '../../pipeline/catalogue.ts';
import { compiledRig, root } from './build.ts';
import { stages } from './text-stages.ts';

/** The text stages as a pipeline file names them; their processes run what was compiled before the tests. */
export const textCatalogue: Catalogue = {
  stages,
  data: z.discriminatedUnion('uses', [
    z.strictObject({ uses: z.literal('lines'), file: z.string() }),
    z.strictObject({ uses: z.literal('letters'), limit: z.int().optional() }),
  ]),
  checkData: async () => [],
  module: pathToFileURL(`${compiledRig}/test/rig/text-stages.js`).href,
  entry: `${root}dist/pipeline/step-process.js`,
};
