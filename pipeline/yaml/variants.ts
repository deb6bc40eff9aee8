import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from 'yaml';
import { z } from 'zod';
import { isRecord } from '../../ground/records.ts';
import type { Diagnostic, Source } from '../diagnostic.ts';
import type { Located, Origins, Path } from './document.ts';
import { ID_PATTERN, ID_WORDS } from './id.ts';
import type { Setting } from './overrides.ts';
import { inline } from './values.ts';

/** More recipes than anyone looks at side by side: a grid of many values comes to more than was thought. */
const MOST = 100;

/** It names a folder. */
const LONGEST = 100;

const PATHS = 'by paths such as stages.student.temperature';

const variant = z.strictObject({
  id: z.string().max(LONGEST).regex(ID_PATTERN, ID_WORDS).describe('Names the folder of its results: runs/NAME/ID.'),
  set: z
    .record(z.string(), z.unknown())
    .default({})
    .describe(`Values in place of those of the file, ${PATHS}. Without any it is the file as it stands.`),
});

const grid = z
  .record(z.string(), z.array(z.unknown()).min(1))
  .refine((paths) => Object.keys(paths).length > 0, 'expected a mapping of paths to lists of values')
  .describe(`Lists of values ${PATHS}: a variant for each combination.`);

/** Recipes of one pipeline: each by its id, or every combination of some values. The first is what others are compared with. */
export const variantsSchema = z.union([
  z.array(variant).min(2, 'expected a list of at least 2 variants').max(MOST),
  z.strictObject({ grid }),
]);

type Written = z.infer<typeof variantsSchema>;

/** A value of a variant, and where path and value stand. */
interface Choice {
  readonly path: string;
  readonly value: unknown;
  /** The mapping that has the path as a key; of a grid the number of the value, too. */
  readonly at: Path;
  readonly index?: number;
}

/** One recipe of a file. */
export interface Variant {
  readonly id: string;
  /** Where problems with it stand. */
  readonly at: Path;
  readonly choices: readonly Choice[];
}

const last = (path: string): string => path.split('.').at(-1) ?? path;

/** The plain values in a value, a word each. */
const wordsOf = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.length === 0 ? ['none'] : value.flatMap(wordsOf);
  if (isRecord(value)) return Object.values(value).flatMap(wordsOf);
  const words = String(value ?? 'none').match(/[A-Za-z0-9._-]+/g) ?? [];
  return [words.join('-')];
};

/** What a value is called in the id of a variant: words by themselves, numbers behind what they are a number of. */
const called = ({ path, value }: Choice): string => {
  const words = wordsOf(value)
    .filter((word) => word !== '')
    .join('-');
  return typeof value !== 'boolean' && /^[A-Za-z]/.test(words) ? words : `${last(path)}${words}`;
};

const combinations = (paths: readonly (readonly Choice[])[]): readonly (readonly Choice[])[] =>
  paths.reduce<readonly (readonly Choice[])[]>(
    (all, choices) => all.flatMap((before) => choices.map((choice) => [...before, choice])),
    [[]],
  );

const ofGrid = (paths: Readonly<Record<string, readonly unknown[]>>): readonly Variant[] => {
  const at = ['variants', 'grid'];
  const choices = Object.entries(paths).map(([path, values]) =>
    values.map((value, index): Choice => ({ path, value, at, index })),
  );
  return combinations(choices).map((chosen) => ({ id: chosen.map(called).join('-'), at, choices: chosen }));
};

const ofList = (list: Extract<Written, readonly unknown[]>): readonly Variant[] =>
  list.map(({ id, set }, i) => ({
    id,
    at: ['variants', i, 'id'],
    choices: Object.entries(set).map(([path, value]) => ({ path, value, at: ['variants', i, 'set'] })),
  }));

/** Settings that belong to the file, not to a recipe. */
const shared = ['name', 'seed', 'seeds', 'variants', 'log'];

const wrongPaths = ({ choices }: Variant, located: Located): readonly Diagnostic[] =>
  choices.flatMap(({ path, at }) => {
    const [head = ''] = path.split('.');
    if (!shared.includes(head)) return [];
    const message = `"${head}" is the same in every variant; variants set data, stages and what else decides what a model becomes`;
    const hints = head.startsWith('seed') ? ['give seeds at the top of the file: each variant runs with each'] : [];
    return [{ code: 'bad-variant', message, span: located.key([...at, path]), hints }];
  });

