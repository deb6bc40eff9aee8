import type { z } from 'zod';
import { isRecord } from '../../ground/records.ts';
import type { Diagnostic, Span } from '../diagnostic.ts';
import type { Located, Path } from './document.ts';
import { nameHints } from './suggest.ts';
import { describeValue, orList, valueAt } from './values.ts';

type Issue = z.core.$ZodIssue;

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  null: 'nothing',
};

const bound = (issue: Issue): string => {
  if (issue.code === 'too_small') {
    const than = issue.inclusive === false ? 'more than' : 'at least';
    if (issue.origin === 'array') return `a list of ${than} ${issue.minimum} ${issue.minimum === 1 ? 'item' : 'items'}`;
    if (issue.origin === 'string')
      return issue.minimum === 1 ? 'a text that is not empty' : `${than} ${issue.minimum} characters`;
    return `${than} ${issue.minimum}`;
  }
  if (issue.code !== 'too_big') return '';
  const than = issue.inclusive === false ? 'less than' : 'at most';
  if (issue.origin === 'array') return `a list of ${than} ${issue.maximum} items`;
  if (issue.origin === 'string') return `${than} ${issue.maximum} characters`;
  return `${than} ${issue.maximum}`;
};

/** A message that a schema's author wrote, as against the library's own. */
const written = ({ message }: Issue): string | undefined =>
  /^(Invalid|Too (small|big)|Unrecognized)/.test(message) ? undefined : message;

/** The names that tell the branches of a union apart. */
const optionsOf = (issue: Issue): readonly string[] =>
  'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];

/** What the schema would have taken there: "a number", "at least 1", "one of a, b". */
const expectation = (issue: Issue): string => {
  const own = written(issue);
  if (own !== undefined) return own.replace(/^expected /, '');
  if (issue.code === 'invalid_type') return kinds[issue.expected] ?? issue.expected;
  if (issue.code === 'too_small' || issue.code === 'too_big') return bound(issue);
  if (issue.code === 'invalid_value') return orList(issue.values.map((value) => String(value)));
  if (issue.code === 'not_multiple_of') return `a multiple of ${issue.divisor}`;
  if (issue.code === 'invalid_format') return `a text like ${issue.pattern ?? issue.format}`;
  if (issue.code === 'invalid_union' && issue.errors.length === 0) return orList(optionsOf(issue));
  if (issue.code === 'invalid_union') return orList([...new Set(issue.errors.flat().map(expectation))]);
  return issue.message;
};

