import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../pipeline/events.ts';
import { compiledRig } from '../rig/build.ts';
import { testTerminal } from '../rig/terminal.ts';

const steps = [
  { id: 'dataset', uses: 'dataset', place: 'data' },
  { id: 'teacher', uses: 'train', place: 'named' },
  { id: 'teacher/evaluate', uses: 'evaluate', place: 'each-model' },
  { id: 'measure', uses: 'measure', place: 'all-models' },
] as const;

const begin: RunEvent = { type: 'run-started', name: 'p', steps, seed: 1, threads: 2, process: 7 };
const progress: RunEvent = {
  type: 'progress',
  step: 'teacher',
  progress: {
    ...{ done: 5, total: 10, unit: 'steps', loss: 0.5, tokensPerSecond: 12_345, phase: 'epoch 1/2' },
    validation: { metric: 'accuracy', score: 0.875 },
  },
};
const figures = { metric: 'accuracy', score: 0.912, low: 0.891, high: 0.93, answers: 500 };

/** A window that somebody draws to another size. */
interface Resize {
  readonly columns: number;
  readonly rows?: number;
}

const RESIZED = /<resized (\d+) (\d+)>/;

/** What a terminal shows after each part of a script of events that come 30 ms apart: parts end where its size changes. */
const screens = async (
  script: readonly (RunEvent | Resize)[],
  { columns = 80, rows = 24 }: Partial<Resize> = {},
): Promise<readonly { readonly shown: readonly string[]; readonly broken: readonly string[] }[]> => {
  const program = `
    import { writeSync } from 'node:fs';
    import { liveView } from ${JSON.stringify(`${compiledRig}/pipeline/view/live.js`)};
    Object.assign(process.stdout, ${JSON.stringify({ columns, rows })});
    const view = liveView(false);
    for (const { columns, rows = ${rows}, ...event } of ${JSON.stringify(script)}) {
      if (columns === undefined) view.emit(event);
      else {
        writeSync(1, \`<resized \${columns} \${rows}>\`);
        Object.assign(process.stdout, { columns, rows });
        process.stdout.emit('resize');
      }
      await new Promise((done) => setTimeout(done, 30));
    }
    // The spinner turns every 100 ms.
    await new Promise((done) => setTimeout(done, 150));
    writeSync(1, \`<resized \${process.stdout.columns} \${process.stdout.rows}>\`);
    await view.close();`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, LISTR_FORCE_TTY: '1', NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  expect([status, stderr.replaceAll(`${String.fromCharCode(27)}[?25h`, '')]).toEqual([0, '']);
  const terminal = testTerminal(columns, rows);
  const seen: { readonly shown: readonly string[]; readonly broken: readonly string[] }[] = [];
  const [first = '', ...parts] = stdout.split(RESIZED);
  const look = async (text: string): Promise<void> => {
    await terminal.write(text);
    seen.push({ shown: terminal.shown(), broken: terminal.broken() });
  };
  await look(first);
  for (let i = 0; i < parts.length; i += 3) {
    terminal.resize(Number(parts[i]), Number(parts[i + 1]));
    await look(parts[i + 2] ?? '');
  }
  return seen;
};

const shown = async (script: readonly (RunEvent | Resize)[], size: Partial<Resize> = {}) =>
  (await screens(script, size)).map((screen) => screen.shown);

/** Without the sign of its state. */
const withoutSign = (line: string): string => line.replace(/^\S+ /, '');

