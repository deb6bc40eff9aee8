import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The packages that bind TensorFlow's own library, the better one first. */
export const packageNames = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;

/** What decant was tried with: kernels of other releases take other inputs. */
export const PACKAGE_VERSION = '4.22.0';

/** Names a folder with a node_modules of its own, where the library was built by hand. */
export const FOLDER_VARIABLE = 'DECANT_TFJS_NODE';

export interface Installed {
  readonly name: (typeof packageNames)[number];
  readonly version: string;
  readonly folder: string;
}

/** Where packages are looked for: the folder that is named, decant's own neighbours, those of the working folder. */
const places = (): readonly string[] => {
  const named = process.env[FOLDER_VARIABLE];
  const here = pathToFileURL(join(process.cwd(), 'package.json')).href;
  const elsewhere = named === undefined || named === '' ? [] : [pathToFileURL(join(named, 'package.json')).href];
  return [...elsewhere, import.meta.url, here];
};

const versionIn = (manifest: unknown): string =>
  typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';

/** One of the packages, as it would be loaded. Its manifest is read, and nothing of it runs. */
export const installed = (): Installed | undefined => {
  for (const place of places()) {
    const require = createRequire(place);
    for (const name of packageNames) {
      try {
        const file = require.resolve(`${name}/package.json`);
        return { name, version: versionIn(require(file)), folder: dirname(file) };
      } catch {
        // Not there: the next one may be.
      }
    }
  }
  return undefined;
};
