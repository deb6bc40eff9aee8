import { OUTSIDE } from '../../ground/metrics/entities.ts';
import { dataErrors } from '../errors.ts';

/** Ways in which tags of words say where entities are (Ramshaw and Marcus 1995; Sang and Veenstra 1999; Ratinov and Roth 2009). */
export const schemes = ['IOB1', 'IOB2', 'IOBES', 'BILOU'] as const;

export type Scheme = (typeof schemes)[number];

/** What a tag does: begins an entity, goes on with it, ends it, is one by itself, or stands outside. */
type Mark = 'begin' | 'inside' | 'end' | 'single' | 'outside';

const marks: Readonly<Record<string, Mark>> = { B: 'begin', I: 'inside', E: 'end', L: 'end', S: 'single', U: 'single' };

/** Tags of one text, and where each word stands, for messages. */
export interface TaggedText {
  readonly tags: readonly string[];
  at(word: number): string;
}

interface Place {
  readonly text: TaggedText;
  readonly word: number;
}

const parsedTags = new Map<string, { readonly mark: Mark; readonly type: string } | undefined>();

const parsed = (tag: string): { readonly mark: Mark; readonly type: string } | undefined => {
  const [, prefix = '', type = ''] = /^([BIELSU])-(.+)$/s.exec(tag) ?? [];
  const mark = tag === OUTSIDE ? 'outside' : marks[prefix];
  return mark === undefined ? undefined : { mark, type };
};

const partsOf = (tag: string): { readonly mark: Mark; readonly type: string } | undefined => {
  if (!parsedTags.has(tag)) parsedTags.set(tag, parsed(tag));
  return parsedTags.get(tag);
};

/** Whether a name may be a tag of some scheme. */
export const isEntityTag = (tag: string): boolean => partsOf(tag) !== undefined;

/** A tag that has to be one. */
const partsAt = ({ text, word }: Place): { readonly mark: Mark; readonly type: string } => {
  const tag = text.tags[word] ?? OUTSIDE;
  const parts = partsOf(tag);
  if (parts === undefined) throw dataErrors.noTag(text.at(word), tag);
  return parts;
};

const outside = { mark: 'outside', type: '' } as const;

const before = ({ text, word }: Place) => (word === 0 ? outside : partsAt({ text, word: word - 1 }));

const mayGoOn = (mark: Mark): boolean => mark === 'begin' || mark === 'inside';

/** Whether the word before is of an entity of this type that may go on. */
const goesOn = (place: Place): boolean => {
  const last = before(place);
  return mayGoOn(last.mark) && last.type === partsAt(place).type;
};

const find = (texts: readonly TaggedText[], is: (place: Place) => boolean): Place | undefined => {
  for (const text of texts) {
    for (let word = 0; word < text.tags.length; word++) if (is({ text, word })) return { text, word };
  }
  return undefined;
};

const prefixed = (texts: readonly TaggedText[], prefixes: string): Place | undefined =>
  find(texts, ({ text, word }) => prefixes.includes(text.tags[word]?.[0] ?? '-') && text.tags[word]?.[1] === '-');

const isMark = (place: Place, mark: Mark): boolean => partsAt(place).mark === mark;

/** The scheme that the tags of all texts follow. */
const schemeOf = (texts: readonly TaggedText[]): Scheme => {
  const [iobes, bilou] = [prefixed(texts, 'ES'), prefixed(texts, 'LU')];
  if (iobes !== undefined && bilou !== undefined) throw mixed(iobes, bilou);
  if (iobes !== undefined) return 'IOBES';
  if (bilou !== undefined) return 'BILOU';
  const loose = find(texts, (place) => isMark(place, 'inside') && !goesOn(place));
  if (loose === undefined) return 'IOB2';
  const begun = find(texts, (place) => isMark(place, 'begin') && !goesOn(place));
  if (begun === undefined) return 'IOB1';
  throw dataErrors.brokenTags(loose.text.at(loose.word), {
    ...{ tag: tagAt(loose), after: tagBefore(loose) },
    advice: `an entity begins with B- elsewhere (${begun.text.at(begun.word)}: '${tagAt(begun)}'); write 'B-${partsAt(loose).type}' here, or say scheme: IOB1`,
  });
};

