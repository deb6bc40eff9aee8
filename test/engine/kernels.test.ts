import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { binaryModule, compileKernels } from '../../engine/kernels/compile.ts';
import { bytesFor, KernelMemory } from '../../engine/kernels/memory.ts';

it('the kernels in the repository are those of their source', async () => {
  const written = await readFile(new URL('../../engine/kernels/binary.ts', import.meta.url), 'utf8');
  expect(written, 'run npm run kernels').toBe(binaryModule(await compileKernels()));
});

it('refuses arrays of another memory', () => {
  const [one, other] = [new KernelMemory(bytesFor([4])), new KernelMemory(bytesFor([4]))];
  expect(() => one.address(other.floats(4))).toThrow('outside the memory');
});

it('says how much is too much', () => {
  expect(() => new KernelMemory(5 * 2 ** 30)).toThrow(
    '5.0 GiB were to lie in one memory of WebAssembly; 4 GiB is the most',
  );
});
