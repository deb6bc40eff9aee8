import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compareRuns, type DiffSide } from '../../reports/diff/compare.ts';
import { type Diff, type Finding, isClear } from '../../reports/diff/diff.ts';
import { loadSide } from '../../reports/diff/load.ts';
import { decant } from '../decant.ts';
import { lessAccurate, slower } from './harm.ts';

const bands = { latency: 0.05, quality: 0 };
const SLOWER = 1.2;
const LESS_ACCURATE = 0.015;

const findingsOf = (diff: Diff): readonly (readonly [stage: string, Finding])[] =>
  diff.stages.flatMap(({ id, findings }) => findings.map((finding) => [id, finding] as const));

const shown = ([id, { figure, difference, verdict }]: readonly [string, Finding]): string =>
  `${id} ${figure} ${difference.estimate.toFixed(3)} [${difference.low.toFixed(3)}, ${difference.high.toFixed(3)}] ${verdict}`;

/** Whether a diff calls one figure of a stage worse. */
const reported = (before: DiffSide, after: DiffSide, id: string, figure: Finding['figure']): boolean =>
  findingsOf(compareRuns({ before, after }, bands, null)).some(
    ([stage, finding]) => stage === id && finding.figure === figure && finding.verdict === 'worse',
  );

/**
 * False alarms and missed harm of decant diff: a pipeline is run once and its latencies are measured again so many times;
 * every measurement is compared with the first, as it is and with one stage made slower and less accurate.
 */
export const benchDiff = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pipeline: { type: 'string', default: 'pipeline.yaml' },
      out: { type: 'string', default: 'runs/bench-diff' },
      times: { type: 'string', default: '20' },
      stage: { type: 'string', default: 'int8' },
      store: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
    },
  });
  const { pipeline, out, stage } = values;
  const times = Number(values.times);
  const store = values.store === undefined ? [] : ['--store', values.store];
  const settings = values.set.flatMap((setting) => ['--set', setting]);
  const run = async (name: string, ...more: readonly string[]): Promise<DiffSide> => {
    await decant(['run', pipeline, '--plain', '--out', join(out, name), ...store, ...settings, ...more]);
    return await loadSide(join(out, name));
  };
  const first = await run('first');
  let [alarms, slow, poor] = [0, 0, 0];
  for (let i = 1; i <= times; i++) {
    const again = await run(`again-${i}`, '--remeasure');
    const clear = findingsOf(compareRuns({ before: first, after: again }, bands, null)).filter(([, one]) =>
      isClear(one),
    );
    alarms += clear.length;
    slow += Number(reported(first, slower(again, stage, SLOWER), stage, 'p50'));
    poor += Number(reported(first, lessAccurate(again, stage, LESS_ACCURATE), stage, 'accuracy'));
    console.log(`${i}: ${clear.length === 0 ? 'no difference' : clear.map(shown).join('; ')}`);
  }
  console.log(`false alarms: ${alarms} in ${times} re-measurements (bar: at most 1 in 20)`);
  console.log(`p50 of ${stage} raised by 20 %: reported in ${slow} of ${times} (bar: 19 of 20)`);
  console.log(`accuracy of ${stage} lowered by 1.5 points: reported in ${poor} of ${times} (bar: 19 of 20)`);
};
