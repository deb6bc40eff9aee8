import { join } from 'node:path';
import { isUserError } from '../../ground/errors.ts';
import type { Comparison } from '../../reports/comparison/comparison.ts';
import { comparisonFile } from '../../reports/comparison/file.ts';
import type { Report } from '../../reports/report.ts';
import type { Catalogue } from '../catalogue.ts';
import { lineagesOf } from '../plan/members.ts';
import type { Plan } from '../plan/plan.ts';
import { writeWhole } from '../store/atomic.ts';
import { inStore, notBegun, type PlanRunOptions, type RunOptions, type RunResult, runPlan } from './run.ts';

/** A variant that came to its end. */
interface RanVariant {
  readonly id: string;
  readonly report: Report;
  /** Folder of its report, models and exported folders. */
  readonly out: string;
}

export interface VariantsResult {
  /** Those that came to their end. */
  readonly variants: readonly RanVariant[];
  /** The first that did not; null where all did. */
  readonly stopped: (RunResult & { readonly variant: string; readonly out: string }) | null;
  /** Null where fewer than two came to their end. */
  readonly comparison: Comparison | null;
}

const idOf = ({ variant }: Plan): string => variant ?? '';

/** What a step that failed comes from; undefined of a run that did not fail. */
const failedStep = (members: readonly Plan[], { end, seed }: RunResult, catalogue: Catalogue): string | undefined => {
  if (end.kind !== 'failed') return undefined;
  const member = members.find((one) => seed === null || one.seed === seed);
  return member === undefined ? undefined : lineagesOf(member, catalogue).get(end.step);
};

/** Whether a variant would fail as another one did: at a step that both have. */
const failsAlike = (members: readonly Plan[], failed: ReadonlySet<string>, catalogue: Catalogue): boolean =>
  members.some((member) => [...lineagesOf(member, catalogue).values()].some((lineage) => failed.has(lineage)));

/** Null where there is nothing to compare: where `--until` ended the runs before any model was judged. */
const comparable = (make: () => Comparison): Comparison | null => {
  try {
    return make();
  } catch (error) {
    if (isUserError(error, 'comparison')) return null;
    throw error;
  }
};

/** Sets the variants side by side that are done, as JSON, Markdown and a page beside their folders. */
const writeComparison = async (
  out: string,
  name: string,
  done: readonly RanVariant[],
  missing: readonly string[],
): Promise<Comparison | null> => {
  if (done.length < 2) return null;
  const { loadRecipe } = await import('../../reports/comparison/recipe.ts');
  const { compareRecipes } = await import('../../reports/comparison/compare.ts');
  const recipes = await Promise.all(
    done.map(async ({ id, out: folder }) => ({ ...(await loadRecipe(id, folder)), where: id })),
  );
  const comparison = comparable(() => compareRecipes(recipes, { name, missing }));
  if (comparison === null) return null;
  await writeWhole(join(out, comparisonFile), `${JSON.stringify(comparison, null, 2)}\n`);
  const { renderComparisonMarkdown } = await import('../../reports/comparison/markdown.ts');
  await writeWhole(join(out, 'comparison.md'), renderComparisonMarkdown(comparison));
  const { renderComparisonHtml } = await import('../../reports/comparison/html.ts');
  await writeWhole(join(out, 'comparison.html'), renderComparisonHtml(comparison));
  return comparison;
};

const runAll = async (plans: RunOptions['plans'], common: Omit<PlanRunOptions, 'plan'>): Promise<VariantsResult> => {
  const { out, catalogue } = common;
  const done: RanVariant[] = [];
  const failed = new Set<string>();
  let stopped: VariantsResult['stopped'] = null;
  for (const plan of plans) {
    const members = common.members.filter(({ variant }) => variant === plan.variant);
    if (failsAlike(members, failed, catalogue)) continue;
    const [variant, folder] = [idOf(plan), join(out, idOf(plan))];
    const result = await runPlan({ ...common, plan, out: folder });
    const { end, report } = result;
    if (end.kind === 'done' && report !== null) {
      done.push({ id: variant, report, out: folder });
      continue;
    }
    stopped ??= { ...result, variant, out: folder };
    if (end.kind === 'interrupted') return { variants: done, stopped, comparison: null };
    failed.add(failedStep(members, result, catalogue) ?? '');
  }
  const [first] = plans;
  const missing = (first.variants ?? []).filter((id) => !done.some((one) => one.id === id));
  return { variants: done, stopped, comparison: await writeComparison(out, first.name, done, missing) };
};

/**
 * Runs the variants of a file, each in a folder of its own: what several of them come to alike is made once. One that fails stops
 * those only that would fail alike. What they come to is set side by side above their folders.
 */
export const runVariants = async (options: RunOptions): Promise<VariantsResult> => {
  const [plan] = options.plans;
  const result = await inStore(options, (common) => runAll(options.plans, common));
  const notRun = { ...notBegun(plan), variant: idOf(plan), out: join(options.out, idOf(plan)) };
  return result ?? { variants: [], stopped: notRun, comparison: null };
};
