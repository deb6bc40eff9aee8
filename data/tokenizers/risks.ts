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

/** A text of n characters has at most factor n + more after a normaliser. */
interface Growth {
  readonly factor: number;
  readonly more: number;
}

/** What Unicode's forms make of one character at most (UAX 15: 3 in NFC, 4 in NFD, 18 in NFKC and NFKD), and lower case. */
const factors: Readonly<Record<string, number>> = {
  ...{ BertNormalizer: 4, ByteLevel: 4, Lowercase: 3, NFC: 3, NFD: 4, NFKC: 18, NFKD: 18, Precompiled: 18 },
};

const growthOfReplace = ({ pattern, content }: Part): Growth => {
  const { String: exact, Regex } = partOf(pattern);
  const length = String(content).length;
  // A regular expression may match a single character, and nothing before each.
  if (typeof Regex === 'string') return { factor: length + 1, more: length };
  const replaced = String(exact).length;
  return { factor: replaced === 0 ? 1 : Math.max(1, length / replaced), more: 0 };
};

const growthOf = (json: unknown): Growth => {
  const part = partOf(json);
  const { type, normalizers, prepend } = part;
  if (type === 'Replace') return growthOfReplace(part);
  if (type === 'Prepend') return { factor: 1, more: String(prepend).length };
  const start: Growth = { factor: factors[String(type)] ?? 1, more: 0 };
  return listOf(normalizers)
    .map(growthOf)
    .reduce((all, { factor, more }) => ({ factor: all.factor * factor, more: all.more * factor + more }), start);
};

/** Chains of honest replacements stay below, since they add up and never multiply; their bound alone is this large. */
const MOST_GROWTH = 20_000;

/** WordPiece looks up every part of a word: beyond this one word takes tenths of a second. */
const LONGEST_WORD = 1000;

/** What of a tokenizer.json may make hours of work or gigabytes of one short text; most have nothing of it. */
export const risksOf = ({ normalizer, pre_tokenizer, model }: TokenizerJson): readonly string[] => {
  const { factor, more } = growthOf(normalizer);
  const growth = Math.max(factor, more);
  const longest = Number(partOf(model).max_input_chars_per_word ?? 0);
  return [
    ...[normalizer, pre_tokenizer]
      .flatMap(patternsIn)
      .filter((pattern) => !simple.test(pattern))
      .map(quoted),
    ...(growth > MOST_GROWTH ? [`a normalizer that makes a text up to ${growth.toPrecision(2)} times as long`] : []),
    ...(longest > LONGEST_WORD ? [`max_input_chars_per_word (${longest})`] : []),
  ];
};
