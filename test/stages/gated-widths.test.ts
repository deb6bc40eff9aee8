import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { buildEvaluation } from '../../engine/step.ts';
import type { Graph } from '../../graph/graph.ts';
import { elementCount, float32Of } from '../../graph/tensor.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import type { Model } from '../../models/model.ts';
import { answerName } from '../../models/signature.ts';
import { type PruneOptions, pruneConfig } from '../../stages/prune/config.ts';
import { learningGates } from '../../stages/prune/l0/run.ts';
import { tinyRequest } from '../engine/rig.ts';
import { shaken } from '../graph/cut-rig.ts';
import { expectedOf, feedsOf, importGolden, keptOf } from '../models/golden-checkpoints.ts';

/** float32: masked sums have zeros in them, cut ones have not, and a norm of few channels makes differences large. */
const TOLERANCE = 2e-4;

const STEPS = 100;

type Feeds = Readonly<Record<string, HostTensor>>;

const fed = (dims: readonly number[], data: Float32Array<ArrayBuffer>): HostTensor => ({
  dtype: 'float32',
  dims,
  data,
});

/** Gates of a graph that training would move, each at a place of its own. */
const arraysOf = (graph: Graph): ReadonlyMap<string, Float32Array<ArrayBuffer>> =>
  new Map(
    graph.inputs
      .filter((name) => name.startsWith('gates/'))
      .map((name) => {
        const random = stream(3, 'test', name);
        const length = elementCount((graph.types.get(name)?.shape ?? []).map(Number));
        return [name, Float32Array.from({ length }, () => 2 * random.normal())];
      }),
  );

const answersOf = async (graph: Graph, model: Model, feeds: Feeds): Promise<readonly number[]> => {
  const own = graph.inputs.flatMap((name): [string, HostTensor][] => {
    const weight = model.graph.weights.get(name);
    return weight === undefined ? [] : [[name, fed(weight.dims, float32Of(weight).slice())]];
  });
  const all: Feeds = { ...feeds, ...Object.fromEntries(own) };
  const program = await cpuEngine.compile(graph, { threads: 1 });
  try {
    const outputs = await program.run(
      Object.fromEntries(graph.inputs.flatMap((name) => [[name, all[name] as HostTensor]])),
    );
    return Array.from(Object.values(outputs)[0]?.data ?? [], Number);
  } finally {
    await program.release();
  }
};

const optionsOf = (keep: PruneOptions['keep'], scope: 'layer' | 'global' = 'layer'): PruneOptions =>
  pruneConfig.parse({ keep, scope, criterion: 'l0', recover: { uses: 'train' } });

/** A model whose gates are decided, as training has it from then on, and the model that is cut so. */
const both = async (model: Model, options: PruneOptions, feeds: Feeds) => {
  const { request, finish, report } = learningGates(tinyRequest({ model }), options);
  const graph = buildEvaluation(model, { gates: request.gates?.all });
  const arrays = arraysOf(graph);
  await request.hook?.afterUpdate(0.8 * STEPS, STEPS, arrays);
  const gates = Array.from(arrays, ([name, data]) => [name, fed([data.length], data)] as const);
  const cut = finish(model);
  return {
    gated: await answersOf(graph, model, { ...feeds, ...Object.fromEntries(gates) }),
    cut: await answersOf(cut.graph, cut, feeds),
    whole: await answersOf(model.graph, model, feeds),
    model: cut,
    report: report(),
  };
};

const far = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? Number.NaN)) / Math.max(1, Math.abs(x))));

/** Norms behind blocks and before them, shared layers, factors of the table, bottlenecks, relative tables, and tied heads behind a dense one. */
const checkpoints = 'bert electra albert modernbert mobilebert deberta-v2 bert-mlm modernbert-mlm'.split(' ');

const keep = { hidden: '50%', heads: '50%', ffn: '50%', layers: 1 } as const;

describe('gates that are decided', () => {
  it.each(checkpoints)(
    'compute what the model computes that is cut so, on heads, neurons, widths and layers: %s',
    async (name) => {
      const golden = await importGolden(name);
      const model = { ...golden, graph: shaken(golden.graph) };
      const batch = expectedOf(name);
      const { gated, cut, whole, model: left } = await both(model, optionsOf(keep), feedsOf(model.info, batch));
      const kept = (values: readonly number[]) => keptOf(values, batch.dims, batch);
      expect(far(kept(cut), kept(gated))).toBeLessThan(TOLERANCE);
      expect(far(kept(cut), kept(whole))).toBeGreaterThan(100 * TOLERANCE);
      const { layers, hidden } = anatomyOf(left.graph);
      const before = anatomyOf(model.graph);
      expect(layers.length).toBe(1);
      expect(Math.max(...hidden.map(({ count }) => count))).toBe(
        Math.max(...before.hidden.map(({ count }) => count)) / 2,
      );
      expect(answerName(left.info.signature)).toBe(answerName(model.info.signature));
    },
  );
});
