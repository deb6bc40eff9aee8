import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stream } from '../../data/random.ts';
import { acquire } from '../../pipeline/store/locks.ts';
import type { Report } from '../../reports/report.ts';
import { decant, type Result, tinyCsv, tinyPipeline } from '../rig/cli.ts';
import { isLate } from '../rig/effort.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const pipelineIn = (space: Workspace): void => {
  space.write('tiny.csv', tinyCsv());
  space.write('pipeline.yaml', tinyPipeline);
};

const reportIn = (space: Workspace, out = 'runs/tiny'): Report =>
  JSON.parse(readFileSync(space.path(out, 'report.json'), 'utf8'));

const shaOfModels = (report: Report): Record<string, string | undefined> =>
  Object.fromEntries(report.stages.map(({ id, model }) => [id, model?.sha256]));

const finished = ({ stdout }: Result): readonly string[] =>
  [...stdout.matchAll(/^(\S+) +done in/gm)].map(([, step]) => step ?? '');

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const sha = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

const stages = ['encoder', 'small', 'teacher', 'slim', 'student', 'int8', 'deploy'];
const STEPS = 17;

describe('decant run', () => {
  const space = workspace();
  const run = (...args: readonly string[]): Promise<Result> => decant(['run', ...args], { cwd: space.folder });
  let cold: Result;

  beforeAll(async () => {
    pipelineIn(space);
    cold = await run();
  });
  afterAll(() => space[Symbol.dispose]());

  it('ends with a table of all stages and leaves report, log, models and the exported folder', () => {
    expect(cold.stderr).toBe('');
    expect(cold.code).toBe(0);
    expect(finished(cold).length).toBe(STEPS);
    const report = reportIn(space);
    expect(report.stages.map(({ id }) => id)).toEqual(stages);
    for (const id of stages) expect(cold.stdout).toMatch(new RegExp(`^${id} `, 'm'));
    for (const { id, model } of report.stages.filter((stage) => stage.model !== null)) {
      expect(existsSync(space.path('runs/tiny/models', id, 'model.onnx'))).toBe(true);
      expect(model?.bytes).toBe(statSync(space.path('runs/tiny/models', id, 'model.onnx')).size);
    }
    expect(existsSync(space.path('runs/tiny/deploy/onnx/model_quantized.onnx'))).toBe(true);
    const log = readFileSync(space.path('runs/tiny/events.jsonl'), 'utf8').trim().split('\n');
    expect(log.map((line) => JSON.parse(line).type)).toContain('run-finished');
  });

  it('reuses everything when it is run again, says so, and lets the report stand', async () => {
    const written = () =>
      ['json', 'md', 'html'].map((kind) => readFileSync(space.path(`runs/tiny/report.${kind}`), 'utf8'));
    const before = written();
    const warm = await run();
    expect(warm.code).toBe(0);
    expect(warm.stdout.match(/ reused, took /g)?.length).toBe(STEPS);
    expect(isLate(warm.seconds, 10)).toBe(false);
    expect(written()).toEqual(before);
    const { stages: printed, seconds }: Report = JSON.parse((await run('--json')).stdout);
    expect(printed.every(({ cached }) => cached)).toBe(true);
    expect(seconds).toBeLessThan(reportIn(space).seconds);
    expect(written()).toEqual(before);
  });

  it('makes a report again that was changed or lost, from what is reused', async () => {
    const before = reportIn(space);
    writeFileSync(space.path('runs/tiny/report.json'), '{}');
    rmSync(space.path('runs/tiny/report.html'));
    expect((await run()).code).toBe(0);
    const after = reportIn(space);
    expect(existsSync(space.path('runs/tiny/report.html'))).toBe(true);
    expect(after.stages.every(({ cached }) => cached)).toBe(true);
    expect(after.stages.map(({ latency }) => latency)).toEqual(before.stages.map(({ latency }) => latency));
  });

  it('holds the report against the gates of the file, and exits 3 when one fails', async () => {
    const gates = 'gates={ int8: { bytes: { max: 1kB }, accuracy: { maxDrop: 50pt, versus: baseline } } }';
    const failed = await run('--set', gates, '--out', 'gated');
    expect(failed.code).toBe(3);
    expect(failed.stdout).toContain('failed: int8 bytes: at most 1.0 kB; found ');
    expect(failed.stdout.replace(/\n/g, ' ')).toContain('(there is no baseline in a run: decant diff has one)');
    expect(failed.stderr).toBe('\nGates: 1 failed, 1 undecided.\n');
    expect(reportIn(space, 'gated').gates.map(({ outcome }) => outcome)).toEqual(['undecided', 'failed']);
    for (const file of ['report.md', 'report.html']) {
      expect(readFileSync(space.path('gated', file), 'utf8')).toContain('Gates');
    }
    const again = await decant(['diff', 'gated', 'gated'], { cwd: space.folder });
    expect(again.code).toBe(3);
    expect(again.stdout).toContain('passed: int8 accuracy: at most 50.0 points below baseline; found +0.0');
  });

  it('takes an undecided gate for a failed one only with --strict', async () => {
    const gates = ['--set', 'gates={ int8: { bytes: { maxRatio: 1, versus: baseline } } }', '--out', 'gated'];
    expect((await run(...gates)).code).toBe(0);
    expect((await run(...gates, '--strict')).code).toBe(3);
  });

  it('makes models with equal sha256 in another store', async () => {
    const again = await run('--store', 'store2', '--out', 'out2');
    expect(finished(again).length).toBe(STEPS);
    expect(shaOfModels(reportIn(space, 'out2'))).toEqual(shaOfModels(reportIn(space)));
  });

  it('notices a flipped byte in a stored model and makes it again', async () => {
    const before = shaOfModels(reportIn(space));
    const blob = filesBelow(space.path('.decant/store/blobs')).find((file) => sha(file) === before.student);
    const bytes = readFileSync(blob ?? '');
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    chmodSync(blob ?? '', 0o644);
    writeFileSync(blob ?? '', bytes);
    const repaired = await run();
    expect(repaired.stdout).toContain('damaged in the store: model/model.onnx; it is made again');
    expect(finished(repaired)).toEqual(['student']);
    expect(shaOfModels(reportIn(space))).toEqual(before);
    expect(sha(space.path('runs/tiny/models/student/model.onnx'))).toBe(before.student);
  });

  it('prints one document to standard output with --json, and progress to standard error', async () => {
    const { stdout, stderr, code } = await run('--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).schema).toBe('decant.report/1');
    expect(stderr).toContain('reused');
  });

  it('runs no further than --until, and only what --set changed', async () => {
    const { stdout, code } = await run('--until', 'teacher', '--set', 'stages.teacher.epochs=1', '--out', 'out3');
    expect(code).toBe(0);
    expect(stdout).toContain('started: config.epochs 4 -> 1');
    expect(reportIn(space, 'out3').stages.map(({ id }) => id)).toEqual(['encoder', 'small', 'teacher']);
  });

  it('measures again with --remeasure and runs a stage again with --force', async () => {
    const { stdout } = await run('--remeasure', '--force', 'slim');
    expect(stdout).toMatch(/^slim +started: forced/m);
    expect([...stdout.matchAll(/^(\S+) +done in/gm)].map(([, step]) => step)).toEqual(['baseline', 'slim', 'measure']);
  });

  it('says where the time of every model goes, from records that say so again', async () => {
    const { stdout, code } = await run('--until', 'small', '--set', 'measure.profile=true', '--out', 'out5');
    expect(code).toBe(0);
    expect(finished({ ...cold, stdout })).toContain('profile');
    const { stages: profiled } = reportIn(space, 'out5');
    // Other work may have had the processor meanwhile: then no times are told.
    for (const { time, undecided } of profiled) {
      expect(undecided ? ['LayerNormalization'] : time?.operators.map(({ op }) => op)).toContain('LayerNormalization');
    }
    const again = await decant(['report', 'out5', '--format', 'json'], { cwd: space.folder });
    const { stages: rendered }: Report = JSON.parse(again.stdout);
    expect(rendered.map(({ time, causes }) => ({ time, causes }))).toEqual(
      profiled.map(({ time, causes }) => ({ time, causes })),
    );
  });

  it('plans without running: what is cached, what runs and why', async () => {
    const { stdout, code } = await decant(['plan', '--set', 'stages.student.epochs=3'], { cwd: space.folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^teacher +cached \(took /m);
    expect(stdout).toMatch(/^student +runs: config\.epochs 2 -> 3 \(about /m);
    expect(stdout).toMatch(/^int8 +runs unless its input stays the same: input from student/m);
  });

  it('predicts from a model folder and from the exported one', async () => {
    const texts = ['the cat eats bread today', 'my horse runs away at night'];
    const stage = await decant(['predict', 'runs/tiny/models/student', ...texts, '--json'], { cwd: space.folder });
    const classes = JSON.parse(stage.stdout).map((prediction: { label: string }) => prediction.label);
    expect(classes.length).toBe(2);
    const deploy = await decant(['predict', 'runs/tiny/deploy', '--top', '3'], {
      cwd: space.folder,
      input: `${texts.join('\n')}\n`,
    });
    expect(deploy.code).toBe(0);
    expect(deploy.stdout.match(/ %$/gm)?.length).toBe(6);
  });

  it('inspects a model', async () => {
    const { stdout, code } = await decant(['inspect', 'runs/tiny/models/slim', '--length', '16', '--json'], {
      cwd: space.folder,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).anatomy.layers.map(({ ffn }: { ffn: number }) => ffn)).toEqual([16, 16]);
  });

  it('reports what was finished when a later stage fails', async () => {
    const { code, stderr } = await run('--set', 'stages.int8.exclude=[no.such.weight]', '--out', 'out4');
    expect(code).toBe(1);
    expect(stderr).toContain('Stage "int8" failed: ');
    const finishedStages = reportIn(space, 'out4').stages.map(({ id }) => id);
    expect(finishedStages).toEqual(['encoder', 'small', 'teacher', 'slim', 'student']);
  });

  it('says what to mend, and nothing of what was finished, when nothing was', async () => {
    // More than is looked at before a run.
    space.write('open.csv', `${tinyCsv()}${'words,food\n'.repeat(100_000)}"never closed,food\n`);
    const { code, stderr } = await run('--set', 'data.file=open.csv', '--out', 'out5');
    expect([code, stderr]).toEqual([
      1,
      `
Stage "dataset" failed: open.csv:100482: a quote in this row never closes; close it, or write "" for a quote inside a field; if quotes are plain characters in this file (100482 rows of 2 fields), write quote: none
Run the same command again once that is mended.
`,
    ]);
  });

  it('goes on without its log when that can no longer be written, and says what is in the way of a report', async () => {
    const log = space.path('out6', 'events.jsonl');
    const args = ['run', '--out', 'out6', '--until', 'small'];
    const broken = await decant(args, {
      cwd: space.folder,
      onText: () => {
        if (statSync(log).isDirectory()) return;
        rmSync(log);
        mkdirSync(log);
      },
    });
    expect([broken.code, broken.stderr, statSync(log).isDirectory()]).toEqual([0, '', true]);
    rmSync(log, { recursive: true });
    rmSync(space.path('out6/report.md'));
    mkdirSync(space.path('out6/report.md'));
    const { code, stderr } = await decant(args, { cwd: space.folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^a file cannot be written or read \(EISDIR.*\): a folder is in the way, or name another/);
  });

  it('leaves whole results when two runs end in one folder: one waits for the other', async () => {
    mkdirSync(space.path('both'));
    const release = await acquire(space.path('both'), '.results', new AbortController().signal, () => undefined);
    const waiting = run('--out', 'both', '--until', 'small');
    await new Promise((done) => setTimeout(done, 2500));
    expect(readdirSync(space.path('both'))).not.toContain('report.json');
    await release();
    expect(await waiting).toMatchObject({ code: 0, stderr: '' });
    expect(reportIn(space, 'both').stages.map(({ id }) => id)).toEqual(['encoder', 'small']);
    expect(readdirSync(space.path('both')).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('does the work once when two runs share a store', async () => {
    rmSync(space.path('shared'), { recursive: true, force: true });
    const args = ['--store', 'shared', '--until', 'teacher'];
    const [one, two] = await Promise.all([run(...args, '--out', 'a'), run(...args, '--out', 'b')]);
    expect([one.stderr, two.stderr]).toEqual(['', '']);
    const steps = [...finished(one), ...finished(two)];
    expect(new Set(steps).size).toBe(steps.length);
    expect(`${one.stdout}${two.stdout}`).toContain('waits for another run that is working on it');
    expect(shaOfModels(reportIn(space, 'a'))).toEqual(shaOfModels(reportIn(space, 'b')));
  });

  it('saves on Ctrl-C, exits 130 within three seconds and goes on from there', async () => {
    const args = ['--until', 'teacher', '--set', 'stages.teacher.epochs=16', '--out', 'stopped-out'];
    let interrupted = 0;
    const stopped = await decant(['run', ...args], {
      cwd: space.folder,
      onText: (text, child) => {
        if (!/^teacher +started/m.test(text)) return;
        setTimeout(() => {
          interrupted = performance.now();
          child.kill('SIGINT');
        }, 800);
      },
    });
    const took = performance.now() - interrupted;
    expect(isLate(took / 1000, 3)).toBe(false);
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain('run the same command again to go on from there');
    const resumed = await run(...args);
    expect(resumed.code).toBe(0);
    expect(finished(resumed)[0]).toBe('teacher');
    const whole = await run(...args.with(-1, 'whole-out'), '--force', 'teacher');
    expect([whole.code, finished(whole)[0]]).toEqual([0, 'teacher']);
    expect(shaOfModels(reportIn(space, 'stopped-out'))).toEqual(shaOfModels(reportIn(space, 'whole-out')));
  });

  it('ends with the same bytes however often it is killed', async () => {
    const args = ['run', '--store', 'killed', '--out', 'killed-out'];
    const random = stream(7, 'kills');
    const kills = 8;
    for (let i = 0; i < kills; i++) {
      // Every other kill waits for a training stage.
      const trigger = i % 2 === 0 ? /^(teacher|student) +started/m : /./;
      let armed = false;
      const { code } = await decant(args, {
        cwd: space.folder,
        onText: (text, child) => {
          if (armed || !trigger.test(text)) return;
          armed = true;
          setTimeout(() => child.kill('SIGKILL'), random.integer(1200));
        },
      });
      if (code === 0) break;
    }
    const { code } = await decant(args, { cwd: space.folder });
    expect(code).toBe(0);
    expect(shaOfModels(reportIn(space, 'killed-out'))).toEqual(shaOfModels(reportIn(space)));
  }, 600_000);
});
