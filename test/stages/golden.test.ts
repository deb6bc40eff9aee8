import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readPredictions } from '../../data/predictions.ts';
import { stream } from '../../data/random.ts';
import { numbersOf, type Tensor } from '../../graph/tensor.ts';
import type { ArtifactKind, InputArtifact } from '../../ground/artifact.ts';
import { readModelArtifact } from '../../models/files.ts';
import { stages } from '../../stages/index.ts';
import { readTeacherOutputs } from '../../stages/label/outputs.ts';
import type { AnyStage } from '../../stages/stage.ts';
import { smallEncoder } from '../models/support.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { datasetArtifact, modelArtifact, runStage, smallDataset, smallFeatures } from './training-rig.ts';

/**
 * Cache keys hold a stage's `version`, not its code: results of an older code stay in use until the version is raised.
 * So this test fails when a stage's output changes while its version stays. Recorded figures are compared with a
 * tolerance, because another CPU sums floats in another order.
 *
 * After raising a version: UPDATE_GOLDEN=1 npx vitest run test/stages/golden.test.ts
 */
const RELATIVE_TOLERANCE = 2e-3;

const goldenFile = fileURLToPath(new URL('../golden/stage-outputs.json', import.meta.url));

interface Recorded {
  readonly uses: string;
  readonly version: number;
  readonly figures: Readonly<Record<string, number>>;
}

/**
 * Stages whose outputs are compared byte by byte elsewhere, are times, or are decided by them; and the one that answers as evaluate does,
 * about other texts.
 */
const elsewhere = new Set([
  ...['dataset', 'baseline', 'download', 'import', 'export', 'measure', 'profile', 'choose', 'costs'],
  ...['validate', 'reword'],
]);

/** Two figures that any change of a tensor moves: its size as a vector, and a random projection of it. */
const project = (values: ArrayLike<number>, name: string): { readonly norm: number; readonly projection: number } => {
  const random = stream(1, 'golden', name);
  let squares = 0;
  let projection = 0;
  for (let i = 0; i < values.length; i++) {
    squares += (values[i] ?? 0) ** 2;
    projection += (values[i] ?? 0) * random.normal();
  }
  return { norm: Math.sqrt(squares), projection };
};

const figuresOf = (tensors: Iterable<readonly [string, ArrayLike<number>]>): Record<string, number> => {
  let [elements, squares, projection] = [0, 0, 0];
  for (const [name, values] of tensors) {
    const one = project(values, name);
    elements += values.length;
    squares += one.norm ** 2;
    projection += one.projection;
  }
  return { elements, norm: Math.sqrt(squares), projection };
};

/** Constants of decant's own graphs go by such names; quantized weights and their steps do not. */
const isConstantName = (name: string): boolean => /(^|\/)constant_\d+$/.test(name);

type Weights = ReadonlyMap<string, Tensor>;

const weightsOf = (weights: Weights, isWanted: (tensor: Tensor) => boolean): [string, number[]][] =>
  [...weights]
    .filter(([name, tensor]) => !isConstantName(name) && isWanted(tensor))
    .map(([name, tensor]) => [name, numbersOf(tensor)]);

/** Integers apart from the steps that they count: these are so much smaller that no change of theirs would show in one sum. */
const figuresOfModel = (weights: Weights): Record<string, number> => {
  const integers = weightsOf(weights, ({ dtype }) => dtype === 'int8' || dtype === 'uint8');
  const floats = figuresOf(weightsOf(weights, ({ dtype }) => dtype.startsWith('float')));
  const figures = Object.entries(figuresOf(integers)).map(([name, figure]) => [`integers.${name}`, figure]);
  return { ...floats, ...(integers.length === 0 ? {} : Object.fromEntries(figures)) };
};

const summarise = async (kind: ArtifactKind, { path }: InputArtifact): Promise<Record<string, number>> => {
  switch (kind) {
    case 'model':
      return figuresOfModel((await readModelArtifact(path)).graph.weights);
    case 'predictions':
      return figuresOf([['logits', (await readPredictions(path)).rows.data]]);
    case 'teacher-outputs':
      return figuresOf([['logits', (await readTeacherOutputs(path)).rows.data]]);
    default:
      throw new Error(`no figures are defined for outputs of kind ${kind}`);
  }
};

const record: Record<string, Recorded> = {};
let space: Workspace;

