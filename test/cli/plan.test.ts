import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunForecast } from '../../pipeline/api/types/pipelines.ts';
import { Store } from '../../pipeline/store/store.ts';
import { decant, tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

const space = workspace();
const pipeline = `name: small
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 200 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: teacher, uses: train, steps: 20, batch: 16, architecture: { hidden: 128, layers: 2, heads: 4, ffn: 256, vocabulary: 300 } }
  - { id: slim, uses: prune, keep: { ffn: 50%, heads: 2 }, examples: 32 }
  - { id: int8, uses: quantize }
  - { id: deploy, uses: export, from: { fp32: slim, q8: int8 } }
`;

beforeAll(() => {
  space.write('tiny.csv', tinyCsv());
  space.write('pipeline.yaml', pipeline);
});
afterAll(() => space[Symbol.dispose]());

const file = space.path('pipeline.yaml');

const planned = async (...args: readonly string[]): Promise<RunForecast> => {
  const { code, stdout, stderr } = await decant(['plan', file, '--json', ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
};

/** Disk and memory do not hang on what else the machine does; of a model of 0.3 M parameters most is the program itself. */
const FACTOR = 1.3;

const near = (a: number, b: number): number => Math.max(a / b, b / a);

describe('a plan', () => {
  it('says on a first run what no run has shown yet, and the run then takes as much', async () => {
    const { steps, totals, warnings } = await planned();
    expect(steps.filter(({ seconds, memory, disk }) => seconds === null || memory === null || disk === null)).toEqual(
      [],
    );
    expect(new Set(steps.flatMap(({ sources }) => Object.values(sources)))).toEqual(new Set(['estimate']));
    expect([totals.untimed, warnings]).toEqual([0, []]);
    expect(totals.seconds).toBeGreaterThan(steps.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0));
    expect(totals.saved).toBeGreaterThan(0);
    expect((await decant(['run', file])).code).toBe(0);
    const records = await new Store(space.path('.decant', 'store')).records();
    const left = records.flatMap(({ outputs }) => Object.values(outputs));
    const disk = left.reduce((sum, { kind, size }) => sum + (kind === 'folder' ? 2 : 1) * size, 0);
    expect(near(totals.disk, disk)).toBeLessThan(FACTOR);
    const peak = Math.max(...records.map((record) => record.peak ?? 0));
    expect(near(totals.memory?.bytes ?? 0, peak)).toBeLessThan(FACTOR);
  });

  it('says what earlier runs took where there were some, by how much more there is to do', async () => {
    const same = await planned();
    expect(new Set(same.steps.map(({ state }) => state))).toEqual(new Set(['cached']));
    expect([same.totals.seconds, same.totals.memory, same.totals.disk]).toEqual([0, null, 0]);
    const more = await planned('--set', 'stages.teacher.steps=60');
    const [before, after] = [same, more].map(({ steps }) => steps.find(({ step }) => step === 'teacher'));
    expect(after?.sources).toEqual({ seconds: 'history', memory: 'history', disk: 'history' });
    expect(after?.memory).toBe(before?.memory);
    expect((after?.seconds ?? 0) / (before?.seconds ?? 1)).toBeCloseTo(3, 0);
  });

  it('tries only what never ran, and nothing where nobody wants that', async () => {
    const wider = space.write(
      'wider.yaml',
      pipeline.replace(
        '  - { id: int8',
        '  - { id: narrow, uses: prune, from: teacher, keep: { ffn: 64 }, examples: 32 }\n  - { id: int8',
      ),
    );
    const { steps } = JSON.parse((await decant(['plan', wider, '--json'])).stdout) as RunForecast;
    const sourceOf = (id: string) => steps.find(({ step }) => step === id)?.sources.seconds;
    expect([sourceOf('teacher'), sourceOf('narrow'), sourceOf('narrow/evaluate')]).toEqual([
      'history',
      'estimate',
      'estimate',
    ]);
    const none = await decant(['plan', file, '--json', '--no-estimate', '--store', space.path('empty')]);
    const { totals, steps: untried } = JSON.parse(none.stdout) as RunForecast;
    expect(new Set(untried.flatMap(({ seconds, sources }) => [seconds, sources.seconds]))).toEqual(new Set([null]));
    expect([totals.untimed, totals.memory]).toEqual([untried.length, null]);
  });

  it('tells people, and warns of a step that needs more memory than it may take', async () => {
    const { code, stdout } = await decant(['plan', file, '--set', 'stages.teacher.steps=60', '--memory', '60']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^teacher {11}runs: config\.steps 20 -> 60 \(about .* s, \d+ MB of memory\)$/m);
    const summary =
      /steps would run; about .* s by earlier runs\.\nMemory: up to about (\d+) MB, in (\S+)\. Disk: about .* more\.\n/;
    const [, most, step] = summary.exec(stdout) ?? [];
    const memories = [...stdout.matchAll(/^(\S+) +runs.*, (\d+) MB of memory\)$/gm)];
    expect(Math.max(...memories.map(([, , memory]) => Number(memory)))).toBe(Number(most));
    expect(memories).toContainEqual(expect.objectContaining({ 1: step, 2: most }));
    expect(stdout).toMatch(
      /^warning: teacher takes about \d+ MB of memory, and a step may take 60(?:\.0+)? MB here: halve its batch/m,
    );
  });
});
