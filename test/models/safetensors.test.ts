import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { float32Of } from '../../graph/tensor.ts';
import { transposed } from '../../graph/transposed.ts';
import { isUserError } from '../../ground/errors.ts';
import { readSafetensors } from '../../models/safetensors/file.ts';
import { floatTensor } from '../../models/safetensors/float.ts';
import { readFolderTensors } from '../../models/safetensors/folder.ts';
import { effort, isLate } from '../rig/effort.ts';
import { goldenFolder } from './golden-checkpoints.ts';
import { safetensors, writeSafetensors } from './safetensors-file.ts';

let folder = '';
let path = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'decant-safetensors-'));
  path = join(folder, 'model.safetensors');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A second, and some room for a machine that is shared. */
const SOON_SECONDS = 3;

const failureOf = (read: () => unknown): string => {
  const spent = effort();
  try {
    read();
    return 'was read';
  } catch (error) {
    expect(isLate(spent(), SOON_SECONDS)).toBe(false);
    return isUserError(error, 'import') ? error.message : `unexpected: ${String(error)}`;
  }
};

const failure = (...parts: Parameters<typeof safetensors>): string => {
  writeSafetensors(path, ...parts);
  return failureOf(() => readSafetensors(path));
};

const f32 = (begin: number, end: number, shape: readonly number[] = [(end - begin) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});
const bytes = (length: number): Uint8Array => new Uint8Array(length);

describe('a header that lies', () => {
  it.each([
    ['about a type', { a: { ...f32(0, 4), dtype: 'F33' } }, 4, /tensor 'a' has elements of type 'F33'/],
    ['about a shape', { a: f32(0, 4, [2]) }, 4, /'a' is F32 \[2\], which takes 8 bytes; its offsets \[0, 4\] hold 4/],
    ['with a huge shape', { a: f32(0, 4, [9e15, 9e15]) }, 4, /'a' is F32 \[9000000000000000, 9000000000000000\]/],
    ['about its end', { a: f32(0, 8) }, 4, /'a' ends at byte 8 of the data, of which there are 4: the file was cut/],
    ['with offsets the wrong way round', { a: f32(8, 4, [1]) }, 8, /its offsets \[8, 4\] hold -4/],
    ['with a gap', { a: f32(0, 4), b: f32(8, 12) }, 12, /bytes 4 to 8 between 'a' and 'b' belong to no tensor/],
    ['with an overlap', { a: f32(0, 8), b: f32(4, 12) }, 12, /'b' begins at 4, inside 'a', which ends at 8/],
    ['with two tensors in one place', { a: f32(0, 4), b: f32(0, 4) }, 4, /'b' begins at 0, inside 'a'/],
    ['with data that nobody owns', { a: f32(0, 4) }, 8, /the tensors take 4 bytes, 8 stand behind the header/],
    ['without a key', { a: { dtype: 'F32', shape: [1] } }, 4, /tensor 'a' has no data_offsets/],
    ['with another key', { a: { ...f32(0, 4), code: 'x' } }, 4, /tensor 'a' has the key 'code'/],
    ['with negative numbers', { a: f32(-4, 0, [1]) }, 4, /expected the first byte of a tensor at character/],
    [
      'with fractions',
      { a: { ...f32(0, 4), shape: [1.5] } },
      4,
      /expected '\]' at character \d+ of the header, found "\.5/,
    ],
    ['with numbers that no double holds', { a: { ...f32(0, 4), shape: [2 ** 60] } }, 4, /expected a dimension/],
    ['with a list for a tensor', { a: [] }, 0, /expected '\{' at character/],
    ['with metadata that are no texts', { __metadata__: { a: 1 } }, 0, /expected a text at character/],
  ])('%s', (_, header, length, message) => {
    expect(failure(header, bytes(length))).toMatch(message);
    expect(failure(header, bytes(length))).toMatch(/^model\.safetensors: /);
  });

  it('with a name twice, however it is spelt', () => {
    const entry = JSON.stringify(f32(0, 4));
    expect(failure(`{"ab":${entry},"ab":${entry}}`, bytes(4))).toMatch(/two entries called 'ab'/);
    expect(failure(`{"ab":${entry},"\\u0061b":${entry}}`, bytes(4))).toMatch(/two entries called 'ab'/);
    expect(failure(`{"a":{"dtype":"F32","dtype":"F32"}}`, bytes(4))).toMatch(/two entries called 'dtype'/);
  });

  it('nests brackets, a hundred thousand deep', () => {
    const deep = '['.repeat(100_000);
    expect(failure(`{"a":{"dtype":"F32","shape":${deep}`)).toMatch(/expected a dimension at character/);
    expect(failure(`{"a":${'{"a":'.repeat(100_000)}`)).toMatch(/tensor 'a' has the key 'a'/);
  });

  it('is no JSON, no UTF-8, empty, or goes on behind its end', () => {
    expect(failure('nothing')).toMatch(/expected '\{' at character 0/);
    expect(failure('{}{}')).toMatch(/expected its end/);
    expect(failure('{"a')).toMatch(/expected the name of a tensor that ends/);
    expect(failure('')).toMatch(/expected '\{' at character 0 of the header, found its end/);
    writeFileSync(path, Buffer.concat([safetensors('{}').subarray(0, 8), Buffer.from([0xff, 0xfe])]));
    expect(failureOf(() => readSafetensors(path))).toMatch(/no UTF-8 text/);
  });

  it('announces more than there is, or 100 MB', () => {
    expect(failure('{}', bytes(0), 2n ** 63n)).toMatch(/announces a header of 9223372036854775808 bytes, 2 are there/);
    writeFileSync(path, safetensors('{', bytes(0), 100_000_000n));
    truncateSync(path, 100_000_100);
    expect(failureOf(() => readSafetensors(path))).toMatch(
      /announces a header of 100000000 bytes; decant reads at most 25000000, room for some 200,000 tensors/,
    );
  });

  it('lists a hundred thousand tensors and is read all the same', () => {
    const tensor = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}';
    const entries = Array.from({ length: 100_000 }, (_, i) => `"layer.${i}.weight":${tensor}`);
    writeSafetensors(path, `{${entries.join()}}`);
    const spent = effort();
    expect(readSafetensors(path).size).toBe(100_000);
    expect(isLate(spent(), SOON_SECONDS)).toBe(false);
  });
});

