import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const parentsOf = (folder: string): readonly string[] => {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...parentsOf(parent)];
};

/**
 * The folder of an installed npm package: in the node_modules folders above the YAML file, above the working directory,
 * and above decant itself. Folders are walked because a package's `exports` may hide its data files.
 */
export const findPackage = (name: string, base: string): string | undefined => {
  const starts = [base, process.cwd(), dirname(fileURLToPath(import.meta.url))];
  return [...new Set(starts.flatMap(parentsOf))]
    .map((folder) => join(folder, 'node_modules', ...name.split('/')))
    .find((folder) => existsSync(join(folder, 'package.json')));
};
