import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { ascended } from '../../engine/step-scope.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest, WeightHook } from '../../engine/train-request.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { type Node, type Value, value } from '../../graph/graph.ts';
import type { Rules } from '../../graph/quantize/fake/emit.ts';
import { parameterNames } from '../../graph/sites.ts';
import { float32Of } from '../../graph/tensor.ts';
import type { Model } from '../../models/model.ts';
import { type During, pruningDuring } from '../../stages/prune/during.ts';
import { constraintLoss, MULTIPLIERS, SQUARE } from '../../stages/prune/l0/constraint.ts';
import { emitMean, emitOpen, emitSample } from '../../stages/prune/l0/hard-concrete.ts';
import { patternOf } from '../../stages/prune/patterns/index.ts';
import { placeIn } from '../../stages/prune/plane.ts';
import { planeOf } from '../../stages/prune/plane-of.ts';
import { saliencies } from '../../stages/prune/saliencies/index.ts';
import { movement } from '../../stages/prune/saliencies/movement.ts';
import { obs } from '../../stages/prune/saliencies/obs.ts';
import type { OfGradients, Saliency } from '../../stages/prune/saliencies/saliency.ts';
import { softMovement } from '../../stages/prune/saliencies/soft-movement.ts';
import { cubic } from '../../stages/prune/schedules/cubic.ts';
import { rounds } from '../../stages/prune/schedules/rounds.ts';
import { bytesOfModel, memoryCheckpoints, tinyModel, tinyOptions, tinyRequest } from '../engine/rig.ts';

/** float32 against PyTorch's float64, written with seven digits. */
const ROUNDED = 2e-6;

type Table = readonly (readonly number[])[];
type Named<T> = Readonly<Record<string, T>>;

interface Trace {
  readonly start: Named<Table>;
  readonly steps: readonly {
    readonly seen: Named<{ readonly weight: Table; readonly gradient: Table }>;
    readonly scores: Named<Table>;
    readonly moved: Named<Table>;
    readonly masks: Named<Table>;
  }[];
}

interface Golden {
  readonly shapes: Named<readonly [number, number]>;
  readonly movement: Trace;
  readonly soft: Trace;
  readonly gates: Named<readonly number[]> & { readonly target: number; readonly lagrangian: number };
}

const golden: Golden = JSON.parse(readFileSync(new URL('../golden/pruning-in-training.json', import.meta.url), 'utf8'));

const flat = (table: Table = []): Float32Array => Float32Array.from(table.flat());

const expectClose = (found: ArrayLike<number>, wanted: ArrayLike<number>): void => {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    const [is = Number.NaN, should = Number.NaN] = [found[i], wanted[i]];
    if (!(Math.abs(is - should) <= ROUNDED * Math.max(1, Math.abs(should))))
      expect({ i, is }).toEqual({ i, is: should });
  }
};

const STEPS = 10;

const duringOf = (saliency: OfGradients, changes: Partial<During> = {}): During => ({
  weights: Object.entries(golden.shapes).map(([name, [rows, width]]) => ({
    name,
    plane: { rows, width, turned: false },
  })),
  ...{ saliency, pattern: patternOf('free'), sparsity: 0.5, compete: saliency.competes, schedule: cubic },
  ...{ rounds: 1, every: 1, seed: 0 },
  ...changes,
});

const tablesOf = (tables: Named<Table>): Map<string, Float32Array> =>
  new Map(Object.entries(tables).map(([name, table]) => [name, flat(table)]));

describe('movement as training runs it', () => {
  it.each<readonly [string, OfGradients, Trace]>([
    ['movement', movement, golden.movement],
    ['soft movement', softMovement, golden.soft],
  ])('has the scores and masks of PyTorch: %s', async (_, saliency, { start, steps }) => {
    const hook = pruningDuring(duringOf(saliency));
    const weights = tablesOf(start);
    await hook.start?.(0, STEPS, weights);
    for (const [i, { seen, scores, moved, masks }] of steps.entries()) {
      const step = i + 1;
      const gradients = tablesOf(Object.fromEntries(Object.entries(seen).map(([name, one]) => [name, one.gradient])));
      for (const [name, { weight }] of Object.entries(seen)) expectClose(weights.get(name) ?? [], flat(weight));
      if (hook.gradients?.wants(step, STEPS)) hook.gradients.see(step, weights, gradients);
      // What PyTorch's optimizer did to what is not masked.
      for (const [name, array] of weights) array.set(flat(moved[name]).map((w, at) => (array[at] === 0 ? 0 : w)));
      if (hook.wants?.(step, STEPS)) await hook.afterUpdate(step, STEPS, weights);
      for (const name of Object.keys(golden.shapes)) {
        if (step <= 8) expectClose(Array.from(hook.state?.[`${name}/scores`] ?? []), flat(scores[name]));
        expect(Array.from(weights.get(name) ?? [], (w) => Number(w !== 0))).toEqual(masks[name]?.flat());
      }
    }
    const masks = steps.map((step) => JSON.stringify(step.masks));
    expect(new Set(masks).size).toBeGreaterThan(5);
    // Some weight came back, with the value that it had.
    const came = steps.some(({ masks: now }, i) =>
      Object.entries(now).some(([name, table]) =>
        table.flat().some((mask, at) => mask === 1 && steps[i - 1]?.masks[name]?.flat()[at] === 0),
      ),
    );
    expect(came).toBe(true);
  });
});

