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

/** Says whether there was something to compile. */
const compile = (project: string, output: string): boolean => {
  const newest = Math.max(...sources.map((folder) => newestIn(`${root}${folder}`)));
  if (existsSync(output) && statSync(output).mtimeMs > newest) return false;
  // Type errors are another check's to report: what is compiled is tested.
  spawnSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}${project}`], { cwd: root });
  if (!existsSync(output)) throw new Error(`${output} was not built; run npm run build to see why`);
  return true;
};

/** What is tested is what is published. */
const compact = (): void => {
  const ran = spawnSync('npm', ['run', '--silent', 'compact'], { cwd: root, shell: process.platform === 'win32' });
  if (ran.status !== 0) throw new Error('npm run compact failed; run it to see why');
};

/** Builds the command line and the rig's stages once before all tests. */
export default (): void => {
  const library = compile('tsconfig.build.json', `${root}dist/pipeline/cli.js`);
  compile('tsconfig.types.json', `${root}dist/pipeline/api/index.d.ts`);
  const page = compile('pipeline/ui/page', `${root}dist/pipeline/ui/page/main.js`);
  if (library || page) compact();
  compile('test/rig/tsconfig.json', `${compiledRig}/test/rig/text-stages.js`);
};
