import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import onnxProto from 'onnx-proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { decodeGraph, encodeGraph, fileBytes, readGraph, writeGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, value } from '../../graph/graph.ts';
import { type Bytes, tensorOf } from '../../graph/tensor.ts';
import { plainGraph } from './codec-graphs.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'decant-codec-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const wide = 512;

/** x W with a matrix that is large enough to live outside, and a small bias that is not. */
const linear = (): Graph => {
  const builder = new GraphBuilder('linear');
  const x = builder.input('x', 'float32', [symbol('batch'), wide]);
  const data = Float32Array.from({ length: wide * 2 }, (_, i) => Math.sin(i));
  const w = builder.weight('w', tensorOf('float32', [wide, 2], data));
  const other = builder.weight('v', tensorOf('float32', [wide, 2], data.toReversed()));
  const b = builder.weight('b', tensorOf('float32', [2], Float32Array.of(1, -1)));
  const sum = builder.op('Add', [builder.op('MatMul', [x, w]), builder.op('MatMul', [x, other])]);
  return builder.freeze([builder.op('Add', [sum, b], {}, 'y')]);
};

const external = (entries: Readonly<Record<string, string>>): Uint8Array => {
  const model = onnxProto.onnx.ModelProto.decode(encodeGraph(linear()));
  const tensor = model.graph?.initializer?.find(({ name }) => name === 'w');
  if (!tensor) throw new Error('the weight is missing');
  tensor.rawData = new Uint8Array();
  tensor.dataLocation = 1;
  tensor.externalData = Object.entries(entries).map(([key, entry]) => ({ key, value: entry }));
  return onnxProto.onnx.ModelProto.encode(model).finish();
};

describe('a model file', () => {
  it('is written with the same bytes from weights that come piece by piece and never lie in memory as a whole', async () => {
    const data = Float32Array.from({ length: 1 << 21 }, (_, i) => Math.fround(Math.sin(i)));
    const bytes = new Uint8Array(data.buffer);
    const withTable = (table: Bytes): Graph => {
      const builder = new GraphBuilder('table');
      const ids = builder.input('ids', 'int64', [symbol('batch')]);
      const weight = builder.weight('table', { dtype: 'float32', dims: [1 << 12, 512], bytes: table });
      return builder.freeze([builder.op('Gather', [weight, ids], {}, 'y')]);
    };
    const raw = join(folder, 'table.f32');
    await writeFile(raw, bytes);
    const inPieces: Bytes = {
      ...fileBytes(raw, 0, bytes.length),
      read: () => {
        throw new Error('the whole table was read');
      },
    };
    for (const external of [false, true]) {
      const [whole, pieced] = ['whole', 'pieced'].map((name) => join(folder, name, `${external}`, 'table.onnx'));
      if (whole === undefined || pieced === undefined) throw new Error('no paths');
      for (const path of [whole, pieced]) await mkdir(dirname(path), { recursive: true });
      await writeGraph(whole, withTable({ length: bytes.length, read: () => bytes }), { external });
      await writeGraph(pieced, withTable(inPieces), { external });
      for (const suffix of external ? ['', '_data'] : ['']) {
        const [a, b] = [await readFile(`${whole}${suffix}`), await readFile(`${pieced}${suffix}`)];
        expect(a.length > 100 && Buffer.compare(a, b) === 0).toBe(true);
      }
    }
  });

  it('holds every weight unless told otherwise', async () => {
    const path = join(folder, 'inline.onnx');
    await writeGraph(path, linear());
    expect(plainGraph(await readGraph(path))).toEqual(plainGraph(linear()));
    expect((await readdir(folder)).filter((file) => file.startsWith('inline'))).toEqual(['inline.onnx']);
  });

  it('is read without its large weights, which stay in it until they are asked for', async () => {
    const data = Float32Array.from({ length: 1 << 15 }, (_, i) => Math.fround(Math.sin(i)));
    const builder = new GraphBuilder('tables');
    const ids = builder.input('ids', 'int64', [symbol('batch')]);
    const rows = ['first', 'small', 'last'].map((name) => {
      const own = name === 'small' ? data.slice(0, 256) : data;
      const table = builder.weight(name, tensorOf('float32', [own.length / 32, 32], own));
      return builder.op('Gather', [table, ids]);
    });
    const path = join(folder, 'apart.onnx');
    await writeGraph(path, builder.freeze([builder.op('Sum', rows, {}, 'y')]));
    const bytes = await readFile(path);
    expect(plainGraph(await readGraph(path))).toEqual(plainGraph(decodeGraph(bytes)));
    const { weights } = await readGraph(path);
    await writeFile(path, Buffer.alloc(bytes.length));
    const zeros = ['first', 'small', 'last'].map((name) =>
      weights
        .get(value(name))
        ?.bytes.read()
        .every((byte) => byte === 0),
    );
    expect(zeros).toEqual([true, false, true]);
    for (const length of [0, 1, 100, bytes.length - 1e5, bytes.length - 1]) {
      const cut = bytes.subarray(0, length);
      await writeFile(path, cut);
      expect(() => decodeGraph(cut)).toThrow(expect.objectContaining({ kind: 'codec' }));
      const said = await readGraph(path).catch((error: unknown) => String(error));
      expect(() => decodeGraph(cut)).toThrow(String(said).replace(`UserError: ${path}: `, ''));
    }
  });

  it('with external data reads the same, and its weights stay in the file until they are asked for', async () => {
    const path = join(folder, 'outside.onnx');
    await writeGraph(path, linear(), { external: true });
    expect((await stat(path)).size).toBeLessThan(2000);
    const graph = await readGraph(path);
    expect(plainGraph(graph)).toEqual(plainGraph(linear()));
    const moved = await readFile(`${path}_data`);
    expect(moved.length).toBe(2 * wide * 2 * 4);
    const lazy = (await readGraph(path)).weights.get(value('w'));
    await writeFile(`${path}_data`, Buffer.alloc(moved.length, 0));
    expect(lazy?.bytes.read().every((byte) => byte === 0)).toBe(true);
  });

  it('with external data opens in ONNX Runtime', async () => {
    const path = join(folder, 'runs.onnx');
    await writeGraph(path, linear(), { external: true });
    const data = Float32Array.from({ length: wide }, (_, i) => Math.cos(i));
    const run = async (graph: Graph) => {
      const program = await cpuEngine.compile(graph, { threads: 1 });
      const { y } = await program.run({ x: { dtype: 'float32', dims: [1, wide], data } });
      await program.release();
      return y?.data;
    };
    expect(await run(await readGraph(path))).toEqual(await run(linear()));
  });

  it('is written twice with the same bytes', async () => {
    const paths = ['once', 'again'].map((name) => join(folder, name, 'm.onnx'));
    const written: Buffer[][] = [];
    for (const path of paths) {
      await mkdir(join(path, '..'), { recursive: true });
      await writeGraph(path, linear(), { external: true });
      written.push([await readFile(path), await readFile(`${path}_data`)]);
    }
    expect(written[0]).toEqual(written[1]);
  });

  it('leaves no partial file behind when it cannot be written', async () => {
    await expect(writeGraph(join(folder, 'missing', 'm.onnx'), linear())).rejects.toThrow('ENOENT');
    const broken = {
      ...linear(),
      weights: new Map([[value('w'), { ...tensorOf('float32', [1], Float32Array.of(1)), dims: [7] }]]),
    };
    await expect(writeGraph(join(folder, 'broken.onnx'), broken)).rejects.toThrow(
      "weight 'w' is a float32[7], but holds 4 bytes",
    );
    expect((await readdir(folder)).filter((file) => file.includes('broken') || file.endsWith('.part'))).toEqual([]);
  });

  it('that is no model is named in the error', async () => {
    const path = join(folder, 'note.onnx');
    await writeFile(path, 'not a model at all');
    await expect(readGraph(path)).rejects.toThrow(`${path}: `);
    await expect(readGraph(path)).rejects.toMatchObject({ kind: 'codec' });
  });
});