const trainable = (name: string): boolean => /layer\.\d\..*weight$/.test(name) && !/norm/i.test(name);

/** Zeros of a tiny model's matrices while it trains. */
const zeroing = (saliency: Saliency, pattern: string): WeightHook => {
  const { graph } = tinyModel();
  const names = parameterNames(graph).filter((name) => trainable(name) && graph.weights.get(name)?.dims.length === 2);
  if (saliency.reads !== 'weights' && saliency.reads !== 'gradients') throw new Error('nothing for training');
  return pruningDuring({
    weights: names.map((name) => ({ name, plane: planeOf(graph, name) })),
    ...{
      saliency,
      pattern: patternOf(pattern),
      sparsity: patternOf(pattern).fixed ?? 0.75,
      compete: saliency.competes,
    },
    ...{ schedule: cubic, rounds: 1, every: 1, seed: 1 },
  });
};

const shortly = (hook: WeightHook, changes: Partial<TrainRequest> = {}): TrainRequest =>
  tinyRequest({ options: { ...tinyOptions, steps: 15, keep: 'last' }, hook, ...changes });

/** Zeros, and whether they stand as the pattern has them. */
const found = ({ graph }: Model, names: readonly string[], text: string) => {
  const pattern = patternOf(text);
  let [zeros, elements, right] = [0, 0, true];
  for (const name of names) {
    const tensor = graph.weights.get(value(name));
    if (tensor === undefined) continue;
    const [data, plane] = [float32Of(tensor), planeOf(graph, value(name))];
    elements += data.length;
    zeros += data.filter((w) => w === 0).length;
    const size = pattern.rows * pattern.columns;
    for (let row = 0; row < plane.rows; row += pattern.rows) {
      for (let column = 0; column < plane.width; column += pattern.columns) {
        let gone = 0;
        for (let i = 0; i < size; i++) {
          const at = placeIn(plane, row + Math.floor(i / pattern.columns), column + (i % pattern.columns));
          gone += Number(data[at] === 0);
        }
        right &&= pattern.fixed === undefined ? gone === 0 || gone === size : gone === size * pattern.fixed;
      }
    }
  }
  return { zeros, elements, right };
};

describe('zeros that come in training', () => {
  const going = saliencies.filter(({ reads }) => reads === 'weights' || reads === 'gradients');
  const cases = [
    ...going.map((saliency) => [saliency.name, 'free', saliency] as const),
    ...['2:4', '4x1'].flatMap((pattern) => [movement, obs].map((one) => [one.name, pattern, one] as const)),
  ];

  it.each(cases)('are as many as asked for, and where the pattern wants them: %s, %s', async (_, pattern, saliency) => {
    const hook = zeroing(saliency, pattern);
    const { model } = await train(shortly(hook));
    const { zeros, elements, right } = found(model, hook.holds ?? [], pattern);
    expect(zeros).toBe(Math.ceil(elements * (patternOf(pattern).fixed ?? 0.75)));
    expect(right).toBe(true);
  });

  it.each([movement, obs])('are the same after interruptions, to the last bit: $name', async (saliency) => {
    const whole = zeroing(saliency, 'free');
    const { model } = await train(shortly(whole));
    const checkpoints = memoryCheckpoints();
    for (let pieces = 0; ; pieces++) {
      const controller = new AbortController();
      const hook = zeroing(saliency, 'free');
      let left = 4;
      const stopping: WeightHook = {
        ...hook,
        wants: () => true,
        afterUpdate: async (step, total, weights) => {
          if (hook.wants?.(step, total)) await hook.afterUpdate(step, total, weights);
          if (--left === 0) controller.abort(new Error('interrupted'));
        },
      };
      const done = await train(shortly(stopping, { checkpoints, signal: controller.signal })).catch((error: Error) => {
        expect(error.message).toBe('interrupted');
        return undefined;
      });
      if (done === undefined) continue;
      expect(pieces).toBe(3);
      expect(bytesOfModel(done.model)).toBe(bytesOfModel(model));
      expect(hook.state).toEqual(whole.state);
      return;
    }
  });

  it('are refused where masks change less often than there are rounds', async () => {
    const hook = pruningDuring(duringOf(movement, { schedule: rounds, rounds: 20 }));
    expect(() => hook.start?.(0, STEPS, tablesOf(golden.movement.start))).toThrow(
      'schedule: rounds makes 20 cuts, but over 10 steps of recovery masks change 6 times (every: 1): ask for fewer rounds, a smaller every, or train for longer',
    );
  });
});

