import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultEngine, engines, findEngine } from '../../engine/engines/index.ts';
import type { Report } from '../../reports/report.ts';
import { decant } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';
import { allowSoftwareAdapter } from './software-adapter.ts';

allowSoftwareAdapter();

/** Names of engines, as DECANT_FLAGSHIP=tensorflow,webgpu: minutes on the library of TensorFlow, an hour on a software adapter. */
const named = process.env.DECANT_FLAGSHIP?.split(',') ?? [];

const skipped = async (name: string): Promise<string> => {
  const found = await findEngine(name);
  if ('missing' in found) return ` (not there: ${found.missing})`;
  return named.includes(name) ? '' : ` (only with DECANT_FLAGSHIP=${name})`;
};

const others = await Promise.all(
  engines.filter(({ name }) => name !== defaultEngine).map(async ({ name }) => [name, await skipped(name)] as const),
);

describe.each(others)('the pipeline of the README on %s%s', (engine, why) => {
  const hours = 3 * 3600 * 1000;
  it.skipIf(why !== '')(
    'runs to its report with a few texts',
    async () => {
      using space = workspace();
      const places = ['--store', space.path('store'), '--out', space.path('out')];
      const settings = ['--engine', engine, '--set', 'data.limit=300'];
      const { code, stderr } = await decant(['run', 'pipeline.yaml', ...settings, ...places]);
      expect([code, stderr]).toEqual([0, '']);
      const report: Report = JSON.parse(readFileSync(space.path('out/report.json'), 'utf8'));
      const trained = report.stages.filter(({ training }) => training !== null);
      expect(trained.map(({ id, ranOn }) => [id, ranOn?.engine])).toEqual(
        ['teacher', 'student', 'sparse', 'scratch'].map((id) => [id, engine]),
      );
    },
    hours,
  );
});
