import { pathToFileURL } from 'node:url';
import { check, dataSchema, load, look, taskOfData } from '../data/datasets/index.ts';
import { moduleBeside } from '../data/process.ts';
import { stages } from '../stages/index.ts';
import type { Catalogue } from './catalogue.ts';

/** What decant itself offers: its stages and kinds of data. */
export const decantCatalogue: Catalogue = {
  stages,
  data: dataSchema,
  checkData: (config, base) => check(dataSchema.parse(config), base),
  lookAtData: (config, base) => look(dataSchema.parse(config), base),
  readData: async (config, base) => (await load(dataSchema.parse(config), base)).dataset,
  taskOfData: (config) => taskOfData(dataSchema.parse(config)),
  module: pathToFileURL(moduleBeside(import.meta.url, '../stages/index')).href,
};
