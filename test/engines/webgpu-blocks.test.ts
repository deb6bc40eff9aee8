import { describe, expect, it } from 'vitest';
import type { Engine, Feeds } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { findEngine } from '../../engine/engines/index.ts';
import { webgpu } from '../../engine/engines/webgpu/index.ts';
import type { Graph } from '../../graph/graph.ts';
import { storedAs } from '../../graph/quantize/convert.ts';
import type { Format } from '../../graph/quantize/format.ts';
import { formats } from '../../graph/quantize/formats/index.ts';
import { clientModel } from '../clients/rig.ts';
import { allowSoftwareAdapter } from './software-adapter.ts';

allowSoftwareAdapter();
const found = await findEngine('webgpu');
const adapter = 'device' in found ? found.device : undefined;

/** Of numbers around one: sums are taken in another order. */
const ROUNDING = 1e-4;
/** The same of float16: eleven bits a number. */
const HALVES = 2e-2;

const feeds: Feeds = Object.fromEntries(
  [
    ['input_ids', (i: number) => 2 + 3 * i],
    ['attention_mask', () => 1],
  ].map(([name, fill]) => [
    name,
    {
      ...{ dtype: 'int64', dims: [2, 6] },
      data: BigInt64Array.from({ length: 12 }, (_, i) => BigInt(typeof fill === 'function' ? fill(i) : 0)),
    },
  ]),
);

const answerOf = async (engine: Engine, graph: Graph): Promise<readonly number[]> => {
  const program = await engine.compile(graph, { threads: 1, ...(engine === cpuEngine ? {} : { fallback: 'refused' }) });
  try {
    const [output] = Object.values(await program.run(feeds));
    return Array.from(output?.data ?? [], Number);
  } finally {
    await program.release();
  }
};

/** How far the answers of WebGPU are from those of the CPU, with nothing left to the CPU. */
const apart = async (format: Format, task: 'features' | 'fill-mask'): Promise<number> => {
  const { graph } = storedAs(clientModel(task).graph, { format, block: 16, minimumElements: 1, minimumTable: 1 });
  const [own, there] = [await answerOf(cpuEngine, graph), await answerOf(await webgpu.open(), graph)];
  return Math.max(...own.map((x, i) => Math.abs(x - (there[i] ?? Number.NaN))));
};

const blocks = formats.filter(({ products }) => products.kind === 'blocks');

describe.skipIf(adapter === undefined)('weights in blocks on WebGPU', () => {
  it.each(blocks.filter(({ floats }) => floats === 'float32'))(
    'are looked up and multiplied in $name as on the CPU, a table that scores tokens among them',
    async (format) => {
      expect(await apart(format, 'features')).toBeLessThan(ROUNDING);
      expect(await apart(format, 'fill-mask')).toBeLessThan(ROUNDING);
    },
  );

  it.skipIf(adapter?.float16 !== true).each(blocks.filter(({ floats }) => floats === 'float16'))(
    'are looked up and multiplied in $name as on the CPU',
    async (format) => {
      expect(await apart(format, 'features')).toBeLessThan(HALVES);
    },
  );
});
