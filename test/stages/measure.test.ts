import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Measurements, readMeasurements } from '../../data/measurements.ts';
import type { Model } from '../../models/model.ts';
import { cellsOf } from '../../reports/cells.ts';
import { latencyReport } from '../../reports/latency.ts';
import { foreseeGrid, gridFor } from '../../stages/measure/grid.ts';
import { measure } from '../../stages/measure/index.ts';
import { writeKernel, writeRuntimeAlone } from '../../stages/measure/kernel.ts';
import type { TimeOrder } from '../../stages/measure/orders.ts';
import { loadInProcess, timeInProcess } from '../../stages/measure/process.ts';
import { kernelSubject } from '../../stages/measure/subjects.ts';
import { warmUp } from '../../stages/measure/warm-up.ts';
import { smallEncoder } from '../models/support.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';
import { datasetArtifact, modelArtifact, runStage, smallDataset } from './training-rig.ts';

let space: Workspace;
beforeAll(() => {
  space = workspace();
});
afterAll(() => space[Symbol.dispose]());

const model = (): Model => smallEncoder({ labels: ['animal', 'motion', 'rest'] });

describe('the measurement of all models', () => {
  const config = {
    rounds: 3,
    processes: 2,
    loads: 1,
    batch: 4,
    grid: [12, 20].map((length) => ({ batch: 2, length })),
  };
  let found: Measurements;
  let files: readonly string[];

  beforeAll(async () => {
    const inputs = {
      dataset: await datasetArtifact(space, smallDataset()),
      teacher: await modelArtifact(space, 'teacher', model()),
      student: await modelArtifact(space, 'student', smallEncoder({ labels: model().info.labels, maxLength: 20 })),
    };
    const { output } = await runStage(space, measure, inputs, config, { name: 'out', kind: 'measurements' });
    files = readdirSync(space.path('out', 'measurements'));
    found = await readMeasurements(output.path);
  });

  it('times every model and the kernel in every round at every cell, but for texts that a model does not take', () => {
    expect(found.cells.slice(-3)).toEqual([
      { batch: 4, length: found.cells[0]?.length },
      { batch: 2, length: 12 },
      { batch: 2, length: 20 },
    ]);
    expect(Object.keys(found.models)).toEqual(['teacher', 'student']);
    for (const times of [...Object.values(found.models), found.kernel.times]) {
      const isShort = times === found.models.teacher;
      expect(times.map((rounds) => rounds.length)).toEqual(
        found.cells.map(({ length }) => (isShort && length === 20 ? 0 : 3)),
      );
      for (const { ms, waited } of times.flat()) {
        expect(ms.length).toBeGreaterThanOrEqual(2);
        expect(Math.min(...ms)).toBeGreaterThan(0);
        expect(waited).toBeGreaterThanOrEqual(0);
        expect(waited).toBeLessThanOrEqual(1);
      }
    }
  });

  it('is told of a model where it was timed, without a speed-up where the model before was not', () => {
    const [teacher, student] = ['teacher', 'student'].map((id) => latencyReport(found, id, 'teacher'));
    expect(teacher?.some(({ length }) => length === 20)).toBe(false);
    expect(student?.find(({ length }) => length === 20)).toMatchObject({ batch: 2, speedup: null });
    expect(cellsOf([teacher ?? [], student ?? []])).toHaveLength(found.cells.length);
  });

  it('shares the rounds out over fresh processes, each of which warms up', () => {
    expect(found.processes.map(({ rounds }) => rounds)).toEqual([1, 2]);
    for (const { warmUp: warm } of found.processes) {
      expect(Object.keys(warm)).toEqual(['teacher', 'student']);
      expect(warm.teacher?.every(({ runs }) => runs >= 6)).toBe(true);
    }
  });

  it('loads every model in a process of its own, and the runtime without one', () => {
    for (const { sessionMs, firstRunMs, peakBytes } of Object.values(found.loading)) {
      expect([sessionMs.length, firstRunMs.length, peakBytes.length]).toEqual([1, 1, 1]);
      expect(sessionMs[0]).toBeGreaterThan(0);
      expect(firstRunMs[0]).toBeGreaterThan(0);
      expect(peakBytes[0]).toBeGreaterThan(20e6);
    }
    expect(found.runtime.peakBytes[0]).toBeGreaterThan(20e6);
  });

  it('leaves nothing but the measurements', () => expect(files).toEqual(['measurements.json']));
});