describe('live view', () => {
  it('ends a row with the last of its steps, and tells what its model is worth', async () => {
    const [, last = []] = await shown([
      begin,
      { type: 'cached', step: 'dataset', seconds: 2, key: 'k' },
      { type: 'started', step: 'teacher', key: 'k', why: ['forced'] },
      progress,
      { type: 'finished', step: 'teacher', seconds: 60 },
      { type: 'finished', step: 'teacher/evaluate', seconds: 3, figures },
      { type: 'cached', step: 'measure', seconds: 1, key: 'k' },
    ]);
    expect(last.map(withoutSign)).toEqual([
      'dataset  reused, saved 2.0 s',
      'teacher (train)  1 m 03 s, accuracy 91.2 % [89.1, 93.0]',
      'measure  reused, saved 1.0 s',
    ]);
  });

  it('says where a run is: its step, loss, validation and the time that is left', async () => {
    const [now = []] = await shown(
      [
        begin,
        { type: 'cached', step: 'dataset', seconds: 2, key: 'k' },
        { type: 'expected', seconds: { teacher: 100, 'teacher/evaluate': 20 }, later: 0 },
        { type: 'started', step: 'teacher', key: 'k', why: ['forced'] },
        progress,
      ],
      { columns: 120 },
    );
    expect(now.map(withoutSign).slice(0, 2)).toEqual(['dataset  reused, saved 2.0 s', 'teacher (train)']);
    expect(now[2]).toContain('epoch 1/2, 5/10 steps, loss 0.500, validation accuracy 87.5 %, 12,345 tokens/s');
    expect(now.at(-1)).toMatch(/^p: step 2 of 4, 0\.\d s, about (?:2 m 00|1 m 59) s and 1 step never timed left$/);
  });

  it('shows the step that is under way, and takes an interruption after rows have ended', async () => {
    const all = await shown([
      begin,
      { type: 'finished', step: 'dataset', seconds: 2 },
      { type: 'started', step: 'teacher', key: 'k', why: ['forced'] },
      progress,
      { type: 'interrupting' },
      progress,
      { type: 'interrupted', step: 'teacher' },
    ]);
    const lines = all.at(-1) ?? [];
    expect(lines[0]).toContain('dataset  2.0 s');
    expect(lines[1]).toContain('teacher (train)');
    expect(lines.join('\n')).not.toContain('measure  ');
  });

  it('puts the rows of every seed below those of the one before', async () => {
    const ofSeed = (seed: number): readonly RunEvent[] => [
      { ...begin, type: 'run-started', seed, seeds: [1, 2] },
      ...steps.map(({ id }): RunEvent => ({ type: 'finished', step: id, seconds: seed })),
    ];
    const all = await shown([...ofSeed(1), ...ofSeed(2)]);
    expect((all.at(-1) ?? []).map(withoutSign)).toEqual([
      'seed 1  dataset  1.0 s',
      'seed 1  teacher (train)  2.0 s',
      'seed 1  measure  1.0 s',
      'seed 2  dataset  2.0 s',
      'seed 2  teacher (train)  4.0 s',
      'seed 2  measure  2.0 s',
    ]);
  });

  it('breaks no line and leaves nothing behind when the window becomes narrower and wider', async () => {
    const all = await screens(
      [
        { ...begin, type: 'run-started', name: 'a run with a long name' },
        { type: 'finished', step: 'dataset', seconds: 2 },
        { type: 'started', step: 'teacher', key: 'k', why: ['forced'] },
        progress,
        { columns: 44 },
        progress,
        { columns: 30 },
        progress,
        { columns: 90 },
        progress,
      ],
      { columns: 110 },
    );
    for (const { shown: lines, broken } of all.slice(0, -1)) {
      expect(broken).toEqual([]);
      expect(lines.length).toBe(5);
      expect(lines[0]).toContain('dataset  2.0 s');
      expect(lines.filter((line) => line.includes(': step 2 of 4')).length).toBe(1);
    }
    expect((all.at(-1)?.shown ?? []).length).toBeLessThanOrEqual(4);
  });

  it('shows what is under way of a list that is longer than the window', async () => {
    const many = Array.from({ length: 30 }, (_, i) => ({ id: `s${i}`, uses: 'train', place: 'named' as const }));
    const [now = [], last = []] = await shown(
      [
        { ...begin, type: 'run-started', steps: many },
        ...many.slice(0, 20).map(({ id }): RunEvent => ({ type: 'finished', step: id, seconds: 1 })),
        { type: 'started', step: 's20', key: 'k', why: ['forced'] },
        ...many.slice(20).map(({ id }): RunEvent => ({ type: 'started', step: id, key: 'k', why: ['forced'] })),
      ],
      { columns: 60, rows: 10 },
    );
    expect(now.length).toBe(9);
    expect(now.join('\n')).toContain('s20 (train)');
    expect(now.at(-1)).toMatch(/^p: step 21 of 30/);
    expect(last.filter((line) => line.includes('s19 (train)')).length).toBe(1);
  });
});
