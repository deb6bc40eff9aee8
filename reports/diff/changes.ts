import stringify from 'safe-stable-stringify';
import { parse } from 'yaml';
import type { Json } from '../../ground/json.ts';
import { engineText } from '../engines.ts';
import type { ModelReport, Report, StageReport } from '../report.ts';
import type { Change } from './diff.ts';

type Flat = ReadonlyMap<string, Json>;

const isMapping = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `keep.heads` for nested options; lists stay whole. */
const flatten = (value: Json, prefix = ''): readonly (readonly [string, Json])[] =>
  isMapping(value)
    ? Object.entries(value).flatMap(([key, inner]) => flatten(inner, prefix === '' ? key : `${prefix}.${key}`))
    : [[prefix, value]];

const text = (value: Json | undefined): string => stringify(value ?? null) ?? '';

/** Keys whose values differ, in the order in which they come up. */
const changesOf = (before: Flat, after: Flat): readonly Change[] =>
  [...new Set([...before.keys(), ...after.keys()])]
    .filter((key) => text(before.get(key)) !== text(after.get(key)))
    .map((key) => ({ key, before: before.get(key) ?? null, after: after.get(key) ?? null }));

const flat = (value: Json): Flat => new Map(flatten(value));

/** Sections of the file besides its stages; empty where it cannot be read any more. */
const sections = ({ pipeline }: Report): { readonly [key: string]: Json } => {
  try {
    const written: unknown = parse(pipeline.yaml, { logLevel: 'silent' });
    const json: Json = JSON.parse(JSON.stringify(written ?? {}));
    return isMapping(json) ? Object.fromEntries(Object.entries(json).filter(([key]) => key !== 'stages')) : {};
  } catch {
    return {};
  }
};

const conditions = (report: Report): Json => {
  const { environment: at, data, measurement, pipeline } = report;
  const { name: _, seed: __, ...rest } = sections(report);
  return {
    name: report.name,
    seed: report.seed,
    ...rest,
    overrides: pipeline.overrides.length === 0 ? null : pipeline.overrides,
    texts: { train: data.train, unlabelled: data.unlabelled, validation: data.validation, test: data.test },
    environment: { ...at, cpuFlags: at.cpuFlags.toSorted().join(' ') },
    measurement:
      measurement === null
        ? null
        : {
            ...{ rounds: measurement.rounds, threads: measurement.threads, processes: measurement.processes },
            ...(measurement.on === undefined ? {} : { on: engineText(measurement.on) }),
          },
  };
};

/** Classes that only one of the runs knows; where they are the same in another order, both orders. */
const classChanges = ({ data: { classes: was } }: Report, { data: { classes: now } }: Report): readonly Change[] => {
  const gone = was.filter((name) => !now.includes(name));
  const added = now.filter((name) => !was.includes(name));
  if (gone.length + added.length === 0) return changesOf(new Map([['classes', was]]), new Map([['classes', now]]));
  return [
    ...(gone.length === 0 ? [] : [{ key: 'classes gone', before: gone, after: null }]),
    ...(added.length === 0 ? [] : [{ key: 'classes new', before: null, after: added }]),
  ];
};

/** What two runs were made from and under, besides their stages. `examples` are digests of the test splits. */
export const runChanges = (
  before: Report,
  after: Report,
  examples: readonly [string | null, string | null],
): readonly Change[] => {
  const [was, now] = examples;
  const other = was !== null && now !== null && was !== now;
  return [
    ...changesOf(flat(conditions(before)), flat(conditions(after))),
    ...classChanges(before, after),
    ...(other ? [{ key: 'test split (sha256)', before: was.slice(0, 12), after: now.slice(0, 12) }] : []),
  ];
};

/** What a stage was told to do. `renamed` gives new ids of earlier stages, so that a new name is said once. */
export const stageChanges = (
  before: StageReport,
  after: StageReport,
  renamed: ReadonlyMap<string, string>,
): readonly Change[] => {
  const inputs = Object.fromEntries(Object.entries(before.inputs).map(([name, id]) => [name, renamed.get(id) ?? id]));
  const told = (stage: StageReport, from: Json): Flat =>
    flat({ uses: stage.uses, version: stage.version, from, ...stage.config });
  return changesOf(told(before, inputs), told(after, after.inputs));
};

const sizesOf = (model: ModelReport | null): Json =>
  model === null
    ? {}
    : {
        bytes: model.bytes,
        gzipBytes: model.gzipBytes,
        brotliBytes: model.brotliBytes,
        parameters: model.parameters,
        nonzero: model.nonzero,
        [`macs of ${model.macsLength} tokens`]: model.macs,
      };

export const sizeChanges = (before: StageReport, after: StageReport): readonly Change[] =>
  changesOf(flat(sizesOf(before.model)), flat(sizesOf(after.model)));

export const structureChanges = (before: StageReport, after: StageReport): readonly Change[] =>
  changesOf(flat({ ...before.model?.dimensions }), flat({ ...after.model?.dimensions }));