describe('hard concrete gates', () => {
  const { gates } = golden;

  it('are those of PyTorch, with their gradient', async () => {
    const builder = new GraphBuilder('gates');
    const [a, logit, into] = ['a', 'logit', 'into'].map((name) => builder.input(name, 'float32', [9])) as [
      Value,
      Value,
      Value,
    ];
    const sample = emitSample(builder, a, logit);
    const loss = builder.op('ReduceSum', [builder.op('Mul', [sample, into])], { keepdims: 0 });
    const slope = differentiate(builder, loss, [a]).get(a) ?? a;
    const named = { sample, slope, mean: emitMean(builder, a), open: emitOpen(builder, a) };
    const outputs = Object.entries(named).map(([name, out]) => builder.op('Identity', [out], {}, value(`out/${name}`)));
    const program = await cpuEngine.compile(builder.freeze(outputs, { keepInputs: false }), { threads: 1 });
    const fed = (data: readonly number[] = []) =>
      ({ dtype: 'float32', dims: [9], data: Float32Array.from(data) }) as const;
    const out = await program.run({ a: fed(gates.logAlpha), logit: fed(gates.logit), into: fed(gates.into) });
    await program.release();
    for (const name of Object.keys(named)) {
      const found = out[`out/${name}`]?.data;
      expectClose(found instanceof Float32Array ? found : [], gates[name] ?? []);
    }
    expect(gates.sample?.some((z) => z === 0)).toBe(true);
    expect(gates.sample?.some((z) => z > 0 && z < 1)).toBe(true);
  });

  it('are drawn to a target as PyTorch has it, by multipliers that rise', async () => {
    const builder = new GraphBuilder('constraint');
    const rules: Rules = new Map();
    const a = builder.input('a', 'float32', [9]);
    const parts = [{ name: 'one', open: () => [emitOpen(builder, a)], target: () => gates.target }];
    const loss = constraintLoss(parts).emit({
      ...{ builder, answers: a, student: (name) => name, join: () => (name) => name },
      given: () => a,
      input: ({ name, shape }) => builder.input(name, 'float32', shape ?? []),
      parameter: (name, dims) => builder.input(name, 'float32', dims),
      ascent: (rising) => ascended(builder, rules, rising),
    });
    const ruleAt = ({ outputs: [made] }: Node) => (made === undefined ? undefined : rules.get(made));
    const names = [a, ...MULTIPLIERS.map(value)];
    const slopes = differentiate(builder, loss, names, { ruleAt });
    const outputs = [loss, ...names.flatMap((name) => slopes.get(name) ?? [])].map((out, i) =>
      builder.op('Identity', [out], {}, value(`out/${i}`)),
    );
    const program = await cpuEngine.compile(builder.freeze(outputs, { keepInputs: false }), { threads: 1 });
    const fed = (data: readonly number[]) =>
      ({ dtype: 'float32', dims: [data.length], data: Float32Array.from(data) }) as const;
    const [plain = 0, square = 0] = gates.multipliers ?? [];
    const given = { a: fed(gates.logAlpha ?? []), 'gates/target': fed([gates.target]) };
    const out = await program.run({
      ...given,
      [MULTIPLIERS[0]]: fed([plain]),
      [MULTIPLIERS[1]]: fed([square - SQUARE]),
    });
    await program.release();
    const found = outputs.map((_, i) => Array.from((out[`out/${i}`]?.data ?? []) as Float32Array));
    expectClose(found[0] ?? [], [gates.lagrangian]);
    expectClose(found[1] ?? [], gates.down ?? []);
    expectClose([...(found[2] ?? []), ...(found[3] ?? [])], gates.up ?? []);
  });
});
