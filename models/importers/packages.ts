import { findPackage } from '../../data/packages.ts';
import { importError } from './importer.ts';

/** The folder of an installed npm package (see `findPackage`), or an error that says what to install. */
export const packageFolder = (name: string, base: string): string => {
  const found = findPackage(name, base);
  if (found !== undefined) return found;
  throw importError(
    `the npm package '${name}' is not installed: no node_modules folder above ${base} or ${process.cwd()} has it; ` +
      `install it with: npm install ${name}`,
  );
};
