// Writes dist/: one file for what is loaded together, as small as it gets (docs/decisions/published.md). npm run build
import { rm } from 'node:fs/promises';
import { dirname, join, posix, relative, resolve } from 'node:path';
import { build, type InputOptions, type OutputOptions, type Plugin } from 'rolldown';

const root = import.meta.dirname;

/** What starts by its name: the command, its guard, and what programs import. What they start is found where they name it. */
const started = ['pipeline/cli.ts', 'pipeline/guard/launch.ts', 'pipeline/api/index.ts'];

const placeOf = (file: string): string => relative(root, file).replaceAll('\\', '/').replace(/\.ts$/, '');

const inputs = (files: readonly string[]): Record<string, string> =>
  Object.fromEntries(files.map((file) => [placeOf(join(root, file)), join(root, file)]));

const BESIDE = /moduleBeside\(import\.meta\.url, '([^']+)'\)/g;
/** Stands for the address that a module would have by itself, until its chunk has a place. */
const ADDRESS = /__address\("([^"]+)"\)/g;

/** A module for a process or thread of its own becomes a file of its own name, and who asks for its address gets the one it would have. */
const addresses: Plugin = {
  name: 'addresses',
  transform(code, id) {
    if (!code.includes('import.meta.url')) return null;
    for (const [, name = ''] of code.matchAll(BESIDE)) {
      const file = `${resolve(dirname(id), name)}.ts`;
      this.emitFile({ type: 'chunk', id: file, fileName: `${placeOf(file)}.js` });
    }
    return code.replaceAll('import.meta.url', `__address("${placeOf(id)}.js")`);
  },
  renderChunk(code, { fileName }) {
    if (!code.includes('__address(')) return null;
    const from = (place: string): string => posix.relative(posix.dirname(fileName), place);
    return code.replaceAll(
      ADDRESS,
      (_, place: string) => `new URL(${JSON.stringify(from(place))},import.meta.url).href`,
    );
  },
};

/** A module that is imported now by one and later by another is loaded now: that is as meant. */
const meant = new Set(['INEFFECTIVE_DYNAMIC_IMPORT']);

const options: InputOptions = {
  onLog: (level, log, tell) => (meant.has(log.code ?? '') ? undefined : tell(level, log)),
  // What loads later may have more names than it is asked for, which saves a file beside it that only passes on.
  preserveEntrySignatures: 'allow-extension',
  // All packages but the bundler's own helpers.
  external: /^(?![./]|[A-Z]:|\0?@oxc-project)/i,
};

const output: OutputOptions = {
  dir: join(root, 'dist'),
  format: 'esm',
  entryFileNames: '[name].js',
  // By room in npm's order, which is that of a path's last part: gzip sees neighbours that are alike.
  chunkFileNames: ({ facadeModuleId, moduleIds }) =>
    `code/${placeOf(facadeModuleId ?? moduleIds.at(-1) ?? '').replaceAll('/', '_')}.js`,
  minify: true,
};

await rm(join(root, 'dist'), { recursive: true, force: true });
await build({ ...options, input: inputs(started), platform: 'node', plugins: [addresses], output });
await build({ ...options, input: inputs(['pipeline/ui/page/main.ts']), platform: 'browser', output });
