import { check, dataSchema, firstClasses } from '../data/datasets/index.ts';
import { nameRemarks } from '../data/datasets/remarks.ts';
import { stages } from '../stages/index.ts';
import type { Catalogue } from './catalogue.ts';

const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** What decant itself offers: its stages and kinds of data. */
export const decantCatalogue: Catalogue = {
  stages,
  data: dataSchema,
  checkData: (config, base) => check(dataSchema.parse(config), base),
  dataClasses: async (config, base) => {
    const classes = await firstClasses(dataSchema.parse(config), base);
    return { classes, remarks: nameRemarks(classes) };
  },
  module: new URL(`../stages/index${extension}`, import.meta.url).href,
};
