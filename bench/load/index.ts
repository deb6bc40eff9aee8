import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadReport } from '../../reports/load.ts';
import type { LatencyReport, Report } from '../../reports/report.ts';
import { decant } from '../decant.ts';
import { besideLoops } from './loops.ts';

/** A speed-up that is this far from the one of the quiet machine is wrong. */
const MOST_DEVIATION = 0.15;
/** Measurements without loops: their median is what the others are held against. */
const QUIET = 3;

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const cellsOf = ({ stages }: Report, id: string): readonly LatencyReport[] =>
  stages.find((stage) => stage.id === id)?.latency ?? [];

const loadOf = ({ measurement }: Report): string => {
  const load = measurement?.load;
  return load == null
    ? ''
    : `${(100 * load.disturbed).toFixed(0)} % of turns disturbed, ${(100 * load.waited).toFixed(0)} % of the time taken`;
};

interface Deviation {
  readonly text: string;
  readonly wrong: boolean;
}

const deviationOf = (quiet: number, { speedup, batch, length }: LatencyReport): Deviation => {
  const at = `batch ${batch} x ${length}`;
  if (speedup === null) return { text: `${at} withheld`, wrong: false };
  const deviation = speedup / quiet - 1;
  const signed = `${deviation < 0 ? '' : '+'}${(100 * deviation).toFixed(1)} %`;
  return { text: `${at} ${speedup.toFixed(2)} (${signed})`, wrong: !(Math.abs(deviation) <= MOST_DEVIATION) };
};

/** Speed-ups of a stage at every cell on the machine as it is: the median of some measurements; all have to be there. */
const quietOf = (reports: readonly Report[], id: string): readonly number[] =>
  cellsOf(reports[0] ?? ({ stages: [] } as never), id).map((_, c) => {
    const all = reports.flatMap((report) => cellsOf(report, id)[c]?.speedup ?? []);
    return middle(all);
  });

/**
 * Whether speed-ups hold on a busy machine: a pipeline is run once, its latencies are measured on the machine as it is,
 * then again beside busy loops. Every figure that is printed must be near the quiet one; a withheld one is none.
 */
export const benchLoad = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pipeline: { type: 'string', default: 'pipeline.yaml' },
      out: { type: 'string', default: 'runs/bench-load' },
      times: { type: 'string', default: '10' },
      loops: { type: 'string', default: '2' },
      quiet: { type: 'string' },
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
  const given = values.quiet?.split(',').map(Number);
  const still: Report[] = [];
  for (let i = 1; given === undefined && i <= QUIET; i++) {
    const report = await run(`quiet-${i}`);
    still.push(report);
    const found = cellsOf(report, stage).map(({ speedup }) => speedup?.toFixed(2) ?? 'withheld');
    console.log(`as it is: ${found.join(', ')}; ${loadOf(report)}`);
  }
  const quiet = given ?? quietOf(still, stage);
  if (!quiet.every((speedup) => speedup > 0)) {
    throw new Error('the machine is too busy as it is: run this on an idle one, or give its speed-ups with --quiet');
  }
  const count = Number(values.loops) * availableParallelism();
  let wrong = 0;
  for (let i = 1; i <= Number(values.times); i++) {
    const report = await besideLoops(count, () => run('busy'));
    const found = cellsOf(report, stage).map((cell, c) => deviationOf(quiet[c] ?? Number.NaN, cell));
    wrong += found.filter((one) => one.wrong).length;
    console.log(`beside ${count} loops: ${found.map(({ text }) => text).join(', ')}; ${loadOf(report)}`);
  }
  console.log(`speed-ups that were printed and off by more than ${100 * MOST_DEVIATION} %: ${wrong} (bar: 0)`);
};