it('a file cut short at any byte is a clear error', () => {
  const whole = safetensors({ a: f32(0, 8), b: f32(8, 12) }, bytes(12));
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(path, whole.subarray(0, length));
    expect(failureOf(() => readSafetensors(path))).toMatch(/^model\.safetensors: /);
  }
  writeFileSync(path, whole);
  expect([...readSafetensors(path).keys()]).toEqual(['a', 'b']);
});

it('whatever one byte of a header becomes, the file is read or refused with an importError', () => {
  const whole = safetensors({ __metadata__: { format: 'pt' }, a: f32(0, 8), b: f32(8, 12) }, bytes(12));
  fc.assert(
    fc.property(fc.nat(whole.length - 13), fc.nat(255), (at, byte) => {
      const changed = Buffer.from(whole);
      changed[at] = byte;
      writeFileSync(path, changed);
      expect(failureOf(() => readSafetensors(path))).not.toMatch(/^unexpected/);
    }),
    { numRuns: 300, seed: 1 },
  );
});

describe('elements', () => {
  const tensorOf = (dtype: string, data: Uint8Array, dims: readonly number[]) => ({
    file: 'model.safetensors',
    dtype,
    dims,
    bytes: { length: data.length, read: () => data },
  });

  it('of half precision become the same numbers in single precision', () => {
    const halves = Uint16Array.of(
      0x0000,
      0x8000,
      0x3c00,
      0xc000,
      0x7bff,
      0x0400,
      0x0001,
      0x03ff,
      0x7c00,
      0xfc00,
      0x7e00,
    );
    const numbers = [0, -0, 1, -2, 65504, 2 ** -14, 2 ** -24, 1023 * 2 ** -24, Infinity, -Infinity, NaN];
    const tensor = floatTensor('a', tensorOf('F16', new Uint8Array(halves.buffer), [11]));
    expect(Array.from(float32Of(tensor))).toEqual(numbers);
  });

  it('of bfloat16 are the upper half of single precision', () => {
    const values = Float32Array.of(1, -0.5, 3e38, 1e-30);
    const upper = Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16);
    const read = float32Of(floatTensor('a', tensorOf('BF16', new Uint8Array(upper.buffer), [4])));
    for (const [i, value] of read.entries()) {
      expect(Math.abs(value - (values[i] ?? 0))).toBeLessThanOrEqual(Math.abs(value) / 128);
    }
  });

  it('of integers are no parameters', () => {
    expect(failureOf(() => floatTensor('a', tensorOf('I64', bytes(8), [1])))).toBe(
      "model.safetensors: tensor 'a' has elements of type I64; decant reads parameters of F32, F16, BF16",
    );
  });

  it('turn over with their matrix', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 70 }), (rows, columns) => {
        const data = Float32Array.from({ length: rows * columns }, (_, i) => i);
        const matrix = floatTensor('a', tensorOf('F32', new Uint8Array(data.buffer), [rows, columns]));
        const turned = transposed(matrix);
        expect(turned.dims).toEqual([columns, rows]);
        float32Of(turned).forEach((x, i) => {
          if (x !== (i % rows) * columns + Math.floor(i / rows)) throw new Error(`element ${i} is ${x}`);
        });
        expect(Buffer.compare(transposed(turned).bytes.read(), matrix.bytes.read())).toBe(0);
        const pieces = [...(turned.bytes.pieces?.() ?? [])].map((piece) => Buffer.from(piece));
        expect(Buffer.compare(Buffer.concat(pieces), turned.bytes.read())).toBe(0);
      }),
      { numRuns: 50, seed: 1 },
    );
  });
});