describe('external data', () => {
  const size = String(wide * 2 * 4);
  for (const location of ['../secret', '/etc/passwd', 'a/../../secret', 'C:\\secret', '']) {
    it(`at '${location}' is refused: it leaves the model's folder`, () => {
      expect(() => decodeGraph(external({ location, length: size }), { folder })).toThrow(
        `weight 'w' keeps its data in '${location}', which is outside the model's folder`,
      );
    });
  }

  it('may lie in a folder below', async () => {
    await mkdir(join(folder, 'below'), { recursive: true });
    await writeFile(join(folder, 'below', 'w.bin'), Buffer.alloc(wide * 2 * 4 + 64, 7));
    const bytes = external({ location: 'below/w.bin', offset: '64', length: size });
    const tensor = decodeGraph(bytes, { folder }).weights.get(value('w'));
    expect(tensor?.bytes.read().every((byte) => byte === 7)).toBe(true);
  });

  it('that is missing, too short, of another size or without a folder is a clear error', async () => {
    const path = join(folder, 'short.bin');
    await writeFile(path, Buffer.alloc(100));
    const decode = (entries: Readonly<Record<string, string>>) => () => decodeGraph(external(entries), { folder });
    expect(decode({ location: 'nowhere.bin' })).toThrow('which does not exist');
    expect(decode({ location: 'short.bin' })).toThrow(`needs bytes 0 to 4096 of '${path}', which has 100`);
    expect(decode({ location: 'short.bin', length: '100' })).toThrow(
      'should hold 4096 bytes; its external data says 100',
    );
    expect(decode({ location: 'short.bin', offset: '-4' })).toThrow('at offset -4');
    expect(() => decodeGraph(external({ location: 'short.bin' }))).toThrow('read the model with readGraph(path)');
  });

  it('that is cut short after the model was opened is noticed when it is read', async () => {
    const path = join(folder, 'later.onnx');
    await writeGraph(path, linear(), { external: true });
    const graph = await readGraph(path);
    await truncate(`${path}_data`, 10);
    expect(() => graph.weights.get(value('v'))?.bytes.read()).toThrow('it was cut short');
  });
});
