import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { duration } from '../../pipeline/view/text.ts';
import type { Report, StageReport } from '../../reports/report.ts';
import { decant } from '../decant.ts';
import { type RowSet, rowSets } from './sets.ts';

const SIZES = [300, 1200, 5000, 20000, 100000];

const scoreOf = (score: number | null | undefined): string => (score == null ? '' : (100 * score).toFixed(1));

const scoreIn = ({ stages }: Report, id: string): StageReport['quality'] | undefined =>
  stages.find((stage) => stage.id === id)?.quality;

/** What init chose for a stage: updates or epochs, and how many were made of them. */
const lengthOf = (yaml: string, { stages }: Report, id: string): string => {
  const [stage] = parse(yaml).stages.filter((one: { readonly id: string }) => one.id === id);
  const asked =
    stage.steps === undefined ? `${stage.epochs} epochs` : `${stage.steps} updates, patience ${stage.patience}`;
  const made = stages.find((one) => one.id === id)?.training?.steps;
  return `${asked} (${made ?? '?'})`;
};

const benchSet = async (set: RowSet, rows: readonly string[], size: number, folder: string): Promise<void> => {
  const [data, file, out] = [join(folder, `rows.${set.ending}`), join(folder, 'first.yaml'), join(folder, 'out')];
  await writeFile(data, set.header + rows.slice(0, size).join(''));
  await decant(['init', '--data', data, '--out', file, '--overwrite']);
  const started = performance.now();
  await decant(['run', file, '--plain', '--out', out, '--store', join(folder, 'store')]);
  const seconds = (performance.now() - started) / 1000;
  const report: Report = JSON.parse(await readFile(join(out, 'report.json'), 'utf8'));
  const yaml = await readFile(file, 'utf8');
  const best = Object.values(report.data.baselines ?? {}).map(({ score }) => score ?? 0);
  const cells = [
    set.name,
    Math.min(size, rows.length).toLocaleString('en'),
    lengthOf(yaml, report, 'teacher'),
    lengthOf(yaml, report, 'student'),
    scoreOf(Math.max(...best)),
    scoreOf(scoreIn(report, 'teacher')?.score),
    scoreOf(scoreIn(report, 'int8')?.score),
    duration(seconds),
  ];
  console.log(`| ${cells.join(' | ')} |`);
};

/** What init's defaults come to on sets of several sizes. npm run bench -- first [--set NAME] [--rows N]... */
export const benchFirst = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: { set: { type: 'string', multiple: true }, rows: { type: 'string', multiple: true } },
  });
  console.log('| set | rows | teacher (updates made) | student | best baseline | teacher | int8 | run |');
  console.log('|---|---:|---|---|---:|---:|---:|---:|');
  for (const set of rowSets.filter(({ name }) => values.set?.includes(name) ?? true)) {
    const rows = await set.rows();
    for (const size of values.rows?.map(Number) ?? SIZES) {
      const folder = await mkdtemp(join(tmpdir(), 'decant-first-'));
      try {
        await benchSet(set, rows, size, folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
      if (size >= rows.length) break;
    }
  }
};
