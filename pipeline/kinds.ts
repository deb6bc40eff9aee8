import { check, dataSchema, load, look, taskOfData } from '../data/datasets/index.ts';
import { stages } from '../stages/index.ts';
import type { Catalogue } from './catalogue.ts';

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** What decant itself offers: its stages and kinds of data. */
export const decantCatalogue: Catalogue = {
  stages,
  data: dataSchema,
  checkData: (config, base) => check(dataSchema.parse(config), base),
  lookAtData: (config, base) => look(dataSchema.parse(config), base),
  readData: async (config, base) => (await load(dataSchema.parse(config), base)).dataset,
  taskOfData: (config) => taskOfData(dataSchema.parse(config)),
  module: new URL(`../stages/index${extension}`, import.meta.url).href,
};
