import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where stages that only tests use are compiled to: processes of steps run JavaScript. */
export const compiledRig = `${root}node_modules/.cache/decant-rig`;

const sources = ['pipeline', 'stages', 'models', 'graph', 'engine', 'data', 'reports', 'ground', 'test/rig'];

const newestIn = (folder: string): number =>
  Math.max(
    0,
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(`${entry.parentPath}/${entry.name}`).mtimeMs),
  );

const compile = (project: string, output: string): void => {
  const newest = Math.max(...sources.map((folder) => newestIn(`${root}${folder}`)));
  if (existsSync(output) && statSync(output).mtimeMs > newest) return;
  // Type errors are another check's to report: what is compiled is tested.
  spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}${project}`], { cwd: root });
  if (!existsSync(output)) throw new Error(`${output} was not built; run npm run build to see why`);
};

/** Builds the command line and the rig's stages once before all tests. */
export default (): void => {
  compile('tsconfig.build.json', `${root}dist/pipeline/cli.js`);
  compile('tsconfig.types.json', `${root}dist/pipeline/api/index.d.ts`);
  compile('pipeline/ui/page', `${root}dist/pipeline/ui/page/main.js`);
  compile('test/rig/tsconfig.json', `${compiledRig}/test/rig/text-stages.js`);
};
