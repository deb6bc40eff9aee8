import { describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { imitations } from '../../engine/losses/imitations/index.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { dtypeCodes } from '../../graph/codec/dtypes.ts';
import type { Graph } from '../../graph/graph.ts';
import { float32Of, tensorOf } from '../../graph/tensor.ts';
import { type Feeds, runnerOf } from '../graph/gradient-rig.ts';
import { type LossCase, lossCases, lossGraph } from './loss-scope.ts';

/** Of PyTorch's float64, by the largest number: a few hundred roundings of 6e-8. */
const ROUNDED = 1e-5;
/** Of five-point differences in float64: h^4 of the fifth derivative, of exponentials of a few units. */
const DIFFERENCES = 1e-7;
const STEP = 1e-3;
/** What float32 leaves of nothing. */
const NOTHING = 2e-6;

const ran = async (one: LossCase) => {
  const { graph, loss, gradients, feeds } = lossGraph(one);
  const program = await cpuEngine.compile(graph, { threads: 1 });
  const said = await program.run(feeds);
  await program.release();
  const numbers = (name: string): readonly number[] => Array.from(said[name]?.data ?? [], Number);
  return {
    loss: numbers(loss)[0] ?? Number.NaN,
    gradients: new Map([...gradients].map(([name, gradient]) => [name, numbers(gradient)] as const)),
  };
};

const worst = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length ? Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? Number.NaN)))) : Number.POSITIVE_INFINITY;

describe.each(lossCases)('the loss $name', (one) => {
  it("is PyTorch's, and so are its gradients", async () => {
    const { loss, gradients } = await ran(one);
    expect(Math.abs(loss - one.loss) / one.loss).toBeLessThan(ROUNDED);
    expect([...gradients.keys()].sort()).toEqual(Object.keys(one.gradients).sort());
    for (const [name, { data }] of Object.entries(one.gradients)) {
      const off = worst(gradients.get(name) ?? [], data) / Math.max(...data.map(Math.abs));
      expect({ name, close: off < ROUNDED, off }).toMatchObject({ close: true });
    }
  });
});

/** A case whose student computes what its teacher does. */
const ofEquals = (one: LossCase): LossCase => ({
  ...one,
  entry: typeof one.entry.layers === 'object' ? { ...one.entry, layers: 'uniform' } : one.entry,
  student: one.teacher,
  projections: {},
  gradients: Object.fromEntries(Object.keys(one.teacher).map((name) => [name, { dims: [], data: [] }])),
});

const doubled = ({ dtype, dims, data }: HostTensor): HostTensor =>
  dtype === 'float32'
    ? { dtype: 'float64', dims, data: Float64Array.from(Array.from(data, Number)) }
    : { dtype, dims, data };

/** The same graph in float64. */
const inDoubles = (graph: Graph): Graph => {
  const builder = new GraphBuilder(graph.name, graph.opsets);
  for (const input of graph.inputs) {
    const { dtype = 'float32', shape } = graph.types.get(input) ?? {};
    builder.input(input, dtype === 'float32' ? 'float64' : dtype, shape);
  }
  for (const [name, tensor] of graph.weights) {
    const wide =
      tensor.dtype === 'float32' ? tensorOf('float64', tensor.dims, Float64Array.from(float32Of(tensor))) : tensor;
    builder.weight(name, wide);
  }
  for (const node of graph.nodes) {
    const to = node.attrs.to;
    const single = to?.kind === 'int' && to.value === dtypeCodes.float32;
    builder.add(single ? { ...node, attrs: { ...node.attrs, to: { kind: 'int', value: dtypeCodes.float64 } } } : node);
  }
  return builder.freeze(graph.outputs, { keepInputs: false });
};

const moved = (tensor: HostTensor, direction: readonly number[], by: number): HostTensor => ({
  ...tensor,
  data: Float64Array.from(Array.from(tensor.data, Number), (x, i) => x + by * (direction[i] ?? 0)),
});

const casesOf = (uses: string): readonly LossCase[] => lossCases.filter(({ entry }) => entry.uses === uses);

describe.each(imitations.map(({ uses }) => uses))('the loss %s', (uses) => {
  it('is nothing between equals, and moves nothing there', async () => {
    expect(casesOf(uses).length).toBeGreaterThan(0);
    for (const one of casesOf(uses)) {
      const { loss, gradients } = await ran(ofEquals(one));
      expect({ name: one.name, loss: Math.abs(loss) < NOTHING }).toMatchObject({ loss: true });
      const largest = Math.max(...[...gradients.values()].flat().map(Math.abs));
      expect({ name: one.name, largest, still: largest < NOTHING }).toMatchObject({ still: true });
    }
  });

  it('has gradients that differences in float64 confirm', async () => {
    const random = stream(3, 'directions', uses);
    for (const one of casesOf(uses)) {
      const { graph, gradients, feeds } = lossGraph(one);
      const runner = await runnerOf(inDoubles(graph));
      const given: Feeds = Object.fromEntries(Object.entries(feeds).map(([name, x]) => [name, doubled(x)]));
      const [, ...found] = await runner.run(given);
      for (const [i, name] of [...gradients.keys()].entries()) {
        const tensor = given[name];
        if (tensor === undefined) throw new Error(`nothing feeds ${name}`);
        const direction = Array.from(
          { length: tensor.data.length },
          () => random.normal() / Math.sqrt(tensor.data.length),
        );
        const at = async (steps: number): Promise<number> =>
          (await runner.run({ ...given, [name]: moved(tensor, direction, steps * STEP) }))[0]?.[0] ?? Number.NaN;
        const measured = (8 * ((await at(1)) - (await at(-1))) - ((await at(2)) - (await at(-2)))) / (12 * STEP);
        const predicted = (found[i] ?? []).reduce((sum, g, at) => sum + g * (direction[at] ?? 0), 0);
        const close = Math.abs(measured - predicted) < DIFFERENCES * Math.max(1, Math.abs(measured));
        expect({ of: one.name, name, measured, predicted, close }).toMatchObject({ close: true });
      }
      await runner.release();
    }
  });
});
