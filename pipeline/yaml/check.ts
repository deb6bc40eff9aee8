import { defaultEngine } from '../../engine/engines/index.ts';
import { isRecord } from '../../ground/records.ts';
import type { DatasetTask } from '../../ground/tasks.ts';
import type { Gate } from '../../reports/gates/gate.ts';
import type { AnyStage, Sections } from '../../stages/stage.ts';
import type { Catalogue } from '../catalogue.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { isReserved, type LogKind } from '../plan/plan.ts';
import type { Located } from './document.ts';
import { checkGates } from './gates.ts';
import { engineName, headSchema, sectionsOf } from './head.ts';
import { ID_PATTERN, ID_WORDS } from './id.ts';
import { fromZodError, type IssueContext, unknownName } from './issues.ts';
import { nameHints } from './suggest.ts';
import { describeValue } from './values.ts';

/** One item of `stages` as far as it makes sense. */
export interface CheckedStage {
  readonly index: number;
  readonly id: string;
  readonly stage: AnyStage;
  readonly from: unknown;
  /** The engine that it names, or the file's. */
  readonly engine: string;
  /** The options besides id, uses, from and engine; undefined when they are wrong. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
}

export interface Checked {
  readonly name: string;
  /** One, or those of `seeds`. */
  readonly seeds: readonly [number, ...number[]];
  readonly data: Readonly<Record<string, unknown>> | undefined;
  /** What it is for, where that is known. */
  readonly task: DatasetTask | undefined;
  /** The data and every other section that says how automatic steps run; those that are wrong are not there. */
  readonly sections: Sections;
  readonly stages: readonly CheckedStage[];
  readonly gates: readonly Gate[];
  readonly log?: LogKind;
  readonly problems: readonly Diagnostic[];
}

const checkId = (
  id: unknown,
  index: number,
  ids: readonly unknown[],
  located: Located,
  catalogue: Catalogue,
): readonly Diagnostic[] => {
  const path = ['stages', index, 'id'];
  const owner = `stage ${index + 1}`;
  if (id === undefined) {
    const hints = ['expected a name, for example "teacher"'];
    return [{ code: 'missing-key', message: `${owner} has no "id"`, span: located.at(path.slice(0, -1)), hints }];
  }
  const problem = (code: string, message: string): readonly Diagnostic[] => [
    { code, message, span: located.at(path), hints: [] },
  ];
  if (typeof id !== 'string') return problem('wrong-type', `id is ${describeValue(id)}; expected a text`);
  if (!ID_PATTERN.test(id)) return problem('bad-text', `id is ${describeValue(id)}; expected ${ID_WORDS}`);
  if (isReserved(id, catalogue))
    return problem('reserved-id', `"${id}" names something else in every run; choose another id`);
  const first = ids.indexOf(id);
  if (first < index)
    return problem('duplicate-id', `the id "${id}" is taken by stage ${first + 1}; every stage needs its own`);
  return [];
};

/** The engine of a stage: the one that it names, where it may, else the file's. */
const checkEngine = (
  { engine, ...config }: Readonly<Record<string, unknown>>,
  stage: AnyStage,
  context: IssueContext,
  ofFile: string,
): {
  readonly engine: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly problems: readonly Diagnostic[];
} => {
  if (stage.choosesEngine !== true) {
    return { engine: ofFile, config: engine === undefined ? config : { ...config, engine }, problems: [] };
  }
  const parsed = engineName.default(ofFile).safeParse(engine);
  const at = { ...context, base: [...context.base, 'engine'] };
  return parsed.success
    ? { engine: parsed.data, config, problems: [] }
    : { engine: ofFile, config, problems: fromZodError(parsed.error, at) };
};

interface Surroundings {
  readonly ids: readonly unknown[];
  readonly located: Located;
  readonly catalogue: Catalogue;
  /** The engine that the file names. */
  readonly engine: string;
}

const checkStage = (
  item: unknown,
  index: number,
  { ids, located, catalogue, engine: ofFile }: Surroundings,
): { readonly stage: CheckedStage | undefined; readonly problems: readonly Diagnostic[] } => {
  const base = ['stages', index];
  if (!isRecord(item)) {
    const message = `stage ${index + 1} is ${describeValue(item)}; expected a mapping with id and uses`;
    return { stage: undefined, problems: [{ code: 'wrong-type', message, span: located.at(base), hints: [] }] };
  }
  const { id, uses, from, ...options } = item;
  const problems = [...checkId(id, index, ids, located, catalogue)];
  const label = typeof id === 'string' ? `stage "${id}"` : `stage ${index + 1}`;
  const offered = catalogue.stages.filter(({ place }) => place === 'named');
  const stage = offered.find((candidate) => candidate.uses === uses);
  if (stage === undefined) {
    const known = offered.map((candidate) => candidate.uses);
    problems.push(unknownName('uses', uses, known, [...base, 'uses'], { located, owner: label }));
    return { stage: undefined, problems };
  }
  const context = { located, base, owner: `${label} (${stage.uses})`, schema: stage.config };
  const { engine, config, problems: wrongEngine } = checkEngine(options, stage, context, ofFile);
  problems.push(...wrongEngine);
  const parsed = stage.config.safeParse(config);
  if (!parsed.success) problems.push(...fromZodError(parsed.error, context));
  const valid = typeof id === 'string' && ids.indexOf(id) === index;
  if (!valid) return { stage: undefined, problems };
  return { stage: { index, id, stage, from, engine, config: parsed.success ? config : undefined }, problems };
};