const tagAt = ({ text, word }: Place): string => text.tags[word] ?? OUTSIDE;

const tagBefore = ({ text, word }: Place): string | undefined => (word === 0 ? undefined : text.tags[word - 1]);

const mixed = (one: Place, other: Place) =>
  dataErrors.mixedSchemes(one.text.at(one.word), tagAt(one), other.text.at(other.word), tagAt(other));

const advice: Readonly<Record<Scheme, string>> = {
  IOB1: 'B- stands only behind an entity of the same type in IOB1',
  IOB2: 'every entity begins with B- in IOB2',
  IOBES: 'an entity of several words is B-, I-, ..., E- in IOBES, and one of a single word S-',
  BILOU: 'an entity of several words is B-, I-, ..., L- in BILOU, and one of a single word U-',
};

/** Whether an entity may be unfinished behind the word before. */
const isOpen = (place: Place): boolean => mayGoOn(before(place).mark);

const known: Readonly<Record<Scheme, string>> = { IOB1: 'BI', IOB2: 'BI', IOBES: 'BIES', BILOU: 'BILU' };

/** Whether a tag may stand where it does. */
const fits = (place: Place, scheme: Scheme): boolean => {
  const { mark } = partsAt(place);
  const tag = tagAt(place);
  if (tag !== OUTSIDE && !known[scheme].includes(tag[0] ?? '')) return false;
  if (scheme === 'IOB1') return true;
  const continues = mark === 'inside' || mark === 'end';
  if (continues) return goesOn(place);
  return scheme === 'IOB2' || !isOpen(place);
};

const lastOf = (text: TaggedText): Mark =>
  text.tags.length === 0 ? 'outside' : partsAt({ text, word: text.tags.length - 1 }).mark;

const expectFit = (text: TaggedText, scheme: Scheme): void => {
  for (let word = 0; word < text.tags.length; word++) {
    const place = { text, word };
    if (fits(place, scheme)) continue;
    throw dataErrors.brokenTags(text.at(word), { tag: tagAt(place), after: tagBefore(place), advice: advice[scheme] });
  }
  if ((scheme === 'IOBES' || scheme === 'BILOU') && mayGoOn(lastOf(text))) {
    const word = text.tags.length - 1;
    throw dataErrors.openEntity(text.at(word), text.tags[word] ?? OUTSIDE, advice[scheme]);
  }
};

/** A tag in IOB2. */
const inIob2 = (place: Place, scheme: Scheme): string => {
  const { mark, type } = partsAt(place);
  if (mark === 'outside') return OUTSIDE;
  const begins = mark === 'begin' || mark === 'single' || (scheme === 'IOB1' && !goesOn(place));
  return `${begins ? 'B' : 'I'}-${type}`;
};

/**
 * Tags of texts in IOB2, whatever scheme they follow: the one that is named, else the one that all of them fit. Throws a
 * dataError at the first word that breaks it.
 */
export const toIob2 = (texts: readonly TaggedText[], scheme = schemeOf(texts)): readonly (readonly string[])[] => {
  for (const text of texts) expectFit(text, scheme);
  return texts.map((text) => text.tags.map((_, word) => inIob2({ text, word }, scheme)));
};

/** The tags of IOB2 for the types that some tags are of: each may begin and go on, whether that was seen or not. */
export const allTags = (tags: readonly string[]): readonly string[] => {
  const types = new Set(tags.flatMap((tag) => partsOf(tag)?.type || []));
  return [OUTSIDE, ...[...types].sort().flatMap((type) => [`B-${type}`, `I-${type}`])];
};
