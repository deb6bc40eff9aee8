import type { TokenizerJson } from '../tokenizer.ts';
import { listOf, type Part, partOf } from './parts.ts';

const escaped = String.raw`\\(?:[wWsSdDrnt]|[pP]\{\^?\w+\}|[^\w\s])`;
const characters = String.raw`\[\^?(?:\\.|[^\[\]\\])+\]`;
const literal = String.raw`[^\\[\](){}*+?|^$]`;
const atom = `(?:${escaped}|${characters}|${literal})`;
const repeat = String.raw`(?:[*+]|\{\d+,\d*\})`;

/** One character after the other, few of them optional; then repeats that are never taken back, since what follows may be left out. */
const alternative = String.raw`(?:${atom}(?:\{\d+\})?)*(?:${atom}\?(?:${atom}(?:\{\d+\})?)*){0,3}(?:${atom}${repeat}(?:${atom}[*?])*)?`;

/** Spaces but for the last before a word, as GPT-2 cuts them: at most one is taken back. */
const spaces = String.raw`\\s\+\(\?!\\S\)`;

/** Patterns that match in one go. What another one may do on some text cannot be told from its form alone. */
const simple = new RegExp(`^(?:${spaces}|${alternative})(?:\\|(?:${spaces}|${alternative}))*$`, 'u');

const LONGEST_SHOWN = 60;

const quoted = (pattern: string): string =>
  `the pattern '${pattern.length > LONGEST_SHOWN ? `${pattern.slice(0, LONGEST_SHOWN)}…` : pattern}'`;

/** Every regular expression in a part of tokenizer.json, however deep. */
const patternsIn = (json: unknown): readonly string[] => {
  if (typeof json !== 'object' || json === null) return [];
  const { Regex } = partOf(json);
  return [...(typeof Regex === 'string' ? [Regex] : []), ...Object.values(json).flatMap(patternsIn)];
};

/**
 * A text of n characters has at most unicode * replaced * (n + more) after a normaliser. Unicode's forms do not multiply: what
 * one of them has taken apart stays so.
 */
interface Growth {
  readonly unicode: number;
  readonly replaced: number;
  readonly more: number;
}

const none: Growth = { unicode: 1, replaced: 1, more: 0 };

/** What Unicode's forms make of one character at most (UAX 15: 3 in NFC, 4 in NFD, 18 in NFKC and NFKD), and lower case. */
const unicode: Readonly<Record<string, number>> = {
  ...{ BertNormalizer: 4, Lowercase: 3, NFC: 3, NFD: 4, NFKC: 18, NFKD: 18, Precompiled: 18 },
};

/** Every byte becomes a character of its own, each time again. */
const BYTES = 4;

/** What matches a place and no character: looks around, ends of lines and words. */
const place = /\(\?<?[=!]|\\[bBAzZGK]|\^|\$/;

/** Whether a pattern may match where nothing stands, which may be before every character. */
const matchesNothing = (pattern: string): boolean => {
  if (place.test(pattern)) return true;
  try {
    return new RegExp(pattern, 'u').test('');
  } catch {
    return true;
  }
};

const growthOfReplace = ({ pattern, content }: Part): Growth => {
  const { String: exact, Regex } = partOf(pattern);
  const length = String(content).length;
  if (exact === '') return { ...none, replaced: 1 + length };
  if (typeof Regex !== 'string') return { ...none, replaced: Math.max(1, length / Math.max(1, String(exact).length)) };
  return { ...none, replaced: Math.max(1, length) + Number(matchesNothing(Regex)) * length };
};

const growthOf = (json: unknown): Growth => {
  const part = partOf(json);
  const { type, normalizers, pretokenizers, prepend } = part;
  if (type === 'Replace') return growthOfReplace(part);
  if (type === 'ByteLevel') return { ...none, replaced: BYTES };
  if (type === 'Prepend') return { ...none, more: String(prepend).length };
  const start: Growth = { ...none, unicode: unicode[String(type)] ?? 1 };
  return [...listOf(normalizers), ...listOf(pretokenizers)].map(growthOf).reduce(
    (all, one) => ({
      unicode: Math.max(all.unicode, one.unicode),
      replaced: all.replaced * one.replaced,
      more: all.more + one.more,
    }),
    start,
  );
};

const lengthBy = (characters: number, part: unknown): number => {
  const { unicode: forms, replaced, more } = growthOf(part);
  return forms * replaced * (characters + more);
};

const lengthAfter = (characters: number, { normalizer }: TokenizerJson): number => lengthBy(characters, normalizer);

/** Honest replacements stay far below. */
const MOST_GROWTH = 500;

/** WordPiece looks up every part of a word: beyond this one word takes tenths of a second. */
const LONGEST_WORD = 1000;

/** What of a tokenizer.json may make hours of work or gigabytes of one short text; most have nothing of it. */
export const risksOf = (json: TokenizerJson): readonly string[] => {
  const { normalizer, pre_tokenizer, model } = json;
  const growth = lengthAfter(1, json);
  const bytes = lengthBy(1, pre_tokenizer);
  const longest = Number(partOf(model).max_input_chars_per_word ?? 0);
  return [
    ...[normalizer, pre_tokenizer]
      .flatMap(patternsIn)
      .filter((pattern) => !simple.test(pattern))
      .map(quoted),
    ...(growth > MOST_GROWTH ? [`a normalizer that makes up to ${growth.toPrecision(2)} characters of one`] : []),
    ...(bytes > MOST_GROWTH ? [`a pre-tokenizer that makes up to ${bytes.toPrecision(2)} characters of one`] : []),
    ...(longest > LONGEST_WORD ? [`max_input_chars_per_word (${longest})`] : []),
  ];
};

/** Every step of a normalizer goes over all of what the step before it made. */
const stepsOf = (json: unknown): number => {
  const parts = listOf(partOf(json).normalizers);
  return parts.length === 0 ? 1 : parts.reduce<number>((sum, part) => sum + stepsOf(part), 0);
};

/** Added tokens are normalised as the file is loaded, before anything watches: so many characters take a second or two. */
const MOST_ADDED = 20_000_000;

/** Of added tokens that would take minutes, or fill the memory, all together: the one that takes the most. */
export const endlessToken = (json: TokenizerJson): string | undefined => {
  const steps = stepsOf(json.normalizer);
  const works = listOf(json.added_tokens)
    .map(partOf)
    .filter(({ normalized }) => normalized === true)
    .map(({ content }) => ({ content: String(content), work: steps * lengthAfter(String(content).length, json) }));
  const sum = works.reduce((all, { work }) => all + work, 0);
  return sum > MOST_ADDED ? works.toSorted((a, b) => b.work - a.work)[0]?.content : undefined;
};