const checkSection = (
  value: unknown,
  name: string,
  schema: AnyStage['config'],
  located: Located,
): { readonly config: Readonly<Record<string, unknown>> | undefined; readonly problems: readonly Diagnostic[] } => {
  if (!isRecord(value)) return { config: undefined, problems: [] };
  const parsed = schema.safeParse(value);
  if (parsed.success) return { config: value, problems: [] };
  const owner = typeof value.uses === 'string' ? `${name} (${value.uses})` : name;
  return { config: undefined, problems: fromZodError(parsed.error, { located, base: [name], owner, schema }) };
};

const nothing: Omit<Checked, 'problems'> = {
  name: '',
  seeds: [0],
  data: undefined,
  task: undefined,
  sections: {},
  stages: [],
  gates: [],
};

/** `--set seed=2` takes the place of the file's `seeds`, and the other way round; both at one place contradict. */
const withoutReplaced = (file: Record<string, unknown>, located: Located): Record<string, unknown> => {
  const [one, several] = [located.key(['seed']).source, located.key(['seeds']).source];
  if (!located.has(['seed']) || !located.has(['seeds']) || one.name === several.name) return file;
  const { [one.name === '--set' ? 'seeds' : 'seed']: _, ...rest } = file;
  return rest;
};

const seedsOf = ({
  seed,
  seeds = [],
}: {
  readonly seed: number;
  readonly seeds?: readonly number[] | undefined;
}): Checked['seeds'] => {
  const [first = seed, ...others] = seeds;
  return [first, ...others];
};

const seedsAndSeed = (file: Record<string, unknown>, located: Located): readonly Diagnostic[] =>
  'seed' in file && 'seeds' in file
    ? [
        {
          code: 'seed-and-seeds',
          message: 'both "seed" and "seeds" are given; expected one of them',
          span: located.key(['seeds']),
          hints: ['seed runs the pipeline once, seeds once for each'],
        },
      ]
    : [];

/** Every problem that the file shows by itself, stage by stage, before stages are connected. */
export const checkFile = (located: Located, catalogue: Catalogue): Checked => {
  const written = located.value;
  const fail = (code: string, message: string): Checked => ({
    ...nothing,
    problems: [{ code, message, span: located.at([]), hints: ['a pipeline has: name, data, stages'] }],
  });
  if (written === null || written === undefined) return fail('empty-file', 'the file is empty; expected a pipeline');
  if (!isRecord(written)) return fail('wrong-type', `the file is ${describeValue(written)}; expected a mapping`);
  const file = withoutReplaced(written, located);
  const schema = headSchema(catalogue);
  const head = schema.safeParse(file);
  const context = { located, base: [], owner: 'the pipeline', schema };
  const problems = head.success ? [] : [...fromZodError(head.error, context)];
  const data = checkSection(file.data, 'data', catalogue.data, located);
  const sections = sectionsOf(catalogue).map(({ name, schema: inside }) => {
    const section = checkSection(file[name], name, inside, located);
    return { ...section, name };
  });
  const engine = head.success ? String(head.data.engine) : defaultEngine;
  const items: readonly unknown[] = Array.isArray(file.stages) ? file.stages : [];
  const ids = items.map((item) => (isRecord(item) ? item.id : undefined));
  const stages = items.map((item, index) => checkStage(item, index, { ids, located, catalogue, engine }));
  const known = ids.filter((id): id is string => typeof id === 'string');
  const task = data.config === undefined ? undefined : catalogue.taskOfData?.(data.config);
  const gates = checkGates(file.gates, ['gates'], { known, task }, located);
  return {
    name: head.success ? head.data.name : '',
    seeds: head.success ? seedsOf(head.data) : [0],
    data: data.config,
    task,
    sections: Object.fromEntries([
      ['data', data.config],
      ['variants', file.variants],
      // What is no mapping was checked with the head of the file.
      ...sections.map(({ name, config }) => [name, isRecord(file[name]) ? config : file[name]]),
    ]),
    stages: stages.map(({ stage }) => stage).filter((stage) => stage !== undefined),
    gates: gates.gates,
    ...(head.data?.log === undefined ? {} : { log: head.data.log }),
    problems: [
      ...problems,
      ...seedsAndSeed(file, located),
      ...data.problems,
      ...sections.flatMap((section) => section.problems),
      ...stages.flatMap((stage) => stage.problems),
      ...gates.problems,
    ],
  };
};

/** The problem of naming a stage that does not exist. */
export const unknownStage = (id: string, known: readonly string[], span: Diagnostic['span']): Diagnostic => ({
  code: 'unknown-stage',
  message: `there is no stage "${id}"`,
  span,
  hints: nameHints(id, known, 'earlier stages'),
});
