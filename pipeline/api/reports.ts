import type { Comparison } from '../../reports/comparison/comparison.ts';
import type { Recipe } from '../../reports/comparison/recipe.ts';
import type { Diff } from '../../reports/diff/diff.ts';
import type { Gate } from '../../reports/gates/gate.ts';
import type { Report } from '../../reports/report.ts';
import type { CompareOptions, DiffFormat, DiffOptions, ReportFormat, TextOptions } from './types/pipelines.ts';

const WIDTH = 120;

/** A report in a format. */
export const reportIn = async (
  report: Report,
  format: ReportFormat,
  { columns = WIDTH, color = false }: TextOptions,
): Promise<string> => {
  switch (format) {
    case 'md':
      return (await import('../../reports/markdown.ts')).renderMarkdown(report);
    case 'html':
      return await (await import('../../reports/html/page.ts')).renderHtml(report);
    case 'json': {
      const { jsonForPeople } = await import('../../reports/text.ts');
      return jsonForPeople((await import('../../reports/schema/index.ts')).reportJson(report));
    }
    case 'csv':
      return (await import('../../reports/csv.ts')).renderCsv(report);
    case 'text':
      return (await import('../../reports/terminal.ts')).renderTable(report, { columns, color });
  }
};

/** Two reports compared: run folders, report.json files, or git:REVISION:PATH of one. */
export const compareReports = async (a: string, b: string, options: DiffOptions): Promise<Diff> => {
  const { loadSide } = await import('../../reports/diff/load.ts');
  const { compareRuns } = await import('../../reports/diff/compare.ts');
  const [before, after] = [await loadSide(a), await loadSide(b)];
  const { gates: file, latencyBand: latency = 0.05, qualityBand: quality = 0 } = options;
  let gates: readonly Gate[] | null = null;
  if (file !== undefined) gates = await (await import('../yaml/gate-file.ts')).gatesIn(file, [before, after]);
  return compareRuns({ before, after }, { latency, quality }, gates);
};

/** A comparison in a format. */
export const diffIn = async (
  diff: Diff,
  format: DiffFormat,
  { columns = WIDTH, color = false }: TextOptions,
): Promise<string> => {
  switch (format) {
    case 'md':
      return (await import('../../reports/diff/markdown.ts')).renderDiffMarkdown(diff);
    case 'html':
      return (await import('../../reports/diff/html.ts')).renderDiffHtml(diff);
    case 'json':
      return (await import('../../reports/text.ts')).jsonForPeople(diff);
    case 'text':
      return (await import('../../reports/diff/terminal.ts')).renderDiffText(diff, { columns, color });
  }
};

/** Finished runs side by side: run folders, folders of runs, or whatever else diff takes. */
export const compareRuns = async (paths: readonly string[], options: CompareOptions): Promise<Comparison> => {
  const { namedReports } = await import('../../reports/comparison/load.ts');
  const { loadRecipe } = await import('../../reports/comparison/recipe.ts');
  const { compareRecipes } = await import('../../reports/comparison/compare.ts');
  const recipes: Recipe[] = [];
  for (const { id, where } of await namedReports(paths)) recipes.push(await loadRecipe(id, where));
  const names = new Set(recipes.map(({ sides: [{ report }] }) => report.name));
  return compareRecipes(recipes, { ...options, name: [...names].join(', ') });
};

/** A comparison of recipes in a format. */
export const comparisonIn = async (
  comparison: Comparison,
  format: DiffFormat,
  { columns = WIDTH, color = false }: TextOptions,
): Promise<string> => {
  switch (format) {
    case 'md':
      return (await import('../../reports/comparison/markdown.ts')).renderComparisonMarkdown(comparison);
    case 'html':
      return (await import('../../reports/comparison/html.ts')).renderComparisonHtml(comparison);
    case 'json':
      return (await import('../../reports/text.ts')).jsonForPeople(comparison);
    case 'text':
      return (await import('../../reports/comparison/terminal.ts')).renderComparisonText(comparison, {
        columns,
        color,
      });
  }
};
