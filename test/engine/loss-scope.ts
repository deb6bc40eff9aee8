import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { unknownTargets } from '../../data/answer-targets.ts';
import { blankRows, putRow, type Rows } from '../../data/rows.ts';
import type { HostTensor } from '../../engine/engine.ts';
import { type ImitationContext, imitate } from '../../engine/losses/index.ts';
import type { LossInput, StepScope } from '../../engine/losses/loss.ts';
import type { StepBatch } from '../../engine/step-batch.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { differentiate } from '../../graph/differentiate.ts';
import { type Graph, type Value, value } from '../../graph/graph.ts';
import type { AttentionPlace, Taps } from '../../models/anatomy/taps.ts';
import { entryOf } from './imitating.ts';
import { tinyModel } from './rig.ts';

const tensor = z.object({ dims: z.array(z.int()), data: z.array(z.number()) });
const tensors = z.record(z.string(), tensor);

const goldenCase = z.object({
  name: z.string(),
  entry: z.looseObject({ uses: z.string(), weight: z.number().exactOptional() }),
  answer: z.enum(['choice', 'token', 'set', 'number', 'vector']).default('choice'),
  /** Of the teacher's answers so many of the largest are told. */
  keep: z.int().exactOptional(),
  student: tensors,
  teacher: tensors,
  projections: tensors,
  loss: z.number(),
  gradients: tensors,
});

const golden = z.object({ lengths: z.array(z.int()), cases: z.array(goldenCase) });

export type LossCase = z.infer<typeof goldenCase>;
type Tensors = z.infer<typeof tensors>;

/** What PyTorch says of each loss: losses.recipe.py makes it. */
const { lengths, cases } = golden.parse(
  JSON.parse(readFileSync(join(import.meta.dirname, '../golden/losses.json'), 'utf8')),
);

export const lossCases: readonly LossCase[] = cases;

const TEXTS = lengths.length;
const LENGTH = Math.max(...lengths);

const fed = ({ dims, data }: Tensors[string]): HostTensor => ({
  ...{ dtype: 'float32', dims },
  data: Float32Array.from(data),
});

/** The temperature of losses that have none of their own. */
const TEMPERATURE = 2;

const saidIn = ({ teacher, keep }: LossCase): Rows | undefined => {
  const { answers: said } = teacher;
  if (said === undefined) return undefined;
  const width = said.dims[1] ?? 1;
  const rows = blankRows(TEXTS, width, keep ?? width);
  const cold = rows.kept === undefined ? 1 : TEMPERATURE;
  for (let row = 0; row < TEXTS; row++) {
    putRow(
      rows,
      row,
      Float32Array.from(said.data.slice(row * width, (row + 1) * width), (x) => x / cold),
    );
  }
  return rows;
};

/** What a batch of these texts, one answer each, feeds. */
const batchOf = (one: LossCase): StepBatch => {
  const rows = Int32Array.from(lengths, (_, i) => i);
  return {
    ...{ numbers: rows, rows, dims: [TEXTS], batch: { rows, length: LENGTH }, done: 0, examples: [] },
    size: { answers: TEXTS, tokens: lengths.reduce((a, b) => a + b, 0) },
    targets: unknownTargets(TEXTS),
    teacher: saidIn(one),
    given: () => {
      throw new Error('the mask is an input of its own');
    },
  };
};

/** Names of values by which layers are looked into; keys and queries as products of some exporters have them. */
const tapsOf = (given: Tensors, prefix: string): Taps => {
  const layers = Object.keys(given)
    .filter((key) => key !== 'embeddings' && key !== 'answers')
    .map((key) => Number(key.split('.')[1]));
  const name = (key: string): Value => value(`${prefix}${key}`);
  const attention = (i: number): AttentionPlace => ({
    heads: (given[`scores.${i}`] ?? given[`queries.${i}`])?.dims[1] ?? 0,
    scores: name(`scores.${i}`),
    queries: { value: name(`queries.${i}`), scale: 1 },
    keys: { value: name(`keys.${i}`), scale: 1, turned: false },
    values: { value: name(`values.${i}`), scale: 1 },
  });
  const count = layers.length === 0 ? 0 : Math.max(...layers) + 1;
  return {
    embeddings: given.embeddings === undefined ? undefined : name('embeddings'),
    layers: Array.from({ length: count }, (_, i) => ({ hidden: name(`hidden.${i}`), attention: attention(i) })),
  };
};

/** A loss over inputs that stand for what models compute, with its gradients. */
export interface LossGraph {
  readonly graph: Graph;
  readonly loss: Value;
  readonly gradients: ReadonlyMap<string, Value>;
  readonly feeds: Readonly<Record<string, HostTensor>>;
}

export const lossGraph = (one: LossCase): LossGraph => {
  const builder = new GraphBuilder('loss');
  const inputs = new Map<string, LossInput>();
  const all: Tensors = { ...one.student, ...one.projections };
  for (const [name, { dims }] of Object.entries(all)) builder.input(name, 'float32', dims);
  for (const [name, { dims }] of Object.entries(one.teacher)) builder.input(`teacher/${name}`, 'float32', dims);
  const mask = builder.input('mask', 'int64', [TEXTS, LENGTH]);
  const scope: StepScope = {
    ...{ builder, answers: value('answers'), given: () => mask, student: (name) => name },
    input: (input) => {
      if (!inputs.has(input.name)) builder.input(input.name, input.dtype, input.shape);
      inputs.set(input.name, input);
      return value(input.name);
    },
    ascent: (rising) => rising,
    join: () => (name) => name,
    parameter: (name) => value(name),
  };
  const inside = {
    beside: { model: tinyModel() },
    ...{ student: tapsOf(one.student, ''), teacher: tapsOf(one.teacher, 'teacher/') },
  };
  const restApart = saidIn(one)?.kept !== undefined;
  const context: ImitationContext = { answer: one.answer, hard: 0, temperature: TEMPERATURE, restApart, inside };
  const answers = one.student.answers === undefined ? context : { ...context, inside: undefined };
  const loss = imitate(entryOf(one.entry), answers).emit(scope);
  const wanted = Object.keys(one.gradients).map(value);
  const gradients = differentiate(builder, loss, wanted);
  const masks = lengths.flatMap((length) => Array.from({ length: LENGTH }, (_, i) => (i < length ? 1n : 0n)));
  const given = Object.entries(all).map(([name, x]) => [name, fed(x)] as const);
  const others = Object.entries(one.teacher).map(([name, x]) => [`teacher/${name}`, fed(x)] as const);
  const asked = [...inputs.values()].map(({ name, feed }) => [name, feed(batchOf(one))] as const);
  const graph = builder.freeze([loss, ...gradients.values()], { keepInputs: false });
  const feeds = Object.fromEntries([
    ...[...given, ...others, ...asked],
    ['mask', { dtype: 'int64', dims: [TEXTS, LENGTH], data: BigInt64Array.from(masks) }],
  ]);
  const used = Object.fromEntries(
    graph.inputs.flatMap((name) => (feeds[name] === undefined ? [] : [[name, feeds[name]]])),
  );
  return { graph, loss, gradients, feeds: used };
};
