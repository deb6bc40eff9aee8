import { isRecord } from '../../ground/records.ts';
import type { Fingerprint, StepRecord } from '../store/record.ts';

const short = (value: unknown): string => {
  if (value === undefined) return 'unset';
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'unset');
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
};

/** `config.epochs 3 -> 4`, down to the values that differ. */
const changes = (name: string, before: unknown, after: unknown): readonly string[] => {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (!isRecord(before) || !isRecord(after)) return [`${name} ${short(before)} -> ${short(after)}`];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => changes(`${name}.${key}`, before[key], after[key]));
};

/** Entries whose digests say only that they differ. */
const changed = (
  what: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((name) => {
    if (before[name] === after[name]) return [];
    if (before[name] === undefined) return [`${what} ${name} added`];
    return [after[name] === undefined ? `${what} ${name} removed` : `${what} ${name} changed`];
  });

/** What differs between two fingerprints of one step, in words. */
export const difference = (before: Fingerprint, after: Fingerprint): readonly string[] => [
  ...changes('uses', before.uses, after.uses),
  ...changes('stage version', before.version, after.version),
  ...changes('config', before.config, after.config),
  ...changes('seed', before.seed, after.seed),
  ...changed('input', before.inputs, after.inputs),
  ...changed('file', before.sources, after.sources),
  ...changes('environment', before.environment, after.environment).map((text) => text.replace('environment.', '')),
];

/** Why a step runs although the store has earlier results: the difference to the nearest of them. */
export const whyRuns = (
  records: readonly StepRecord[],
  pipeline: string,
  step: string,
  fingerprint: Fingerprint,
): readonly string[] => {
  const earlier = records
    .filter((record) => record.pipeline === pipeline && record.step === step)
    .map((record) => difference(record.fingerprint, fingerprint));
  const nearest = earlier.toSorted((a, b) => a.length - b.length)[0];
  if (nearest === undefined) return ['never run before'];
  return nearest.length === 0 ? ['its result was dropped from the store'] : nearest;
};
