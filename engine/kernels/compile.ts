import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const source = join(import.meta.dirname, 'assembly', 'kernels.ts');

/** The kernels as WebAssembly: what `binary.ts` holds. Throws with the compiler's diagnostics. */
export const compileKernels = async (): Promise<Uint8Array> => {
  const text = await readFile(source, 'utf8');
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ['kernels.ts', '--outFile', 'kernels.wasm', '-O3', '--enable', 'simd', '--runtime', 'stub', '--importMemory'],
    {
      readFile: (name) => (name === 'kernels.ts' ? text : null),
      writeFile: (name, content) => {
        if (name === 'kernels.wasm' && typeof content !== 'string') binary = content;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || binary === undefined) throw new Error(`the kernels do not compile:\n${stderr.toString()}`);
  return binary;
};

/** The text of `binary.ts`. */
export const binaryModule = (binary: Uint8Array): string =>
  [
    '/** `assembly/kernels.ts` as WebAssembly, in base64: written by `npm run kernels`. */',
    'export const kernels =',
    ...[
      ...Buffer.from(binary)
        .toString('base64')
        .matchAll(/.{1,110}/g),
    ].map(([line]) => `  '${line}' +`),
    "  '';\n",
  ].join('\n');

if (process.argv[1] === import.meta.filename) {
  await writeFile(join(import.meta.dirname, 'binary.ts'), binaryModule(await compileKernels()));
}