beforeAll(async () => {
  space = workspace();
  const dataset = await datasetArtifact(space, smallDataset());
  const stageOf = (uses: string): AnyStage => {
    const stage = stages.find((candidate) => candidate.uses === uses);
    if (stage === undefined) throw new Error(`no stage '${uses}'`);
    return stage;
  };
  const run = async (
    name: string,
    uses: string,
    inputs: Readonly<Record<string, InputArtifact>>,
    config: unknown,
  ): Promise<InputArtifact> => {
    const stage = stageOf(uses);
    const { output } = await runStage(space, stage, { dataset, ...inputs }, config, { name, kind: stage.makes });
    record[name] = { uses, version: stage.version, figures: await summarise(stage.makes, output) };
    return output;
  };
  const features = await modelArtifact(space, 'features', smallFeatures());
  const teacher = await run('teacher', 'train', { model: features }, { epochs: 2, dropout: 0.1, tokenDropout: 0.05 });
  const labels = await run('labels', 'label', { model: teacher }, {});
  const cut = { keep: { heads: '50%', ffn: '50%' }, examples: 64 };
  const slim = await run('slim', 'prune', { model: teacher }, cut);
  const distilled = { teacher: 'teacher', epochs: 2 };
  const student = await run('student', 'distill', { model: slim, 'teacher-outputs': labels }, distilled);
  const others = await run('other-labels', 'label', { model: slim }, {});
  await run('mixed', 'mix', { 'outputs-0': labels, 'outputs-1': others }, { by: 'mean' });
  const zeros = { sparsity: 0.5, recover: { uses: 'train', epochs: 2 } };
  await run('sparse', 'prune', { model: student }, zeros);
  const wide = await modelArtifact(space, 'wide', smallEncoder({ hidden: 64, ffn: 128 }));
  const int8 = await run('int8', 'quantize', { model: wide }, {});
  await run('predictions', 'evaluate', { model: student }, {});
  await run('int8-predictions', 'evaluate', { model: int8 }, {});
  const drawn = { kind: 'performer', features: 4, recover: { uses: 'train', epochs: 1 } };
  await run('other-attention', 'attention', { model: teacher }, drawn);
  await run('scratch', 'train', { model: slim }, { like: 'slim', epochs: 1 });
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(goldenFile, `${JSON.stringify(record, null, 2)}\n`);
});

afterAll(() => space[Symbol.dispose]());

const golden = (): Readonly<Record<string, Recorded>> =>
  existsSync(goldenFile) ? JSON.parse(readFileSync(goldenFile, 'utf8')) : {};

const close = (found: number, expected: number, scale: number): boolean =>
  Math.abs(found - expected) <= RELATIVE_TOLERANCE * Math.max(Math.abs(expected), scale);

const drift = ({ figures: found }: Recorded, { figures: expected }: Recorded): string[] =>
  Object.entries(expected)
    .filter(([name, value]) => {
      const scale = expected[name.startsWith('integers.') ? 'integers.norm' : 'norm'];
      return !close(found[name] ?? Number.NaN, value, scale ?? 0);
    })
    .map(([name, value]) => `${name} was ${value}, is ${found[name]}`);

describe('outputs of stages', () => {
  it.each(Object.keys(golden()))('stay what they were while the version stays: %s', (name) => {
    const [found, expected] = [record[name], golden()[name]];
    if (found === undefined || expected === undefined) throw new Error(`nothing recorded for ${name}`);
    expect(found.version, `${found.uses}: record the outputs of its new version with UPDATE_GOLDEN=1`).toBe(
      expected.version,
    );
    expect(
      drift(found, expected),
      `raise the version of stage '${found.uses}': old cache entries would be reused`,
    ).toEqual([]);
  });

  it('are recorded for every stage', () => {
    const covered = new Set(Object.values(golden()).map(({ uses }) => uses));
    expect(stages.map(({ uses }) => uses).filter((uses) => !covered.has(uses) && !elsewhere.has(uses))).toEqual([]);
  });

  it.each([
    ['student', 'norm'],
    ['int8', 'norm'],
    ['int8', 'integers.norm'],
  ])('are noticed when they change a little: %s by its %s', (name, figure) => {
    const expected = golden()[name];
    if (expected?.figures[figure] === undefined) throw new Error(`nothing recorded for ${name}`);
    const figures = { ...expected.figures, [figure]: expected.figures[figure] * 1.01 };
    expect(drift({ ...expected, figures }, expected)).toHaveLength(1);
  });
});
