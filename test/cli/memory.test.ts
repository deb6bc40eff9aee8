import { afterAll, beforeAll, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { readModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { apart } from '../engines/training.ts';
import { decant, type Result } from '../rig/cli.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

/** Long texts and a small model: nearly all memory is activations. */
const pipeline = `name: fits
data: { uses: csv, file: long.csv, maxLength: 64 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - id: encoder
    uses: train
    batch: 256
    epochs: 1
    architecture: { hidden: 64, layers: 3, heads: 4, ffn: 256, vocabulary: 300 }
`;

const topics = [
  ['bread', 'milk'],
  ['runs', 'jumps'],
  ['sleeps', 'dreams'],
] as const;
const common = ['the', 'old', 'small', 'a', 'big', 'red', 'this', 'our', 'cat', 'dog', 'bird', 'horse'];

const longCsv = (): string => {
  const random = stream(1, 'long texts');
  const pick = (words: readonly string[]): string => words[random.integer(words.length)] ?? '';
  const rows = Array.from({ length: 480 }, (_, i) => {
    const filler = Array.from({ length: 60 }, () => pick(common)).join(' ');
    return `${filler} ${pick(topics[i % topics.length] ?? [])},topic ${i % topics.length}`;
  });
  return ['text,label', ...rows].join('\n');
};

/** After two updates; sums of two passes are taken in another order than those of one. */
const CLOSE = 2e-5;

let space: Workspace;
beforeAll(() => {
  space = workspace();
  space.write('long.csv', longCsv());
  space.write('pipeline.yaml', pipeline);
});
afterAll(() => space[Symbol.dispose]());

const run = (...args: readonly string[]): Promise<Result> =>
  decant(['run', '--until', 'encoder', '--json', ...args], { cwd: space.path() });

const errorOf = ({ stdout }: Result) => JSON.parse(stdout).error;

const trained = (out: string): Promise<Model> => readModel(space.path(out, 'models', 'encoder'));

/** Megabytes in which whole batches do not fit, and smaller ones do. */
const ROOM = '400';

const asked =
  /a batch of 256 texts of up to 6\d tokens needs about \d+ MB; write batch: (\d+) and accumulate: (\d+), which needs about \d+ MB and trains the same/;

it('training that cannot fit by far is not begun', async () => {
  const refused = await run('--memory', '230', '--out', 'refused');
  const { code, message, step } = errorOf(refused);
  expect([refused.code, code, step]).toEqual([1, 'memory', 'encoder']);
  expect(message).toMatch(/^training does not fit into memory \(it was not begun; --memory allows 230 MB\): a batch/);
  expect(asked.exec(message)?.[1]).toMatch(/^\d+$/);
});

it('training that takes more memory than it may names a split that does not, which trains the same', async () => {
  const stopped = await run('--memory', ROOM, '--out', 'stopped');
  const { code, message } = errorOf(stopped);
  expect([stopped.code, code]).toEqual([1, 'memory']);
  expect(message).toMatch(/^the step was stopped: it took more than 400 MB of memory, which --memory allows; a batch/);
  const [, batch, accumulate] = asked.exec(message) ?? [];
  expect(Number(batch) * Number(accumulate)).toBe(256);
  const split = ['--set', `stages.encoder.batch=${batch}`, '--set', `stages.encoder.accumulate=${accumulate}`];
  const followed = await run('--memory', ROOM, '--out', 'split', ...split);
  expect(followed.code).toBe(0);
  expect((await run('--out', 'whole')).code).toBe(0);
  expect(apart(await trained('whole'), await trained('split'))).toBeLessThan(CLOSE);
});
