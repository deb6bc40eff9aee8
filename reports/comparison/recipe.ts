import { join } from 'node:path';
import type { Metric } from '../../ground/metrics/index.ts';
import { figureOf } from '../../ground/metrics/metric.ts';
import type { DiffSide } from '../diff/compare.ts';
import { loadSide } from '../diff/load.ts';
import { reportFolder } from '../history.ts';
import { qualityReport } from '../quality.ts';
import type { StageReport } from '../report.ts';
import { seedFolder } from '../seed-folder.ts';

/** One recipe: its runs, a seed each. */
export interface Recipe {
  readonly id: string;
  readonly where: string;
  readonly sides: readonly [DiffSide, ...DiffSide[]];
}

/** The stage of an id in each of its runs; none where one lacks it. */
export const stagesOf = ({ sides }: Recipe, id: string): readonly StageReport[] => {
  const stages = sides.flatMap(({ report }) => report.stages.filter((stage) => stage.id === id));
  return stages.length === sides.length ? stages : [];
};

/** A run as if it had been judged by its validation texts. */
const onValidation = (side: DiffSide): DiffSide => {
  const { report, validation = { scores: new Map(), examples: null } } = side;
  const stages = report.stages.map((stage) => {
    const judged = validation.scores.get(stage.id);
    return { ...stage, quality: judged == null ? null : qualityReport(judged, report.data.classes) };
  });
  return { ...side, ...validation, report: { ...report, stages } };
};

/** A recipe as if its runs had been judged by their validation texts. */
export const byValidation = ({ sides: [first, ...others], ...recipe }: Recipe): Recipe => ({
  ...recipe,
  sides: [onValidation(first), ...others.map(onValidation)],
});

/** A metric of a stage over the validation texts, a seed each; none where one of them was not asked. */
export const validated = ({ sides }: Recipe, stage: string, metric: Metric): readonly number[] => {
  const judged = sides.flatMap(({ validation }) => validation?.scores.get(stage)?.judged ?? []);
  return judged.length < sides.length ? [] : judged.map((one) => figureOf(metric, one));
};

/** The recipe that a report is of: the folder of a run, with those of its seeds, or whatever else diff takes. */
export const loadRecipe = async (id: string, where: string): Promise<Recipe> => {
  const first = await loadSide(where);
  const [one, ...others] = first.scores.size === 0 ? [] : (first.report.seeds?.list ?? []);
  if (one === undefined) return { id, where, sides: [first] };
  const folder = await reportFolder(where);
  const at = (seed: number): Promise<DiffSide> => loadSide(join(folder, seedFolder(seed)));
  const sides: [DiffSide, ...DiffSide[]] = [await at(one)];
  for (const seed of others) sides.push(await at(seed));
  return { id, where, sides };
};
