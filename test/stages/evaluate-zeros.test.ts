import * as zlib from 'node:zlib';
import { expect, it } from 'vitest';
import { writeGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { storedAs } from '../../graph/quantize/convert.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import { savedByZeros } from '../../reports/zeros.ts';
import { bytesAfter, gzip } from '../../stages/evaluate/compress.ts';
import { zeroSavings } from '../../stages/evaluate/zeros.ts';
import { importGolden } from '../models/golden-checkpoints.ts';
import { workspace } from '../rig/workspace.ts';

const hasZstd = 'createZstdCompress' in zlib;

/** A checkpoint with zeros in place of every other number of its matrices, biases and norms as they are. */
const halved = async () => {
  const { graph } = await importGolden('bert');
  const weights = new Map(graph.weights);
  let matrices = 0;
  for (const [name, tensor] of graph.weights) {
    if (tensor.dtype !== 'float32' || tensor.dims.length !== 2) continue;
    weights.set(
      name,
      tensorOf(
        'float32',
        tensor.dims,
        float32Of(tensor).map((w, i) => (i % 2 === 0 ? 0 : w)),
      ),
    );
    matrices++;
  }
  return { graph, half: { ...graph, weights }, matrices };
};

/** What zeros save of a graph that lies in a file. */
const savingsOf = async (graph: Graph) => {
  using space = workspace();
  const files = [space.path('model.onnx')];
  await writeGraph(space.path('model.onnx'), graph);
  const gzipBytes = await bytesAfter(files, gzip);
  const found = await zeroSavings(graph, { files, gzipBytes });
  return { found, gzipBytes };
};

it('zeros save bytes after compression beside other numbers in their place, as floats and as 8 bits', async () => {
  const { half, matrices } = await halved();
  for (const graph of [half, storedAs(half).graph]) {
    const { found, gzipBytes } = await savingsOf(graph);
    expect(found?.gzipBytes).toBe(gzipBytes);
    expect(found?.share).toBeGreaterThan(0.49);
    expect(found?.gzipBytes).toBeLessThan(found?.dense.gzipBytes ?? 0);
    expect('zstdBytes' in (found ?? {})).toBe(hasZstd);
  }
  expect((await savingsOf(half)).found?.matrices).toBe(matrices);
});

it('of a model without zeros nothing is told', async () => {
  const { graph } = await halved();
  expect((await savingsOf(graph)).found).toBeUndefined();
  expect(savedByZeros(undefined)).toEqual([]);
});

it('what zeros do not bring is told beside what they do', () => {
  const dense = { gzipBytes: 80e6, zstdBytes: 79e6 };
  expect(savedByZeros({ share: 0.5, matrices: 36, gzipBytes: 60e6, zstdBytes: 50e6, dense })).toEqual([
    '50.0 % of the numbers in its pruned matrices are zeros: they save 25.0 % of the bytes after gzip (60.00 MB instead of ' +
      '80.00 MB), 36.7 % of the bytes after zstd (50.00 MB instead of 79.00 MB); no byte of the file itself and no time, since ' +
      'no kernel leaves them out',
  ]);
});
