import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where the golden decoders lie, which recipe.py beside them makes. */
export const goldenFolder = join(import.meta.dirname, '../golden/decoders');

/** Their folders, named by model_type. */
export const goldenDecoders = readdirSync(goldenFolder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
