import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { callsOf } from '../../graph/cut/calls.ts';
import { bindDim, type Dim, type Shape } from '../../graph/dim.ts';
import type { Graph } from '../../graph/graph.ts';
import type { OpDef, Sample } from '../../graph/op.ts';
import { ops } from '../../graph/ops/index.ts';
import { sampleFeeds, sampleGraph, symbolicSizes } from '../rig/samples.ts';

const OLDEST_OPSET = 11;
const NEWEST_OPSET = 24;
const DEFAULT_OPSET = 20;

/** Shapes that only the run knows: inference names them by symbols of its own. */
const dataDependent: readonly string[] = ['ConstantOfShape', 'NonZero', 'Unique'];

/** Where a symbol leaves a size open that a number would settle: n elements in three parts, in rows of four, every second one. */
const openUnderSymbols: readonly string[] = ['Reshape', 'Slice', 'Split'];

/** The oldest and newest operator sets that a record stands for, and the default one between them. */
const opsetsOf = (record: OpDef): readonly number[] => {
  if (record.domain !== '') return [DEFAULT_OPSET];
  const later = ops.filter((other) => other.op === record.op && other.domain === '' && other.since > record.since);
  const last = Math.min(NEWEST_OPSET, ...later.map((other) => other.since - 1));
  const first = Math.max(OLDEST_OPSET, record.since);
  const middle = DEFAULT_OPSET >= first && DEFAULT_OPSET <= last ? [DEFAULT_OPSET] : [];
  return [...new Set([first, ...middle, last])].filter((opset) => opset >= first && opset <= last);
};

interface Typed {
  readonly dtype: string;
  readonly dims: readonly number[];
}

const actualTypes = async (graph: Graph, sample: Sample): Promise<readonly Typed[]> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'basic' });
  try {
    const results = await program.run(sampleFeeds(sample, 1));
    return graph.outputs.map((output) => {
      const result = results[output];
      return { dtype: result?.dtype ?? 'missing', dims: result?.dims ?? [] };
    });
  } finally {
    await program.release();
  }
};

/** The shape with `n` bound; a dimension named after an output may be open and then takes what the run gave. */
const bound = (shape: Shape | undefined, n: number, mayBeOpen: boolean, actual: readonly number[]): Shape | undefined =>
  shape?.map((dim, axis) => {
    const known = bindDim(dim, { n });
    const open = mayBeOpen && typeof known === 'string' && /^y\d+\.\d+$/.test(known);
    return open ? (actual[axis] ?? -1) : known;
  });

const inferredTypes = (graph: Graph, actual: readonly Typed[], n: number, mayBeOpen: boolean): readonly unknown[] =>
  graph.outputs.map((output, i) => {
    const type = graph.types.get(output);
    return { dtype: type?.dtype, dims: bound(type?.shape, n, mayBeOpen, actual[i]?.dims ?? []) };
  });

const macsOf = (record: OpDef, graph: Graph): Dim => {
  const [node] = graph.nodes;
  if (node === undefined) throw new Error(`${record.op} has no node`);
  return record.macs(callsOf(graph)(node));
};

/** Bodies of graphs are no attributes of samples: ops-choice.test.ts has If. */
for (const record of ops.filter(({ samples }) => samples.length > 0)) {
  describe(`${record.domain === '' ? '' : `${record.domain}:`}${record.op} since ${record.since}`, () => {
    for (const sample of record.samples) {
      for (const opset of opsetsOf(record)) {
        it(`infers what ONNX Runtime computes: ${sample.name}, opset ${opset}`, async () => {
          const graph = sampleGraph(record, sample, { opset });
          const actual = await actualTypes(graph, sample);
          const open = dataDependent.includes(record.op);
          expect(inferredTypes(graph, actual, 0, open)).toEqual(actual);
          for (const n of symbolicSizes(sample)) {
            const symbolic = sampleGraph(record, sample, { opset, symbolic: n });
            const inferred = inferredTypes(symbolic, actual, n, open || openUnderSymbols.includes(record.op));
            expect(inferred, `size ${n} as a symbol`).toEqual(actual);
          }
        });
      }

      it(`counts its multiply-accumulates: ${sample.name}`, () => {
        const [opset] = opsetsOf(record);
        if (opset === undefined) throw new Error('no operator set');
        expect(macsOf(record, sampleGraph(record, sample, { opset }))).toBe(sample.macs ?? 0);
        for (const n of symbolicSizes(sample)) {
          const macs = macsOf(record, sampleGraph(record, sample, { opset, symbolic: n }));
          expect(bindDim(macs, { n }), `size ${n} as a symbol`).toBe(sample.macs ?? 0);
        }
      });
    }
  });
}