describe('the grid', () => {
  const lengths = [3, 4, 5, 6, 20];

  it('has each cell once', () => {
    const named = [
      { batch: 8, length: 64 },
      { batch: 1, length: 5 },
      { batch: 8, length: 64 },
    ];
    expect(gridFor(lengths, 32, named)).toEqual([
      { batch: 1, length: 5 },
      { batch: 1, length: 6 },
      { batch: 32, length: 5 },
      { batch: 8, length: 64 },
    ]);
    expect(gridFor([7, 7], 1, [])).toEqual([{ batch: 1, length: 7 }]);
  });

  it('ends usual lengths where a model does', () => {
    expect(gridFor([13, 14, 40], 1, [{ batch: 1, length: 30 }], 12)).toEqual([
      { batch: 1, length: 12 },
      { batch: 1, length: 30 },
    ]);
  });

  it('says at planning which models it leaves out of long texts, and refuses what none takes', () => {
    const models = { dataset: undefined, teacher: { maxLength: 128 }, long: { maxLength: 512 } };
    const grid = [128, 512, 600].map((length) => ({ batch: 1, length }));
    expect(foreseeGrid({ grid }, { models, data: undefined, base: '.' })).toEqual({
      problems: [
        {
          path: ['grid', 2, 'length'],
          message: 'measure.grid asks for texts of 600 tokens, and "long" takes at most 512; name a length up to 512',
        },
      ],
      remarks: ['"teacher" takes at most 128 tokens, and is not measured at 512'],
    });
    const unknown = foreseeGrid({ grid }, { models: { ...models, other: {} }, data: undefined, base: '.' });
    expect(unknown.problems).toEqual([]);
  });

  it('refuses a length that a model has no positions for, and says which are possible', async () => {
    const inputs = {
      dataset: await datasetArtifact(space, smallDataset()),
      teacher: await modelArtifact(space, 'teacher', model()),
    };
    const { maxLength } = model().info;
    const grid = [{ batch: 1, length: maxLength + 1 }];
    await expect(runStage(space, measure, inputs, { grid }, { name: 'refused', kind: 'measurements' })).rejects.toThrow(
      `measure.grid asks for texts of ${maxLength + 1} tokens, and "teacher" takes at most ${maxLength}; name a length up to ${maxLength}`,
    );
  });
});

describe('measurements of another version', () => {
  it('are refused with what was found, what was expected and what to do', async () => {
    space.write('measurements.json', '{"schema":"decant.measurements/2"}');
    await expect(readMeasurements((file) => space.path(file))).rejects.toThrow(
      "measurements.json is of the schema 'decant.measurements/2'; expected 'decant.measurements/3': another version of decant measured; run the pipeline again",
    );
  });
});

describe('warming up', () => {
  const running = (times: (run: number) => number) => {
    let run = 0;
    return async (): Promise<number> => times(run++);
  };

  it('goes on while runs get quicker, and then ends', async () => {
    const { runs, settled } = await warmUp(running((run) => (run < 12 ? 100 - 8 * run : 10)));
    expect(settled).toBe(true);
    expect(runs).toBeGreaterThan(12);
  });

  it('ends at once where nothing gets quicker, after two windows of some runs and some time', async () => {
    expect(await warmUp(running(() => 50))).toEqual({ runs: 6, settled: true });
    expect(await warmUp(running(() => 0.5))).toEqual({ runs: 100, settled: true });
  });

  it('gives up on what never settles, and says so', async () => {
    const { runs, settled } = await warmUp(running((run) => 100 * 0.95 ** run));
    expect(settled).toBe(false);
    expect(runs).toBeLessThan(2000);
  });

  it('ends on a clock that stands still', async () => {
    expect((await warmUp(running(() => 0))).settled).toBe(true);
  });
});

/** The processes that measure for this one. */
const workers = (): readonly number[] =>
  spawnSync('pgrep', ['-P', `${process.pid}`, '-f', 'measure/worker'], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '')
    .map(Number);

describe('a process that measures', () => {
  const endless = async (): Promise<TimeOrder> => {
    const kernel = kernelSubject(await writeKernel(space.folder), [{ batch: 1, length: 1 }]);
    return { type: 'time', threads: 1, rounds: 1e6, subjects: [kernel] };
  };
  const never = new AbortController().signal;

  it('that is killed is an error that says what it was at, and what to do', async () => {
    const killed = timeInProcess(await endless(), {
      signal: never,
      onRound: (done) => {
        if (done === 1) for (const worker of workers()) process.kill(worker, 'SIGKILL');
      },
    });
    await expect(killed).rejects.toThrow(
      /^measuring round \d+ of 1000000 over all models: its process was killed by SIGKILL \(probably out of memory: free some, or measure a smaller batch \(measure\.batch, measure\.grid\)\); the stages are kept; run the same command again$/,
    );
  });

  it('names the model that ONNX Runtime refuses', async () => {
    const file = space.write('broken.onnx', 'no model');
    const broken = loadInProcess(
      { type: 'load', threads: 1, subject: { name: '"student"', file, feeds: {} } },
      { signal: never },
    );
    await expect(broken).rejects.toThrow(/^measuring "student": .*broken\.onnx/);
  });

  it('ends with the run that is interrupted', async () => {
    const abort = new AbortController();
    const interrupted = timeInProcess(await endless(), {
      signal: abort.signal,
      onRound: () => abort.abort(new Error('interrupted')),
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    expect(workers()).toEqual([]);
  });

  it('holds its own memory, not that of the one that started it', async () => {
    const held = Buffer.alloc(400e6, 1);
    const runtime = await writeRuntimeAlone(space.folder);
    const { peakBytes } = await loadInProcess(
      { type: 'load', threads: 1, subject: { ...runtime, name: 'nothing' } },
      { signal: never },
    );
    expect(held.length).toBe(400e6);
    expect(peakBytes).toBeLessThan(250e6);
    expect(existsSync(runtime.file)).toBe(true);
  });
});
