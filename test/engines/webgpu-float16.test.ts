import { describe, expect, it } from 'vitest';
import { findEngine } from '../../engine/engines/index.ts';
import { webgpu } from '../../engine/engines/webgpu/index.ts';
import type { Precision } from '../../engine/precision.ts';
import { train } from '../../engine/train.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { inFloat16 } from '../../graph/float16.ts';
import { tinyModel } from '../engine/rig.ts';
import { allowSoftwareAdapter } from './software-adapter.ts';
import { plainRequest } from './training.ts';

allowSoftwareAdapter();
const found = await findEngine('webgpu');
const adapter = 'device' in found ? found.device : undefined;

/** SwiftShader has no float16; Mesa's llvmpipe has, since 25.0, where VK_ICD_FILENAMES names its file. */
const has = adapter?.float16 === true;

const request = (precision: Precision) =>
  plainRequest({ steps: 8, dropout: 0.2, precision }, { model: tinyModel({ hidden: 8, layers: 1, ffn: 12 }) });

it.skipIf(adapter === undefined || has)(
  'an adapter without float16 is found to have none, and is not trained on in it',
  async () => {
    const engine = await webgpu.open();
    expect(engine.target.float16).toBeUndefined();
    await expect(train({ ...request('fp16'), engine })).rejects.toThrow(
      `the engine "webgpu" does not compute in float16 on ${adapter?.name}`,
    );
  },
);

/** The product of a row of equal numbers with a column of ones. */
const sumOf = async (terms: number): Promise<number> => {
  const builder = new GraphBuilder('sum');
  const [row, column] = [builder.input('row', 'float32', [1, terms]), builder.input('column', 'float32', [terms, 1])];
  const graph = inFloat16(builder.freeze([builder.op('MatMul', [row, column], {}, 'y')]));
  const program = await (await webgpu.open()).compile(graph, { threads: 1, fallback: 'refused' });
  const { y } = await program.run({
    row: { dtype: 'float32', dims: [1, terms], data: new Float32Array(terms).fill(0.1) },
    column: { dtype: 'float32', dims: [terms, 1], data: new Float32Array(terms).fill(1) },
  });
  await program.release();
  return Number(y?.data[0]);
};

describe.skipIf(!has)('float16 on WebGPU', () => {
  it('adds up in float16, so that long sums are left to float32', async () => {
    expect(Math.abs((await sumOf(64)) / 6.4 - 1)).toBeLessThan(1e-2);
    // When this fails, ONNX Runtime adds up in float32: longestSum of its provider can go.
    expect(Math.abs((await sumOf(4096)) / 409.6 - 1)).toBeGreaterThan(0.1);
  });

  it('trains as float32 does, with nothing left to the CPU', async () => {
    const half = await train({ ...request('fp16'), engine: await webgpu.open() });
    const full = await train(request('fp32'));
    half.summary.curve.forEach(({ loss }, i) => {
      const expected = full.summary.curve[i]?.loss ?? 0;
      expect(Math.abs(loss / expected - 1)).toBeLessThan(1e-2);
      expect(loss).not.toBe(expected);
    });
    expect(half.summary.leftOut).toBe(0);
  });
});
