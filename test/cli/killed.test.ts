import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import type { Report } from '../../reports/report.ts';
import { decant, type Result, tinyCsv, tinyPipeline } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

/** Moments at which a run is killed; more of them are for hands: DECANT_KILLS=20 npx vitest run test/cli/killed.test.ts */
const KILLS = Number(process.env.DECANT_KILLS ?? 2);

describe('a run that is killed', () => {
  const space = workspace();
  const temporary = space.path('temporary');
  const random = stream(11, 'moments');
  let whole: Report;
  let milliseconds: number;

  const run = (name: string, killAfter?: number): Promise<Result> =>
    decant(
      [
        'run',
        '--until',
        'teacher',
        '--set',
        'stages.teacher.epochs=1',
        '--store',
        `${name}/store`,
        '--out',
        `${name}/out`,
      ],
      {
        cwd: space.folder,
        env: { TMPDIR: temporary },
        ...(killAfter === undefined ? {} : { killAfter }),
      },
    );

  const reportOf = (name: string): Report => JSON.parse(readFileSync(space.path(name, 'out/report.json'), 'utf8'));

  const modelsOf = ({ stages }: Report): unknown =>
    stages.map(({ id, model, quality }) => [id, model?.sha256, quality?.score]);

  beforeAll(async () => {
    space.write('tiny.csv', tinyCsv());
    space.write('pipeline.yaml', tinyPipeline);
    mkdirSync(temporary);
    const started = performance.now();
    expect((await run('whole')).code).toBe(0);
    milliseconds = performance.now() - started;
    whole = reportOf('whole');
  });
  afterAll(() => space[Symbol.dispose]());

  it.each(Array.from({ length: KILLS }, (_, i) => i))(
    'at a random moment ends with the same bytes when it goes on, and leaves nothing behind (%i)',
    async (kill) => {
      const name = `killed-${kill}`;
      const moment = random.integer(Math.round(milliseconds));
      await run(name, moment);
      const resumed = await run(name);
      expect([resumed.code, resumed.stderr, moment >= 0]).toEqual([0, '', true]);
      expect(modelsOf(reportOf(name))).toEqual(modelsOf(whole));
      const cleaned = await decant(['clean', '--dry-run', '--json', '--store', `${name}/store`], {
        cwd: space.folder,
        env: { TMPDIR: temporary },
      });
      expect({ code: cleaned.code, stderr: cleaned.stderr, moment }).toEqual({ code: 0, stderr: '', moment });
      const { bytes, kinds, kept } = JSON.parse(cleaned.stdout);
      expect({ bytes, kept: kept.checkpoints.bytes, code: cleaned.code }).toEqual({ bytes: 0, kept: 0, code: 0 });
      expect(Object.values(kinds).every((kind) => JSON.stringify(kind) === '{"files":0,"bytes":0}')).toBe(true);
      for (const part of ['work', 'locks', 'checkpoints']) {
        expect(readdirSync(space.path(name, 'store', part))).toEqual([]);
      }
      expect(readdirSync(temporary).filter((file) => file.startsWith('decant-'))).toEqual([]);
      expect(readdirSync(space.path(name, 'out')).filter((file) => /^\.|\.tmp$/.test(file))).toEqual([]);
      expect(existsSync(space.path(name, 'out/history'))).toBe(false);
    },
  );
});
