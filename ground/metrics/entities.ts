import { column, type Judged, type Times } from './metric.ts';
import { f1OfCounts } from './sets.ts';

/** A tag of the scheme IOB2: the first word of an entity of a type, another one of its words, or a word outside of all. */
export interface Tag {
  readonly mark: 'B' | 'I' | 'O';
  readonly type: string;
}

export const OUTSIDE = 'O';

const outside: Tag = { mark: 'O', type: '' };

/** A tag by its name; what is none stands outside. */
export const tagNamed = (name: string): Tag => {
  const mark = /^([BI])-/.exec(name)?.[1];
  return mark === 'B' || mark === 'I' ? { mark, type: name.slice(2) } : outside;
};

/** Words from `start` up to `end`, which is not of it. */
export interface Entity {
  readonly start: number;
  readonly end: number;
  readonly type: string;
}

/**
 * Entities among the tags of one text: B- begins one, I- of the same type goes on with it, and an I- that follows nothing of
 * its type belongs to none (seqeval's mode "strict" of scheme IOB2).
 */
export const entitiesIn = (tags: readonly Tag[]): readonly Entity[] =>
  tags.flatMap(({ mark, type }, start) => {
    if (mark !== 'B') return [];
    let end = start + 1;
    while (tags[end]?.mark === 'I' && tags[end]?.type === type) end++;
    return [{ start, end, type }];
  });

/** Choices of tags about words, in the order of texts and words; a chosen -1 is a word that was never read. */
export interface TaggedWords {
  readonly chosen: ArrayLike<number>;
  readonly label: ArrayLike<number>;
  /** Text of each word. */
  readonly groups: ArrayLike<number>;
}

/** Types of entities that some classes mark, in the order of the classes. */
export const entityTypes = (classes: readonly string[]): readonly string[] => [
  ...new Set(classes.map(tagNamed).flatMap(({ mark, type }) => (mark === 'O' ? [] : [type]))),
];

/** Tags by the numbers of their classes, and types by theirs. */
interface Scheme {
  readonly tags: readonly Tag[];
  readonly types: readonly string[];
}

/** By the word at which an entity begins: its other end and its type in one number; -1 where none begins. */
const beginnings = (ids: ArrayLike<number>, groups: ArrayLike<number>, { tags, types }: Scheme): Float64Array => {
  const begun = new Float64Array(ids.length).fill(-1);
  let first = 0;
  while (first < ids.length) {
    let last = first + 1;
    while (last < ids.length && groups[last] === groups[first]) last++;
    const text = Array.from({ length: last - first }, (_, word) => tags[ids[first + word] as number] ?? outside);
    for (const { start, end, type } of entitiesIn(text))
      begun[first + start] = end * types.length + types.indexOf(type);
    first = last;
  }
  return begun;
};

/**
 * What entity F1 reads: 1 at the first word of each entity that is rightly said, that is said, and that is true; and the number
 * of its type there, -1 elsewhere.
 */
export const entityColumns = (
  { chosen, label, groups }: TaggedWords,
  classes: readonly string[],
): Judged['columns'] => {
  const scheme = { tags: classes.map(tagNamed), types: entityTypes(classes) };
  const [said, truth] = [beginnings(chosen, groups, scheme), beginnings(label, groups, scheme)];
  const typesOf = (begun: Float64Array): Float64Array =>
    begun.map((entity) => (entity < 0 ? -1 : entity % scheme.types.length));
  return {
    entityHits: said.map((entity, word) => Number(entity >= 0 && entity === truth[word])),
    entitySaid: said.map((entity) => Number(entity >= 0)),
    entityTrue: truth.map((entity) => Number(entity >= 0)),
    entitySaidType: typesOf(said),
    entityTrueType: typesOf(truth),
  };
};

/** Judged choices of tags with the entities that they mark. */
export const withEntities = (judged: Judged, classes: readonly string[]): Judged => {
  const { columns, groups = new Int32Array(judged.count) } = judged;
  const words = { chosen: column(judged, 'chosen'), label: column(judged, 'label'), groups };
  return { ...judged, columns: { ...columns, ...entityColumns(words, classes) } };
};

const total = (values: ArrayLike<number>, times: Times): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++)
    sum += (values[i] as number) * (times === undefined ? 1 : (times[i] as number));
  return sum;
};

/** F1 of whole entities: both ends and the type are right, or it counts for nothing (Tjong Kim Sang 2002, CoNLL). */
export const entityF1Of = (judged: Judged, times?: Times): number => {
  const [hits, said, truth] = ['entityHits', 'entitySaid', 'entityTrue'].map((name) =>
    total(column(judged, name), times),
  );
  return f1OfCounts(hits ?? 0, said ?? 0, truth ?? 0);
};
