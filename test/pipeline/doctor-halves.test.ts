import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../graph/builder.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import { symbol } from '../../graph/dim.ts';
import { value } from '../../graph/graph.ts';
import { asHalves } from '../../graph/halves.ts';
import { vector } from '../../graph/tensor.ts';
import { withForeign } from '../../pipeline/api/foreign.ts';
import { load } from '../../pipeline/doctor/checks/load.ts';
import { normalise } from '../../pipeline/doctor/checks/normalise.ts';
import { withInserted, zeroed } from '../../pipeline/doctor/masked.ts';
import { patientOf } from '../../pipeline/doctor/patient.ts';

test('a file that is fed and answers in 16 bits is compared with its normal form, which does neither', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'decant-halves-'));
  try {
    const builder = new GraphBuilder('halves');
    const x = builder.input('x', 'float16', [symbol('batch'), symbol('sequence'), 2]);
    const w = builder.weight('w', asHalves(vector('float32', [0.1, -0.7, 1.3, 0.4], [2, 2])));
    const file = join(folder, 'halves.onnx');
    await writeGraph(file, builder.freeze([builder.op('Relu', [builder.op('MatMul', [x, w])], {}, 'y')]));
    await withForeign(file, { work: folder, offline: true }, async (foreign) => {
      const patient = patientOf(foreign, { threads: 1, inputs: [], folder });
      expect(await load.run(patient)).toMatchObject({ ok: true });
      const { given, feeds, outputs } = await patient.tried();
      expect([given[0]?.x?.dtype, feeds[0]?.x?.dtype, outputs[0]?.y?.dtype]).toEqual(['float16', 'float32', 'float32']);
      const { ok, value } = await normalise.run(patient);
      expect(ok).toBe(true);
      expect(value).toBeGreaterThan(0);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a node that is called as a value of another is no hindrance to masks', () => {
  const builder = new GraphBuilder('names');
  const h = builder.op('Neg', [builder.input('x', 'float32', [symbol('batch'), 2])], {}, 'h');
  const y = value('y');
  builder.add({ op: 'Abs', domain: '', name: 'h', inputs: [h], outputs: [y], attrs: {} });
  const masked = withInserted(builder.freeze([y]), new Map([[h, zeroed(2, 1, 2, new Set([0]))]]));
  expect(new Set(masked.nodes.map(({ name }) => name)).size).toBe(masked.nodes.length);
});
