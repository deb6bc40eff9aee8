import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where every module is compiled to by itself, with stages that only tests use: processes of steps run JavaScript. */
export const compiledRig = `${root}node_modules/.cache/decant-rig`;

const sources = ['pipeline', 'stages', 'models', 'graph', 'engine', 'data', 'reports', 'ground', 'test/rig'];

const newestIn = (folder: string): number =>
  Math.max(
    0,
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(`${entry.parentPath}/${entry.name}`).mtimeMs),
  );

/** Brings up to date what is compiled; type errors are another check's to report: what is compiled is tested. */
const compile = (output: string, tool: string, ...args: readonly string[]): void => {
  const newest = Math.max(...sources.map((folder) => newestIn(`${root}${folder}`)));
  if (existsSync(output) && statSync(output).mtimeMs > newest) return;
  const { stderr } = spawnSync(process.execPath, [`${root}node_modules/${tool}`, ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  if (!existsSync(output)) throw new Error(`${output} was not built; run npm run build to see why\n${stderr}`);
};

/** Builds what is published, and every module by itself with the rig's stages, once before all tests. */
export default (): void => {
  compile(`${root}dist/pipeline/cli.js`, 'tsx/dist/cli.mjs', `${root}bundle.ts`);
  compile(`${root}dist/pipeline/api/index.d.ts`, 'typescript/bin/tsc', '-p', `${root}tsconfig.types.json`);
  compile(`${compiledRig}/test/rig/text-stages.js`, 'typescript/bin/tsc', '-p', `${root}test/rig/tsconfig.json`);
};
