import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  benchmark,
  evaluate,
  exportModel,
  inspect,
  loadModel,
  predict,
  predictFile,
  UserError,
} from '../../dist/pipeline/api/index.js';
import { decant } from '../rig/cli.ts';
import { writeSmallModels } from '../rig/small-models.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
const texts = ['the old cat', 'a dog runs', 'the small dog sleeps'];

beforeAll(async () => {
  await writeSmallModels(space);
  space.write(
    'held.csv',
    `text,label\n${texts.map((text, i) => `${text},${['animal', 'motion', 'rest'][i]}\n`).join('')}`,
  );
});
afterAll(() => space[Symbol.dispose]());

const fromCli = async (...args: readonly string[]) => {
  const { code, stdout } = await decant([...args, '--json'], { cwd: space.folder });
  expect(code).toBe(0);
  return JSON.parse(stdout);
};

/** Threads of JavaScript beside this one. */
const threadsOf = (): number => Object(process.report.getReport()).workers.length;

describe('predict', () => {
  it('says what the command line says', async () => {
    const { answers } = await predict(space.path('deploy'), texts);
    expect(answers).toEqual(await fromCli('predict', 'deploy', ...texts));
  });

  it('tells how far it is', async () => {
    const many = Array.from({ length: 200 }, (_, i) => texts[i % 3] ?? '');
    const told: number[] = [];
    const job = predict(space.path('student'), many);
    for await (const { done, total } of job) {
      expect(total).toBe(200);
      told.push(done);
    }
    expect(told.at(-1)).toBe(200);
    expect((await job).answers.length).toBe(200);
  });

  it('says what nobody would notice', async () => {
    const { notes } = await predict(space.path('student'), [Array.from({ length: 200 }, () => 'cat').join(' ')]);
    expect(notes[0]).toMatch(/longer than the \d+ tokens that the model reads/);
  });

  it('refuses what is no model, as an error that says what to do', async () => {
    const refused = predict(space.path('nowhere'), texts);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow('expected a model folder');
  });

  it('stops where it is told to', async () => {
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    await expect(predict(space.path('student'), texts, { signal: abort.signal })).rejects.toThrow('enough');
  });
});

describe('a loaded model', () => {
  it('answers many times as it does once, and says what it is', async () => {
    const model = await loadModel(space.path('deploy'), { dtype: 'fp32' });
    try {
      expect(model).toMatchObject({ task: 'text-classification', labels: ['animal', 'motion', 'rest'] });
      const alone = await Promise.all(texts.map(async (text) => (await model.predict([text])).answers[0]));
      const { answers } = await model.predict(texts);
      answers.forEach((answer, i) => {
        expect('label' in answer && answer.label).toBe(Object(alone[i]).label);
      });
      expect((await model.predict([])).answers).toEqual([]);
    } finally {
      await model.release();
    }
  });
});

describe('the other verbs for models', () => {
  it('evaluate as the command line does', async () => {
    const models = [space.path('student'), space.path('other')];
    const mine = await evaluate(models, { data: space.path('held.csv'), label: 'label' });
    const theirs = await fromCli('evaluate', ...models, '--data', space.path('held.csv'), '--label', 'label');
    expect(JSON.parse(JSON.stringify(mine))).toEqual(theirs);
  });

  it('answer a table as the command line does', async () => {
    const data = space.path('held.csv');
    const done = await predictFile(space.path('student'), { data, out: space.path('mine.csv') });
    expect(done).toEqual({ rows: 3, unanswered: 0 });
    await fromCli('predict', 'student', '--data', data, '--out', 'theirs.csv');
    expect(readFileSync(space.path('mine.csv'), 'utf8')).toBe(readFileSync(space.path('theirs.csv'), 'utf8'));
  });

  it('answer a table until they are told to stop, and leave no thread behind', async () => {
    space.write('many.csv', `text\n${Array.from({ length: 6000 }, (_, i) => `${texts[i % 3]}\n`).join('')}`);
    const abort = new AbortController();
    const before = threadsOf();
    const out = space.path('stopped.csv');
    const job = predictFile(space.path('student'), { data: space.path('many.csv'), out, signal: abort.signal });
    const stopped = (async () => {
      for await (const { done } of job) {
        expect(threadsOf()).toBe(before + 1);
        if (done > 2000) abort.abort(new Error('enough'));
      }
    })();
    await expect(stopped).rejects.toThrow('enough');
    await expect(job).rejects.toThrow('enough');
    const rows = readFileSync(out, 'utf8').split('\n');
    expect([rows.at(-1), rows.length - 2]).toEqual(['', expect.toSatisfy((n: number) => n >= 1024 && n % 1024 === 0)]);
    expect(threadsOf()).toBe(before);
  });

  it('inspect as the command line does', async () => {
    expect(JSON.parse(JSON.stringify(await inspect(space.path('deploy'))))).toEqual(await fromCli('inspect', 'deploy'));
  });

  it('export a folder that can be asked', async () => {
    const exported = await exportModel(space.path('student'), space.path('exported'), { quantize: true });
    expect(exported.files.map(({ precision }) => precision)).toEqual(['fp32', 'q8']);
    expect(existsSync(space.path('exported', 'onnx', 'model_quantized.onnx'))).toBe(true);
    expect((await predict(space.path('exported'), texts)).answers.length).toBe(3);
  });

  it('time models beside each other', async () => {
    const models = [space.path('student'), space.path('int8')];
    const asked = { lengths: [8], rounds: 3, processes: 2, loads: 0 };
    const { measurement, models: timed } = await benchmark(models, asked);
    expect(measurement).toMatchObject({ rounds: 3, threads: 1 });
    expect(timed.map(({ model, latency }) => [model, latency.length])).toEqual(models.map((model) => [model, 1]));
  });
});
