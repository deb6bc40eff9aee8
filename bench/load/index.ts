import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadReport } from '../../reports/load.ts';
import type { LatencyReport, Report } from '../../reports/report.ts';
import { decant } from '../decant.ts';
import { besideLoops } from './loops.ts';

/** A speed-up that is this far from the one of the idle machine is wrong. */
const MOST_DEVIATION = 0.15;
/** Measurements without loops: their median is what the others are held against. */
const IDLE = 3;

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const cellsOf = ({ stages }: Report, id: string): readonly LatencyReport[] => {
  const stage = stages.find((one) => one.id === id);
  if (stage === undefined) throw new Error(`the run has no stage ${id}; name one with --stage`);
  return stage.latency;
};

const loadOf = ({ measurement }: Report): string => {
  const { disturbed, waited } = measurement?.load ?? { disturbed: 0, waited: 0 };
  return `${(100 * disturbed).toFixed(0)} % of turns disturbed, ${(100 * waited).toFixed(0)} % of the time taken`;
};

const nameOf = ({ batch, length }: LatencyReport): string => `batch ${batch} x ${length}`;

/** How far a printed speed-up is from that of the idle machine; null for one that was withheld. */
const deviationOf = (idle: number, { speedup }: LatencyReport): number | null =>
  speedup === null ? null : speedup / idle - 1;

const shown = (cell: LatencyReport, deviation: number | null): string =>
  deviation === null
    ? `${nameOf(cell)} withheld`
    : `${nameOf(cell)} ${cell.speedup?.toFixed(2)} (${(100 * deviation).toFixed(1)} % off)`;

/** Speed-ups at every cell on the machine as it is. */
const idleSpeedups = async (run: (name: string) => Promise<Report>, stage: string): Promise<readonly number[]> => {
  const all: (readonly LatencyReport[])[] = [];
  for (let i = 1; i <= IDLE; i++) {
    const report = await run(`idle-${i}`);
    const cells = cellsOf(report, stage);
    all.push(cells);
    const found = cells.map((cell) => `${nameOf(cell)} ${cell.speedup?.toFixed(2) ?? 'withheld'}`);
    console.log(`as it is: ${found.join(', ')}; ${loadOf(report)}`);
  }
  return (all[0] ?? []).map((_, c) => middle(all.flatMap((cells) => cells[c]?.speedup ?? [])));
};

/**
 * Whether speed-ups hold on a busy machine: the latencies of a pipeline are measured on the machine as it is, then again
 * beside busy loops. Every speed-up that is printed must be near the idle one; one that is withheld is no figure.
 */
export const benchLoad = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pipeline: { type: 'string', default: 'pipeline.yaml' },
      out: { type: 'string', default: 'runs/bench-load' },
      times: { type: 'string', default: '10' },
      loops: { type: 'string', default: '2' },
      idle: { type: 'string' },
      stage: { type: 'string', default: 'int8' },
      store: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
    },
  });
  const { pipeline, out, stage } = values;
  const store = values.store === undefined ? [] : ['--store', values.store];
  const settings = values.set.flatMap((setting) => ['--set', setting]);
  const run = async (name: string): Promise<Report> => {
    await decant(['run', pipeline, '--plain', '--remeasure', '--out', join(out, name), ...store, ...settings]);
    return await loadReport(join(out, name));
  };
  const idle = values.idle?.split(',').map(Number) ?? (await idleSpeedups(run, stage));
  if (!idle.every((speedup) => speedup > 0)) {
    throw new Error(
      'the machine is busy as it is: run this on an idle one, or give its speed-ups: --idle 13.1,12.9,14.7',
    );
  }
  const count = Number(values.loops) * availableParallelism();
  let wrong = 0;
  for (let i = 1; i <= Number(values.times); i++) {
    const report = await besideLoops(count, () => run('busy'));
    const cells = cellsOf(report, stage);
    const deviations = cells.map((cell, c) => deviationOf(idle[c] ?? Number.NaN, cell));
    wrong += deviations.filter((one) => one !== null && !(Math.abs(one) <= MOST_DEVIATION)).length;
    const found = cells.map((cell, c) => shown(cell, deviations[c] ?? null));
    console.log(`beside ${count} loops: ${found.join(', ')}; ${loadOf(report)}`);
  }
  console.log(`printed speed-ups that are off by more than ${100 * MOST_DEVIATION} %: ${wrong} (bar: 0)`);
};
