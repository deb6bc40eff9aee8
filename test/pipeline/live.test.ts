import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../pipeline/events.ts';
import { root } from '../rig/build.ts';

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
  progress: { done: 5, total: 10, unit: 'steps', loss: 0.5 },
};

const ESCAPE = String.fromCharCode(27);
const [SHOW_CURSOR, HIDE_CURSOR, LINE_START] = [`${ESCAPE}[?25h`, `${ESCAPE}[?25l`, `${ESCAPE}[G`];

/** What a terminal shows in the end, or all that it showed, after events that come 30 ms apart. */
const shown = (events: readonly RunEvent[], whole = false): readonly string[] => {
  const script = `
    import { liveView } from ${JSON.stringify(`${root}dist/pipeline/view/live.js`)};
    const view = liveView(false);
    for (const event of ${JSON.stringify(events)}) {
      view.emit(event);
      await new Promise((done) => setTimeout(done, 30));
    }
    await view.close();`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, LISTR_FORCE_TTY: '1', NO_COLOR: '1', FORCE_COLOR: '0' },
  });
  expect([status, stderr.replaceAll(SHOW_CURSOR, '')]).toEqual([0, '']);
  const frames = stdout.replaceAll(SHOW_CURSOR, '').replaceAll(HIDE_CURSOR, '').split(LINE_START);
  return (whole ? frames.join('\n') : (frames.at(-1) ?? '')).trim().split('\n');
};

describe('live view', () => {
  it('ends a row with the last of its steps', () => {
    const lines = shown([
      begin,
      { type: 'cached', step: 'dataset', seconds: 2, key: 'k' },
      { type: 'started', step: 'teacher', key: 'k', why: ['forced'] },
      progress,
      { type: 'finished', step: 'teacher', seconds: 60 },
      { type: 'finished', step: 'teacher/evaluate', seconds: 3 },
      { type: 'cached', step: 'measure', seconds: 1, key: 'k' },
    ]);
    expect(lines.map((line) => line.replace(/^\S+ /, ''))).toEqual([
      'dataset  reused, saved 2.0 s',
      'teacher (train)  1 m 03 s',
      'measure  reused, saved 1.0 s',
    ]);
  });

  it('shows the step that is under way, and takes an interruption after rows have ended', () => {
    const lines = shown([
      begin,
      { type: 'finished', step: 'dataset', seconds: 2 },
      { type: 'started', step: 'teacher', key: 'k', why: ['forced'] },
      progress,
      { type: 'interrupting' },
      progress,
      { type: 'interrupted', step: 'teacher' },
    ]);
    expect(lines[0]).toContain('dataset  2.0 s');
    expect(lines[1]).toContain('teacher (train)');
    expect(lines.join('\n')).not.toContain('measure  ');
  });

  it('puts the rows of every seed below those of the one before', () => {
    const ofSeed = (seed: number): readonly RunEvent[] => [
      { ...begin, type: 'run-started', seed, seeds: [1, 2] },
      ...steps.map(({ id }): RunEvent => ({ type: 'finished', step: id, seconds: seed })),
    ];
    const script = shown([...ofSeed(1), ...ofSeed(2)], true);
    const rows = script.map((line) => line.replace(/^\S+ /, '')).filter((line) => line.startsWith('seed'));
    expect([...new Set(rows.filter((line) => line.endsWith(' s')))]).toEqual([
      'seed 1  dataset  1.0 s',
      'seed 1  teacher (train)  2.0 s',
      'seed 1  measure  1.0 s',
      'seed 2  dataset  2.0 s',
      'seed 2  teacher (train)  4.0 s',
      'seed 2  measure  2.0 s',
    ]);
  });
});