describe('shards', () => {
  const shards = (map: unknown, files: Readonly<Record<string, unknown>> = {}): string => {
    const own = mkdtempSync(join(folder, 'shards-'));
    writeFileSync(join(own, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
    for (const [name, header] of Object.entries(files)) writeSafetensors(join(own, name), header, bytes(4));
    return own;
  };
  const one = { a: f32(0, 4) };
  const two = { b: f32(0, 4) };

  it('are read as one model', () => {
    const own = shards({ a: '1.safetensors', b: '2.safetensors' }, { '1.safetensors': one, '2.safetensors': two });
    expect([...readFolderTensors(own).keys()]).toEqual(['a', 'b']);
  });

  it.each([
    ['missing', { a: '1.safetensors' }, {}, /names the shard '1\.safetensors', which is not in the folder/],
    ['outside', { a: '../1.safetensors' }, {}, /points to '\.\.\/1\.safetensors'; expected the name/],
    ['absolute', { a: '/etc/passwd' }, {}, /points to '\/etc\/passwd'; expected the name/],
    ['another drive', { a: 'C:1.safetensors' }, {}, /points to 'C:1\.safetensors'; expected the name/],
    ['no text', { a: 1 }, {}, /weight_map\.a: /],
    ['empty', { b: '1.safetensors' }, { '1.safetensors': one }, /holds tensor 'a', which .* does not list/],
    [
      'swapped',
      { a: '2.safetensors', b: '1.safetensors' },
      { '1.safetensors': one, '2.safetensors': two },
      /1\.safetensors holds tensor 'a', which .* puts in '2\.safetensors'/,
    ],
    [
      'incomplete',
      { a: '1.safetensors', c: '1.safetensors' },
      { '1.safetensors': one },
      /puts tensor 'c' in '1\.safetensors', which does not hold it/,
    ],
  ])('%s are refused', (_, map, files, message) => {
    expect(failureOf(() => readFolderTensors(shards(map, files)))).toMatch(message);
  });

  it('of a damaged index are refused', () => {
    const own = shards({});
    writeFileSync(join(own, 'model.safetensors.index.json'), '{"weight_map":');
    expect(failureOf(() => readFolderTensors(own))).toMatch(/^model\.safetensors\.index\.json is no JSON/);
    writeFileSync(join(own, 'model.safetensors.index.json'), `{"weight_map":${'['.repeat(1e5)}`);
    expect(failureOf(() => readFolderTensors(own))).toMatch(/nests brackets more than 64 deep/);
  });
});

it('weights stay in their file until they are asked for', () => {
  const own = join(folder, 'late');
  mkdirSync(own);
  const file = join(own, 'model.safetensors');
  writeFileSync(file, readFileSync(join(goldenFolder('bert'), 'model.safetensors')));
  const [tensor] = readFolderTensors(own).values();
  truncateSync(file, 100);
  expect(() => tensor?.bytes.read()).toThrow(/it was cut short/);
});
