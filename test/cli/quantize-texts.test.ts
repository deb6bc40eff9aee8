import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readGraph } from '../../graph/codec/index.ts';
import { decant } from '../rig/cli.ts';
import { writeSmallModels } from '../rig/small-models.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
const words = ['cat', 'dog', 'runs', 'sleeps', 'the', 'old', 'small'];
const texts = Array.from({ length: 200 }, (_, i) =>
  Array.from({ length: 1 + (i % 6) }, (__, at) => words[(i * (at + 2) + (i >> (at + 1))) % 7]).join(' '),
);

const run = (...args: readonly string[]) => decant(['quantize', ...args], { cwd: space.folder });

/** Labels are what the model says: whatever the smaller one says otherwise is lost. */
const labels = async (): Promise<readonly string[]> => {
  const { stdout } = await decant(['predict', 'student', '--json'], { cwd: space.folder, input: texts.join('\n') });
  const said: readonly { readonly label: string }[] = JSON.parse(stdout);
  return said.map(({ label }) => label);
};

beforeAll(async () => {
  await writeSmallModels(space);
  space.write('texts.jsonl', texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  space.write('one.jsonl', `${JSON.stringify({ text: 'the cat' })}\n`);
  const said = await labels();
  space.write('labelled.csv', `text,label\n${texts.map((text, i) => `${text},${said[i]}\n`).join('')}`);
  await mkdir(space.path('bare'));
  for (const file of ['model.onnx', 'tokenizer.json']) await cp(space.path('student', file), space.path('bare', file));
  await mkdir(space.path('alone'));
  await cp(space.path('student/model.onnx'), space.path('alone/model.onnx'));
});
afterAll(() => space[Symbol.dispose]());

const made = async (...args: readonly string[]) => {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect([code, stderr.includes('Error')]).toEqual([0, false]);
  return JSON.parse(stdout);
};

/** The answers of a written model to all texts. */
const answers = async (model: string) => {
  const { stdout } = await decant(['predict', model, '--json'], { cwd: space.folder, input: texts.join('\n') });
  return JSON.parse(stdout).map(({ label }: { label: string }) => label);
};

describe('quantize with a file of texts', () => {
  it('rounds a model by what it does on them', async () => {
    const alone = await made('student', '-o', 'alone-q4', '--format', 'q4', '--min-elements', '0');
    const seen = await made('student', '-o', 'q4', '--format', 'q4', '--min-elements', '0', '--data', 'texts.jsonl');
    expect(alone.calibrated).toBeUndefined();
    expect(seen.calibrated).toMatchObject({ texts: 200, cosine: { mean: expect.closeTo(1, 1) } });
    expect(seen.bytes).toEqual(alone.bytes);
    expect(await answers('q4')).toHaveLength(texts.length);
  });

  it('takes ranges of activations from them, and answers as the source does', async () => {
    const { weights } = await made(
      ...['student', '-o', 'static', '--format', 'int8-static', '--min-elements', '0', '--data', 'texts.jsonl'],
    );
    expect(weights.some(({ storage }: { storage: string }) => storage === 'int8')).toBe(true);
    const graph = await readGraph(space.path('static/model.onnx'));
    expect(graph.nodes.some(({ op }) => op === 'QuantizeLinear')).toBe(true);
    const [said, found] = [await labels(), await answers('static')];
    expect(said.filter((label, i) => label === found[i]).length).toBeGreaterThan(0.9 * texts.length);
  });

  it.each([
    ['bare/model.onnx', 'bare-q4.onnx'],
    ['bare', 'bare-q4'],
    ['deploy', 'deploy-q4'],
  ])('takes %s as it takes a folder of a stage, and leaves inputs and outputs as they are', async (model, out) => {
    const { weights, calibrated } = await made(
      model,
      '-o',
      out,
      '--format',
      'q4',
      '--min-elements',
      '0',
      '--data',
      'texts.jsonl',
    );
    expect(calibrated.texts).toBe(200);
    expect(weights.some(({ storage }: { storage: string }) => storage === 'int4')).toBe(true);
    const written = [out, `${out}/model.onnx`, `${out}/onnx/model_q4.onnx`].find(
      (path) => path.endsWith('.onnx') && existsSync(space.path(path)),
    );
    const before = await readGraph(space.path('student/model.onnx'));
    const after = await readGraph(space.path(written ?? ''));
    expect(after.inputs).toEqual(before.inputs);
    expect(after.outputs).toEqual(before.outputs);
  });

  it('mixes storages within bytes, and says how in words', async () => {
    const asked = ['student', '--format', 'q4', '--min-elements', '0', '--block', '16', '--data', 'texts.jsonl'];
    const least = await made(...asked, '-o', 'least');
    const budget = `${Math.round(least.bytes.after + 40_000)}B`;
    const { calibrated } = await made(...asked, '-o', 'within', '--budget', budget);
    expect(calibrated.budget.bytes).toBeLessThanOrEqual(Number.parseInt(budget, 10));
    const { stdout } = await run(...asked, '-o', 'told', '--budget', budget);
    expect(stdout).toMatch(/matrices in fewer bits, \d+ in float\n/);
    expect(stdout).toMatch(/\nthe file has [\d.]+ kB: .*\d+ in 4 bits in blocks of 16/);
  });

  it('finds the smallest file that loses so little on texts that nothing was chosen by', async () => {
    const asked = ['student', '--format', 'q4', '--min-elements', '0', '--data', 'labelled.csv', '--max-drop'];
    const { calibrated } = await made(...asked, '5pt', '-o', 'lossy');
    expect(calibrated.budget.drop).toMatchObject({ metric: 'accuracy', answers: 150 });
    expect(calibrated.budget.drop.high).toBeLessThanOrEqual(0.05);
    const { code, stderr } = await run(...asked, '0.1pt', '-o', 'lossless');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /student: budget: a drop of 0\.1 points at most cannot be reached: the least that was reached is .* these are too few to be surer: give more, or allow [\d.]+ points\n$/,
    );
    expect(existsSync(space.path('lossless'))).toBe(false);
  });

  it.each([
    [
      ['student', '--data', 'one.jsonl'],
      'student: one.jsonl: has one text, which is too few to see by what activations are like; expected 2 at least, such as 256',
    ],
    [
      ['student', '--data', 'none.jsonl'],
      'none.jsonl: no such file; expected a file of texts: CSV, JSON Lines (.jsonl), Parquet (.parquet) or CoNLL (.conll)',
    ],
    [['student', '--budget', '16MB'], '--budget: is about texts; name a file of them with --data'],
    [['student', '--max-drop', '1pt'], '--max-drop: is about texts; name a file of them with --data'],
    [
      ['student', '--data', 'texts.jsonl', '--budget', '1MB'],
      'student: --budget: the format int8 stores no blocks: leave budget out, or name another format',
    ],
    [
      ['student', '--format', 'q4', '--data', 'texts.jsonl', '--budget', '16'],
      "student: --budget: expected bytes such as '16MB'",
    ],
    [
      ['student', '--format', 'q4', '--data', 'labelled.csv', '--max-drop', '1'],
      'student: --max-drop: accuracy is told in per cent: expected points such as 0.5pt, found 1',
    ],
    [
      ['student', '--format', 'q4', '--data', 'texts.jsonl', '--max-drop', '1pt'],
      'student: texts.jsonl: which column is the label? there is none to judge by; name it with --label',
    ],
    [
      ['student', '--format', 'int8-static'],
      '--format: int8-static takes the ranges of activations from texts; give a file of them with --data',
    ],
    [
      ['alone/model.onnx', '--data', 'texts.jsonl'],
      'model.onnx has no tokenizer beside it, and without one no text can be read',
    ],
  ])('refuses %s', async (args, message) => {
    const { code, stderr } = await run(...args, '-o', 'refused');
    expect({ code, found: stderr.includes(message), stderr }).toEqual({ code: 2, found: true, stderr });
    expect(existsSync(space.path('refused'))).toBe(false);
  });

  it('stops at Ctrl-C and leaves nothing', async () => {
    const args = ['quantize', 'student', '-o', 'stopped', '--format', 'q4', '--min-elements', '0'];
    const { code, stderr } = await decant([...args, '--data', 'labelled.csv', '--max-drop', '50pt'], {
      cwd: space.folder,
      onText: (text, child) => void (text.includes('comparing with the source') && child.kill('SIGINT')),
    });
    expect(code).toBe(130);
    expect(stderr).toContain('Interrupted: nothing was written.');
    expect(existsSync(space.path('stopped'))).toBe(false);
  });

  it('refuses a budget that everything in the fewest bytes does not keep to', async () => {
    const { code, stderr } = await run(
      'student',
      '-o',
      'refused',
      '--format',
      'q4',
      '--min-elements',
      '0',
      '--data',
      'texts.jsonl',
      '--budget',
      '1kB',
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /student: budget: 1kB cannot be reached: with every weight in the fewest bits the file has \d+kB; allow that, or cut the model first\n$/,
    );
  });
});