/** The branch of a union that was probably meant: the one that complains about something inside or about a range. */
const meant = (branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined => {
  const fits = branches.filter((issues) =>
    issues.every(
      (issue) => issue.path.length > 0 || !['invalid_type', 'invalid_value', 'invalid_union'].includes(issue.code),
    ),
  );
  return fits.toSorted((a, b) => a.length - b.length)[0];
};

export interface IssueContext {
  readonly located: Located;
  /** Where the parsed value stands in the file. */
  readonly base: Path;
  /** "stage teacher (train)": said where an option is unknown. */
  readonly owner: string;
  readonly schema: z.ZodType | undefined;
}

const textPath = (path: Path): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`))
    .join('')
    .replace(/^\./, '');

/** Of the options of a union told apart by `uses`, the one that the value names; all of them otherwise. */
const namedOptions = (options: readonly unknown[], value: unknown): readonly unknown[] => {
  const uses = valueAt(value, ['uses']);
  const named = options.filter((option) => {
    const values = valueAt(option, ['def', 'shape', 'uses', 'def', 'values']);
    return uses !== undefined && Array.isArray(values) && values.includes(uses);
  });
  return named.length > 0 ? named : options;
};

/** Keys that a schema takes at a path: looks through optional, default, union and refinement. */
const keysAt = (schema: unknown, path: readonly PropertyKey[], value: unknown): readonly string[] => {
  const def = valueAt(schema, ['def']);
  if (!isRecord(def)) return [];
  const [head, ...rest] = path;
  if (isRecord(def.shape)) {
    if (head === undefined) return Object.keys(def.shape);
    return keysAt(def.shape[String(head)], rest, valueAt(value, [head]));
  }
  if (Array.isArray(def.options)) {
    return [...new Set(namedOptions(def.options, value).flatMap((option) => keysAt(option, path, value)))];
  }
  if (isRecord(def.element)) return keysAt(def.element, rest, valueAt(value, [head ?? 0]));
  return keysAt(def.innerType ?? def.in, path, value);
};

const unknownKeys = (keys: readonly string[], path: Path, context: IssueContext): readonly Diagnostic[] => {
  const inside = path.slice(context.base.length);
  const known = keysAt(context.schema, inside, valueAt(context.located.value, context.base));
  const owner = inside.length === 0 ? context.owner : `${textPath(inside)} of ${context.owner}`;
  return keys.map((key) => ({
    code: 'unknown-key',
    message: `unknown option "${key}" of ${owner}`,
    span: context.located.key([...path, key]),
    hints: nameHints(key, known, 'options'),
  }));
};

const at = (code: string, message: string, span: Span, hints: readonly string[] = []): Diagnostic => ({
  code,
  message,
  span,
  hints,
});

/** Names that some branch of a union would have taken. */
const namesIn = ({ errors }: z.core.$ZodIssueInvalidUnion): readonly string[] =>
  errors.flat().flatMap((issue) => (issue.code === 'invalid_value' ? issue.values.map(String) : []));

const unionIssue = (issue: z.core.$ZodIssueInvalidUnion, path: Path, context: IssueContext): readonly Diagnostic[] => {
  const branch = meant(issue.errors);
  if (branch !== undefined) return branch.flatMap((inner) => fromIssue(inner, path, context));
  const found = valueAt(context.located.value, path);
  const name = String(path.at(-1));
  if (issue.discriminator !== undefined) {
    const inside = path.slice(context.base.length, -1);
    const owner = inside.length === 0 ? String(context.base.at(-1)) : `${textPath(inside)} of ${context.owner}`;
    return [unknownName(name, found, optionsOf(issue), path, { ...context, owner })];
  }
  const span = context.located.at(path);
  const hints = typeof found === 'string' ? nameHints(found, namesIn(issue), 'known') : [];
  const near = hints.filter((hint) => hint.startsWith('did you mean'));
  return [at('wrong-type', `${name} is ${describeValue(found)}; expected ${expectation(issue)}`, span, near)];
};

/** A name that is none of the known ones, or is not there at all. */
export const unknownName = (
  key: string,
  found: unknown,
  known: readonly string[],
  path: Path,
  { located, owner }: Pick<IssueContext, 'located' | 'owner'>,
): Diagnostic => {
  if (found === undefined) {
    return at('missing-key', `${owner} has no "${key}"`, located.at(path.slice(0, -1)), [`known: ${known.join(', ')}`]);
  }
  const hints = nameHints(String(found), known, 'known');
  return at('unknown-name', `${owner} ${key} ${describeValue(found)}, which does not exist`, located.at(path), hints);
};

const codes: Readonly<Record<string, string>> = {
  invalid_type: 'wrong-type',
  invalid_value: 'unknown-name',
  too_small: 'out-of-range',
  too_big: 'out-of-range',
  not_multiple_of: 'out-of-range',
  invalid_format: 'bad-text',
};

/** Problems in words and places from one complaint of the schema. */
const fromIssue = (issue: Issue, base: Path, context: IssueContext): readonly Diagnostic[] => {
  const path = [...base, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, path, context);
  const found = valueAt(context.located.value, path);
  const name =
    issue.path.length === 0 && base === context.base
      ? context.owner
      : typeof path.at(-1) === 'number'
        ? textPath(path.slice(-2))
        : String(path.at(-1) ?? 'the file');
  const inside = path.slice(context.base.length, -1);
  const owner = inside.length === 0 ? context.owner : `${textPath(inside)} of ${context.owner}`;
  if (found === undefined && issue.code !== 'custom') {
    const span = context.located.at(path.slice(0, -1));
    return [at('missing-key', `${owner} has no "${name}"`, span, [`expected ${expectation(issue)}`])];
  }
  const span = context.located.at(path);
  const own = written(issue);
  if (own?.includes('; found ')) return [at(codes[issue.code] ?? 'bad-value', `${name}: ${own}`, span)];
  if (issue.code === 'invalid_union') return unionIssue(issue, path, context);
  if (issue.code === 'custom') return [at('bad-value', `${name}: ${issue.message}`, span)];
  const hints =
    issue.code === 'invalid_value' && typeof found === 'string'
      ? nameHints(found, issue.values.map(String), 'known')
      : [];
  const expected =
    hints.length > 1 || (issue.code === 'invalid_value' && hints.length > 0) ? '' : `; expected ${expectation(issue)}`;
  return [at(codes[issue.code] ?? 'bad-value', `${name} is ${describeValue(found)}${expected}`, span, hints)];
};

/** All complaints of a schema about the value at `context.base`. */
export const fromZodError = (error: z.core.$ZodError, context: IssueContext): readonly Diagnostic[] =>
  error.issues.flatMap((issue) => fromIssue(issue, context.base, context));
