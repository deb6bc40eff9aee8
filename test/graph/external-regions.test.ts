import { symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import onnxProto from 'onnx-proto';
import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { encodeGraph, readGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const BYTES = 64 * 4;

/** x v w, two matrices of equal size whose bytes are where the offsets say. */
const twoWeights = (
  places: readonly Readonly<Record<string, string>>[],
  w: 'float32' | 'int32' = 'float32',
): Uint8Array => {
  const builder = new GraphBuilder('two');
  const x = builder.input('x', 'float32', [symbol('batch'), 8]);
  const v = builder.weight('v', tensorOf('float32', [8, 8], new Float32Array(64)));
  const other = tensorOf(w, [8, 8], w === 'float32' ? new Float32Array(64) : new Int32Array(64));
  const cast = builder.op('Cast', [builder.weight('w', other)], { to: 1 });
  const model = onnxProto.onnx.ModelProto.decode(
    encodeGraph(builder.freeze([builder.op('MatMul', [builder.op('MatMul', [x, v]), cast], {}, 'y')])),
  );
  for (const [i, tensor] of (model.graph?.initializer ?? []).entries()) {
    const entries = places[i] ?? {};
    tensor.rawData = new Uint8Array();
    tensor.dataLocation = 1;
    tensor.externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
  }
  return onnxProto.onnx.ModelProto.encode(model).finish();
};

const at = (offset: number | string, length: number | string = BYTES, location = 'weights') => ({
  location,
  offset: String(offset),
  length: String(length),
});

const read = (space: Workspace, bytes: Uint8Array) => {
  space.write('model/weights', new Uint8Array(3 * BYTES));
  return readGraph(space.write('model/model.onnx', bytes));
};

describe('weights in another file', () => {
  it.each([
    ['one after the other', at(BYTES)],
    ['the same bytes for two of one type, which are tied', at(0)],
  ])('may be %s', async (_, place) => {
    using space = workspace();
    expect((await read(space, twoWeights([at(0), place]))).weights.size).toBe(2);
  });

  it.each<[string, ReturnType<typeof at>, RegExp]>([
    [
      'overlap by a part',
      at(BYTES / 2),
      /weight 'w' has bytes 128 to 384 as float32 of 'weights', where weight 'v' has bytes 0/,
    ],
    ['overlap by one element', at(BYTES - 4), /the file is damaged/],
    ['overlap under another spelling of the name', at(4, BYTES, './weights'), /the file is damaged/],
    ['end behind the file', at(3 * BYTES - 4), /needs bytes 764 to 1020 of .+, which has 768/],
    ['begin before it', at(-4), /external data says 256 at offset -4/],
    ['begin nowhere', at('NaN'), /external data says 256 at offset NaN/],
    ['begin beyond all numbers', at('1e300'), /external data says 256 at offset 1e\+300/],
    ['have a length below zero', at(0, -BYTES), /external data says -256 at offset 0/],
    ['have another length', at(0, 2 * BYTES), /external data says 512 at offset 0/],
    ['lie above the folder', at(0, BYTES, '../secret'), /outside the model's folder/],
    ['lie at the root', at(0, BYTES, '/etc/passwd'), /outside the model's folder/],
    ['lie behind a link', at(0, BYTES, 'link'), /a link to a file outside the model's folder/],
    ['lie behind a link to a folder', at(0, BYTES, 'folder/secret'), /a link to a file outside the model's folder/],
  ])('may not %s', async (_, place, message) => {
    using space = workspace();
    const secret = space.write('secret', new Uint8Array(BYTES));
    space.write('model/weights', '');
    symlinkSync(secret, space.path('model/link'));
    symlinkSync(dirname(secret), space.path('model/folder'));
    await expect(read(space, twoWeights([at(0), place]))).rejects.toThrow(message);
  });

  it('may not be the same bytes as two types', async () => {
    using space = workspace();
    await expect(read(space, twoWeights([at(0), at(0)], 'int32'))).rejects.toThrow(
      /as int32 .+ as float32: the file is damaged/,
    );
  });
});
