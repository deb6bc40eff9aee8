import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crossEntropy } from '../../engine/losses/index.ts';
import { soonest } from '../../engine/order.ts';
import { buildStep } from '../../engine/step.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { symbol } from '../../graph/dim.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import { peakOfValues } from '../../graph/liveness.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { tinyModel, tinySettings } from '../engine/rig.ts';
import { wholeGraphs } from '../engines/whole-graphs.ts';

const matrix = (width: number) => tensorOf('float32', [4, width], new Float32Array(4 * width));

/** x (n, 4) -> a (n, 8) -> b (n, 8) -> c (n, 2), all of them float32, and y, the sum. */
const chain = (): Graph => {
  const builder = new GraphBuilder('chain');
  const x = builder.input('x', 'float32', [symbol('n'), 4]);
  const a = builder.op('MatMul', [x, builder.weight('wide', matrix(8))], {}, 'a');
  const b = builder.op('Relu', [a], {}, 'b');
  const c = builder.op('Slice', [b, builder.ints([0]), builder.ints([2]), builder.ints([1])], {}, 'c');
  return builder.freeze([builder.op('ReduceSum', [c], { keepdims: 0 }, 'y')]);
};

const built = (emit: (builder: GraphBuilder, x: Value) => Value): Graph => {
  const builder = new GraphBuilder('built');
  const x = builder.input('x', 'float32', [symbol('n'), 4]);
  return builder.freeze([emit(builder, x)]);
};

describe('what values of a graph hold at once', () => {
  it('is that of the node at which most of them are read or made', () => {
    // At b: x 16 n, a 32 n, b 32 n.
    expect(peakOfValues(chain())({ n: 5 })).toBe(5 * (16 + 32 + 32));
  });

  it('leaves out what lies elsewhere', () => {
    expect(peakOfValues(chain(), new Set([value('x'), value('a')]))({ n: 5 })).toBe(5 * (32 + 8));
  });

  it('has no second copy of what only gets another shape, and keeps it while that is read', () => {
    const graph = built((builder, x) => {
      const a = builder.op('Relu', [x]); // 16 n
      const flat = builder.op('Reshape', [a, builder.ints([-1])]);
      const b = builder.op('Neg', [x]); // 16 n
      return builder.op('Mul', [b, builder.op('Reshape', [flat, builder.ints([-1, 4])])]); // 16 n
    });
    expect(peakOfValues(graph)({ n: 3 })).toBe(3 * 4 * 16);
  });

  it('counts masks of bytes and ids of 64 bits by their types', () => {
    const builder = new GraphBuilder('types');
    const [mask, ids] = [builder.input('mask', 'uint8', [symbol('n')]), builder.input('ids', 'int64', [symbol('n')])];
    const sum = builder.op('Add', [builder.op('Cast', [mask], { to: 7 }), ids]);
    expect(peakOfValues(builder.freeze([sum]))({ n: 10 })).toBe(10 * (1 + 8 + 8 + 8));
  });

  it('counts nothing for a value whose size nobody knows', () => {
    const graph = built((builder, x) => builder.op('ReduceSum', [builder.op('NonZero', [x])], { keepdims: 0 }));
    expect(peakOfValues(graph)({ n: 2 })).toBe(2 * 16 + 8);
    expect(peakOfValues(chain())({})).toBe(4);
  });

  it('grows with the batch and with the length, and with the batch by equal steps', () => {
    const { graph } = buildStep(tinyModel(), { losses: [crossEntropy(tinySettings)], dropout: 0.1 });
    const peak = peakOfValues(soonest(graph));
    const size = fc.integer({ min: 1, max: 64 });
    fc.assert(
      fc.property(size, size, size, (batch, sequence, more) => {
        const here = peak({ batch, sequence });
        expect(peak({ batch: batch + more, sequence })).toBeGreaterThan(here);
        expect(peak({ batch, sequence: sequence + more })).toBeGreaterThan(here);
      }),
    );
    const [two, three, four] = [512, 768, 1024].map((batch) => peak({ batch, sequence: 32 }));
    expect((four ?? 0) - (three ?? 0)).toBe((three ?? 0) - (two ?? 0));
  });

  const steps = wholeGraphs.filter(({ name }) => name.startsWith('a step of'));
  it.each(steps.map((one) => [one.name, one] as const))(
    'is known of every value, but of what depends on more than sizes: %s',
    async (_, { make }) => {
      const { graph } = await make();
      const symbols = { batch: 3, sequence: 3, answers: 3 };
      const alone = (name: Value): number =>
        peakOfValues({ ...graph, nodes: [], inputs: [name], outputs: [] })(symbols);
      const unknown = graph.nodes.filter(({ outputs }) => outputs.some((output) => alone(output) === 0));
      // How many different places are asked about.
      expect(unknown.length === 0 || unknown[0]?.op === 'Unique').toBe(true);
      expect(unknown.length / graph.nodes.length).toBeLessThan(0.02);
    },
  );
});
