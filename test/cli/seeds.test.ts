import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../reports/report.ts';
import { decant, type Result, tinyCsv, tinyPipeline } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';

/** The tiny pipeline without distillation, for two seeds. */
const twoSeeds = tinyPipeline
  .replace('name: tiny', 'name: tiny\nseeds: [3, 5]')
  .replace(/ {2}- \{ id: (?:slim|student).*\n/g, '')
  .replace('epochs: 4', 'epochs: 1')
  .replace('fp32: student', 'fp32: teacher');

const space = workspace();
const run = (...args: readonly string[]): Promise<Result> => decant(args, { cwd: space.folder });
const reportIn = (folder = 'runs/tiny'): Report => JSON.parse(readFileSync(space.path(folder, 'report.json'), 'utf8'));
const shaOf = ({ stages }: Report, id: string): string | undefined =>
  stages.find((stage) => stage.id === id)?.model?.sha256;

const events = ({ stdout }: Result, what: string): readonly string[] =>
  [...stdout.matchAll(new RegExp(`^seed (\\d+) +(\\S+) +${what}`, 'gm'))].map(([, seed, step]) => `${seed} ${step}`);

describe('a pipeline of two seeds', () => {
  let cold: Result;
  beforeAll(async () => {
    space.write('tiny.csv', tinyCsv());
    space.write('pipeline.yaml', twoSeeds);
    cold = await run('run');
  });
  afterAll(() => space[Symbol.dispose]());

  it('runs what draws for each seed and the rest once', () => {
    expect([cold.code, cold.stderr]).toEqual([0, '']);
    const shared = ['dataset', 'baseline', 'encoder', 'encoder/evaluate'];
    expect(events(cold, 'done in').filter((event) => event.startsWith('3'))).toHaveLength(12);
    expect(events(cold, 'reused').slice(0, 4)).toEqual(shared.map((id) => `5 ${id}`));
    expect(events(cold, 'done in')).toContain('5 teacher');
    expect(cold.stdout).toContain(
      '\nSeeds 3, 5: mean ± standard deviation, worst (its seed). All else is of seed 3.\n',
    );
  });

  it('leaves a whole folder for each seed, and above them the first with what both say', () => {
    const [all, first, second] = [reportIn(), reportIn('runs/tiny/seed-3'), reportIn('runs/tiny/seed-5')];
    const { seeds, checksum, ...rest } = all;
    expect({ ...rest, checksum: first.checksum }).toEqual(first);
    expect(checksum).not.toBe(first.checksum);
    expect([first.seed, second.seed, second.seeds]).toEqual([3, 5, undefined]);
    expect(shaOf(first, 'encoder')).toBe(shaOf(second, 'encoder'));
    expect(shaOf(first, 'teacher')).not.toBe(shaOf(second, 'teacher'));
    const accuracies = [first, second].map(({ stages }) => stages.find(({ id }) => id === 'int8')?.quality?.score);
    const int8 = seeds?.stages.find(({ id }) => id === 'int8');
    expect(int8?.score?.values).toEqual(accuracies);
    expect(int8?.latency).toHaveLength(first.stages.find(({ id }) => id === 'int8')?.latency.length ?? 0);
    for (const folder of ['.', 'seed-3', 'seed-5']) {
      for (const file of [
        'report.md',
        'report.html',
        'models/teacher/model.onnx',
        'deploy/onnx/model_quantized.onnx',
      ]) {
        expect(existsSync(space.path('runs/tiny', folder, file))).toBe(true);
      }
    }
    const model = (folder: string): Buffer => readFileSync(space.path(folder, 'deploy/onnx/model.onnx'));
    expect(model('runs/tiny').equals(model('runs/tiny/seed-3'))).toBe(true);
    expect(model('runs/tiny').equals(model('runs/tiny/seed-5'))).toBe(false);
  });

  it('takes all from the cache the second time, and its report is rendered again from records', async () => {
    const warm = await run('run', '--json');
    expect(warm.code).toBe(0);
    expect(warm.stderr).not.toContain('started');
    const { seeds } = reportIn();
    expect({ ...JSON.parse(warm.stdout).seeds, seconds: seeds?.seconds }).toEqual(seeds);
    const again = await run('report', 'runs/tiny', '--format', 'json');
    expect(JSON.parse(again.stdout)).toEqual(reportIn());
    expect((await run('report', 'runs/tiny/seed-5')).stdout).not.toContain('Seeds 3, 5');
  });

  it('is planned seed by seed, what they share once', async () => {
    const { stdout } = await run('plan', '--set', 'stages.teacher.epochs=2', '--json');
    const steps: readonly { seed: number; step: string; state: string }[] = JSON.parse(stdout).steps;
    const of = (seed: number): readonly string[] => steps.filter((one) => one.seed === seed).map(({ step }) => step);
    expect(of(3)).toHaveLength(12);
    expect(of(3).filter((step) => !of(5).includes(step))).toEqual([
      'dataset',
      'baseline',
      'encoder',
      'encoder/evaluate',
    ]);
    expect(steps.filter(({ state }) => state === 'run').map(({ seed, step }) => `${seed} ${step}`)).toEqual([
      '3 teacher',
      '5 teacher',
    ]);
    expect((await run('validate')).stdout).toBe('pipeline.yaml is valid: "tiny", 5 stages, 12 steps, seeds 3, 5.\n');
  });

  it('says in which seed it was interrupted, and goes on from there; forces what seeds share once', async () => {
    const args = ['run', '--until', 'teacher', '--set', 'stages.teacher.epochs=12', '--out', 'stopped'];
    const stopped = await decant([...args, '--force', 'encoder', '--force', 'small'], {
      cwd: space.folder,
      onText: (text, child) => void (/^seed 5 +teacher +started/m.test(text) && child.kill('SIGINT')),
    });
    // What it said comes first: where it ended otherwise, that tells why.
    expect(stopped.stderr).toContain('Interrupted in "teacher" of seed 5.');
    expect(events(stopped, 'started: forced')).toEqual(['3 encoder', '3 small', '5 small']);
    expect([stopped.code, existsSync(space.path('stopped/report.json'))]).toEqual([130, false]);
    const resumed = await run(...args);
    expect(events(resumed, 'done in').filter((event) => !event.includes('measure'))).toEqual([
      '5 teacher',
      '5 teacher/evaluate',
    ]);
    expect(reportIn('stopped').seeds?.list).toEqual([3, 5]);
  });

  it('is a run of one seed when the command line says so', async () => {
    const { code, stdout } = await run('run', '--set', 'seed=5', '--until', 'teacher', '--out', 'one');
    expect([code, reportIn('one').seeds, reportIn('one').seed]).toEqual([0, undefined, 5]);
    expect(stdout).toMatch(/^teacher +reused/m);
  });

  it('is listed, reported and compared by its number, as a whole and seed by seed', async () => {
    const before = reportIn();
    const second = reportIn('runs/tiny/seed-5');
    expect((await run('run', '--until', 'small')).code).toBe(0);
    const rows: readonly { run: string; number: number; until: string | null }[] = JSON.parse(
      (await run('runs', '--json')).stdout,
    ).runs;
    const [newest, older] = rows.filter((row) => row.run.startsWith('runs/tiny'));
    expect([newest?.until, older?.until]).toEqual(['small', null]);
    const reported = async (where: string): Promise<Report> =>
      JSON.parse((await run('report', where, '--format', 'json')).stdout);
    expect(await reported(`runs/tiny@${older?.number}`)).toEqual(before);
    expect(await reported(`runs/tiny/seed-5@${older?.number}`)).toEqual(second);
    expect((await reported(`runs/tiny/seed-5@${newest?.number}`)).pipeline.until).toBe('small');
    const diff = await run('diff', `runs/tiny@${older?.number}`, 'runs/tiny', '--format', 'json');
    expect([diff.code, diff.stderr]).toEqual([0, '']);
    expect((await run('diff', `runs/tiny/seed-5@${older?.number}`, 'runs/tiny/seed-5')).code).toBe(0);
    expect((await run('report', 'runs/tiny/seed-5@9')).stderr).toMatch(
      /^runs\/tiny\/seed-5 has no report "9"; expected one of @\d+ \(.*\), @\d+ \(/,
    );
  });
});