const wrongId = ({ id, at }: Variant, located: Located, isTaken: (id: string) => boolean): readonly Diagnostic[] => {
  const isLong = id.length > LONGEST;
  if (!isLong && !isTaken(id)) return [];
  const message = isLong
    ? `the values would make the id "${id.slice(0, 20)}..." of ${id.length} characters; expected ${LONGEST} or fewer: list the variants`
    : `"${id}" names something else in every run; choose another id`;
  return [{ code: 'reserved-id', message, span: located.at(at), hints: [] }];
};

const tooMany = (paths: Readonly<Record<string, readonly unknown[]>>, located: Located): readonly Diagnostic[] => {
  const count = Object.values(paths).reduce((product, { length }) => product * length, 1);
  if (count >= 2 && count <= MOST) return [];
  const message = `the grid comes to ${count} variant${count === 1 ? '' : 's'}; expected 2 to ${MOST}`;
  return [{ code: 'bad-variant', message, span: located.key(['variants', 'grid']), hints: [] }];
};

const repeated = (variants: readonly Variant[], located: Located): readonly Diagnostic[] =>
  variants.flatMap(({ id, at, choices }, i) => {
    const first = variants.findIndex((one) => one.id === id);
    if (first === i) return [];
    const own = choices.at(-1);
    const isOfGrid = own?.index !== undefined;
    const span = isOfGrid ? located.at([...at, own.path, own.index ?? 0]) : located.at(at);
    const message = isOfGrid
      ? `two variants of the grid would be called "${id}"; expected values that differ`
      : `the id "${id}" is taken by variant ${first + 1}; every variant needs its own`;
    return [{ code: 'duplicate-id', message, span, hints: [] }];
  });

/** The recipes of a file, and what is wrong with them by themselves; none where it has no `variants`, or others than can be read. */
export const variantsIn = (
  located: Located,
  isTaken: (id: string) => boolean,
): { readonly variants: readonly Variant[]; readonly problems: readonly Diagnostic[] } => {
  const { value } = located;
  const written = isRecord(value) && 'variants' in value ? variantsSchema.safeParse(value.variants) : undefined;
  // What is none was complained about with the head of the file.
  if (written?.data === undefined) return { variants: [], problems: [] };
  if (!Array.isArray(written.data)) {
    const many = tooMany(written.data.grid, located);
    if (many.length > 0) return { variants: [], problems: many };
  }
  const variants = Array.isArray(written.data) ? ofList(written.data) : ofGrid(written.data.grid);
  const problems = variants.flatMap((one) => [...wrongPaths(one, located), ...wrongId(one, located, isTaken)]);
  return { variants, problems: [...problems, ...repeated(variants, located)] };
};

const resolved = (node: unknown, document: Document): unknown => (isAlias(node) ? node.resolve(document) : node);

/** The node at a path of a document, aliases followed. */
const nodeAt = (document: Document, path: Path): unknown =>
  path.reduce<unknown>(
    (parent, key) => {
      if (isMap(parent)) return resolved(parent.get(key, true), document);
      return isSeq(parent) ? resolved(parent.get(key, true), document) : undefined;
    },
    resolved(document.contents, document),
  );

/** The values of a variant as they stand in a document. */
export const settingsOf = (
  { choices }: Variant,
  document: Document,
  source: Source,
  origins: Origins,
): readonly Setting[] =>
  choices.flatMap(({ path, at, index }) => {
    const map = nodeAt(document, at);
    const pair = isMap(map) ? map.items.find(({ key }) => isScalar(key) && String(key.value) === path) : undefined;
    const value = isMap(map) ? nodeAt(document, [...at, path, ...(index === undefined ? [] : [index])]) : undefined;
    if (!isScalar(pair?.key) || !isNodeOf(value)) return [];
    const quoted = pair.key.type === 'PLAIN' ? 0 : 1;
    const start = (pair.key.range?.[0] ?? 0) + quoted;
    return [{ path, start, source: origins.get(pair.key) ?? source, value }];
  });

const isNodeOf = (value: unknown): value is Node => isMap(value) || isSeq(value) || isScalar(value);

/** The values of a variant as --set would take them. */
export const overridesOf = ({ choices }: Variant): readonly string[] =>
  choices.map(({ path, value }) => `${path}=${typeof value === 'string' ? inline(value) : JSON.stringify(value)}`);
