import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Report } from '../../reports/report.ts';
import { decant, type Result } from '../rig/cli.ts';
import type { Workspace } from '../rig/workspace.ts';
import { wordsSpace } from './words-space.ts';

const widths = { hidden: 32, ffn: 64, heads: 4 };

/** Takes longer than starting a process. */
const recover = '{ uses: train, steps: 400, batch: 8, validationLimit: 0 }';

const pipeline = `name: learnt
data: { uses: csv, file: texts.csv, maxLength: 12 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: encoder, uses: import, model: ./model.onnx, head: new, tokenizer: ./words }
  - { id: sparse, uses: prune, sparsity: 70%, saliency: movement, embeddings: false, recover: ${recover} }
  - { id: cut, uses: prune, from: encoder, keep: { heads: 2, ffn: 16, hidden: 16, layers: 1 }, criterion: l0, recover: ${recover} }
`;

let space: Workspace;
const random = stream(5, 'moments');

beforeAll(async () => {
  space = await wordsSpace(widths);
  space.write('pipeline.yaml', pipeline);
});
afterAll(() => space[Symbol.dispose]());

interface Stop {
  readonly stage: string;
  readonly signal: 'SIGINT' | 'SIGKILL';
}

/** Runs it; stopped a while after a stage began to train. */
const run = (name: string, stop?: Stop): Promise<Result> =>
  decant(['run', 'pipeline.yaml', '--until', 'cut', '--plain', '--store', `${name}/store`, '--out', `${name}/out`], {
    cwd: space.folder,
    onText: (text, child) => {
      if (stop === undefined || !new RegExp(`${stop.stage} +started`).test(text)) return;
      setTimeout(() => child.kill(stop.signal), 300 + random.integer(500));
    },
  });

const modelsOf = (name: string): unknown => {
  const { stages }: Report = JSON.parse(readFileSync(space.path(name, 'out/report.json'), 'utf8'));
  return stages.map(({ id, model }) => [id, model?.sha256]);
};

it('a run that is stopped and killed while it learns scores and gates ends with the same bytes', async () => {
  expect((await run('whole')).code).toBe(0);
  // Being stopped saves what was learnt; being killed may not.
  const stops: readonly Stop[] = [
    { stage: 'sparse', signal: 'SIGINT' },
    { stage: 'cut', signal: 'SIGKILL' },
  ];
  for (const stop of stops) expect((await run('stopped', stop)).code).not.toBe(0);
  const resumed = await run('stopped');
  expect([resumed.code, resumed.stderr]).toEqual([0, '']);
  expect(modelsOf('stopped')).toEqual(modelsOf('whole'));
  expect(readdirSync(space.path('stopped', 'store', 'work'))).toEqual([]);
});
