import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { engines, findEngine } from '../../engine/engines/index.ts';
import { decant, tinyCsv, tinyPipeline } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

/** Engines that `auto` would try beside the CPU: on most machines none. */
const others = await Promise.all(
  engines.slice(1).map(async ({ name }) => {
    const found = await findEngine(name);
    return 'missing' in found || found.device.software === true ? [] : [name];
  }),
);

describe('run --engine auto', () => {
  it('chooses once, and takes what was made on the engine that it chose', async () => {
    using space = workspace();
    space.write('tiny.csv', tinyCsv());
    space.write('pipeline.yaml', tinyPipeline);
    const run = (engine: string) => decant(['run', '--until', 'teacher', '--engine', engine], { cwd: space.folder });
    const first = await run('cpu');
    expect([first.code, first.stderr]).toEqual([0, '']);
    const auto = await run('auto');
    expect(auto.stdout).toMatch(/^teacher\/choose +done in/m);
    if (others.flat().length === 0) expect(auto.stdout).toMatch(/^teacher +reused/m);
    expect((await run('auto')).stdout).toMatch(/^teacher\/choose +reused/m);
    const report = JSON.parse(readFileSync(space.path('runs/tiny/report.json'), 'utf8'));
    const notes: readonly string[] = report.stages.at(-1).notes;
    const told = notes.filter((note) => note.startsWith('trained on '));
    expect(told).toHaveLength(others.flat().length === 0 ? 0 : 1);
  });
});
