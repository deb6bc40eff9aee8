import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { findEngine } from '../engine/engines/index.ts';
import { isUserError } from '../ground/errors.ts';
import { nearby } from '../ground/near.ts';
import type { Catalogue } from './catalogue.ts';
import { stageOf } from './catalogue.ts';
import type { Diagnostic, Span } from './diagnostic.ts';
import { foreseeRun } from './foresee.ts';
import type { Plan, Step } from './plan/plan.ts';
import type { Located, Path } from './yaml/document.ts';
import { valueAt } from './yaml/values.ts';

/** The text of a configuration that names a path: problems with a file stand there. */
const spanOfFile = (located: Located, base: Path, config: unknown, folder: string, file: string): Span => {
  const find = (value: unknown, path: Path): Path | undefined => {
    if (typeof value === 'string') return resolve(folder, value) === file ? path : undefined;
    if (typeof value !== 'object' || value === null) return undefined;
    const entries = Object.entries(value).map(([key, item]) => find(item, [...path, key]));
    return entries.find((found) => found !== undefined);
  };
  return located.at(find(config, base) ?? [...base, 'uses']);
};

/** Outside files that a step reads and that are not there. */
const checkSources = async (
  step: Step,
  base: Path,
  plan: Plan,
  located: Located,
  catalogue: Catalogue,
): Promise<readonly Diagnostic[]> => {
  const at = (span: Span, message: string): Diagnostic => ({ code: 'missing-file', message, span, hints: [] });
  try {
    const files = (await stageOf(catalogue, step.uses)?.sources?.(step.config, plan.base)) ?? [];
    const problems = files.map(async (file) => {
      const exists = await access(file).then(
        () => true,
        () => false,
      );
      return exists
        ? []
        : [at(spanOfFile(located, base, step.config, plan.base, file), `there is no file ${file}${nearby(file)}`)];
    });
    return (await Promise.all(problems)).flat();
  } catch (error) {
    // A stage that cannot even name its sources (a package that is not installed) says why.
    if (!isUserError(error)) throw error;
    return [at(located.at([...base, step.id === plan.dataset ? 'uses' : 'model']), error.message)];
  }
};

/** An engine, and where the file names it. */
interface Named {
  readonly engine: string;
  readonly path: Path;
}

/** Those that stages run on. */
const ofStages = ({ steps, stages }: Plan, located: Located): readonly Named[] =>
  [...new Set(steps.flatMap(({ engine }) => (typeof engine === 'string' ? [engine] : [])))].map((engine) => {
    const paths = stages.map((_, index) => ['stages', index, 'engine']);
    return { engine, path: paths.find((one) => valueAt(located.value, one) === engine) ?? ['engine'] };
  });

/** Those that sections of the file list. */
const ofSections = ({ steps }: Plan, catalogue: Catalogue): readonly Named[] =>
  steps.flatMap(({ uses, config }) => {
    const stage = stageOf(catalogue, uses);
    const section = stage?.automatic?.section?.name;
    if (section === undefined) return [];
    return (stage?.engines?.(config) ?? []).map((engine, i) => ({ engine, path: [section, 'engines', i] }));
  });

/** Engines that the file names and that are not there, where it names them. */
const checkEngines = async (plan: Plan, located: Located, catalogue: Catalogue): Promise<readonly Diagnostic[]> => {
  const asked = [...ofStages(plan, located), ...ofSections(plan, catalogue)];
  const problems = asked.map(async ({ engine, path }): Promise<readonly Diagnostic[]> => {
    const found = await findEngine(engine);
    if (!('missing' in found)) return [];
    const hints = found.install === undefined ? [] : [found.install];
    const message = `the engine "${engine}" is not there: ${found.missing}`;
    return [{ code: 'no-engine', message, span: located.at(path), hints }];
  });
  return (await Promise.all(problems)).flat();
};

/** Problems with what a plan reads: files, data, models and engines that are not there, or that no stage can use. */
export const looksOutside = async (
  plan: Plan,
  located: Located,
  catalogue: Catalogue,
  remark: (text: string) => void,
): Promise<readonly Diagnostic[]> => {
  const dataset = plan.steps.find(({ id }) => id === plan.dataset);
  const data = dataset === undefined ? [] : await checkSources(dataset, ['data'], plan, located, catalogue);
  const checks = dataset === undefined || data.length > 0 ? [] : await catalogue.checkData(dataset.config, plan.base);
  const stages = await Promise.all(
    plan.stages.map(async ({ id }, index) => {
      const step = plan.steps.find((candidate) => candidate.id === id);
      return { id, problems: step && (await checkSources(step, ['stages', index], plan, located, catalogue)) };
    }),
  );
  const broken = new Set(stages.flatMap(({ id, problems = [] }) => (problems.length === 0 ? [] : [id])));
  const ahead =
    data.length + checks.length > 0 ? { problems: [], remarks: [] } : await foreseeRun(plan, catalogue, broken);
  for (const text of ahead.remarks) remark(text);
  const foreseen = ahead.problems.map(({ path, message, code = 'cannot-run' }) => ({
    ...{ code, message, hints: [] },
    span: located.at(path),
  }));
  const problems = checks.map(({ path, message }) => ({
    code: 'bad-data',
    message,
    span: located.at(['data', ...path]),
    hints: [],
  }));
  const engines = await checkEngines(plan, located, catalogue);
  return [...data, ...engines, ...problems, ...stages.flatMap((stage) => stage.problems ?? []), ...foreseen];
};
