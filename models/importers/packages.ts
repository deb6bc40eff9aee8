import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImportError } from './importer.ts';

const parentsOf = (folder: string): readonly string[] => {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...parentsOf(parent)];
};

/**
 * The folder of an installed npm package: looked for in the node_modules folders above the YAML file, then above the
 * working directory, then above decant itself. Folders are walked because a package's `exports` may hide its data files.
 */
export const packageFolder = (name: string, base: string): string => {
  const starts = [base, process.cwd(), dirname(fileURLToPath(import.meta.url))];
  for (const folder of new Set(starts.flatMap(parentsOf))) {
    const found = join(folder, 'node_modules', ...name.split('/'));
    if (existsSync(join(found, 'package.json'))) return found;
  }
  throw new ImportError(
    `the npm package '${name}' is not installed: no node_modules folder above ${base} or ${process.cwd()} has it; ` +
      `install it with: npm install ${name}`,
  );
};
