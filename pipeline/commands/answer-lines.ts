import { manyLines, oneLine } from '../../reports/text.ts';
import type { Answer, EntitiesAnswer, Given, MasksAnswer, SetAnswer, TagsAnswer } from '../api/index.ts';

/** A pair takes two lines. */
const heading = ({ text, pair }: Given): string =>
  pair === undefined ? manyLines(text) : `${manyLines(text)}\n${manyLines(pair)}`;

/** Width of a probability: 100.0 %. */
const PERCENT = 7;

const percent = (rate: number): string => `${(rate * 100).toFixed(1)} %`;

type Line = readonly string[];

/** Lines below a text, their first cells as wide as the widest. */
const columns = (lines: readonly Line[]): readonly string[] => {
  const cells = lines.map(([first = '', ...more]) => [oneLine(first), ...more.map((cell) => cell.padStart(PERCENT))]);
  const width = Math.max(...cells.map(([first = '']) => first.length));
  return cells.map(([first = '', ...more]) => `  ${[first.padEnd(width), ...more].join('  ')}`);
};

/** Classes that were said, all of them, and others up to `top`. */
const setLines = ({ classes }: SetAnswer, top: number): readonly Line[] => {
  const chosen = classes.filter(({ said }) => said);
  const others = classes.filter(({ said }) => !said);
  const lines = [
    ...(chosen.length === 0 ? [['(none)']] : []),
    ...chosen.map(({ label, probability }) => [label, percent(probability)]),
    ...others.map(({ label, probability, threshold }) => [label, percent(probability), `below ${percent(threshold)}`]),
  ];
  return lines.slice(0, Math.max(top, 1, chosen.length));
};

const SHOWN_DIGITS = 4;

const numberLine = (score: number | null): Line => [score === null ? '' : `${Number(score.toPrecision(SHOWN_DIGITS))}`];

const SHOWN_NUMBERS = 6;

const vectorLine = (vector: readonly number[]): Line => {
  const shown = vector.slice(0, SHOWN_NUMBERS).map((x) => x.toFixed(4));
  return [`${vector.length} numbers: ${shown.join(' ')}${vector.length > SHOWN_NUMBERS ? ' ...' : ''}`];
};

/** One word a line with its class behind a tab, as taggers write. */
const tagLines = ({ words }: TagsAnswer): string =>
  words.map(({ word, label }) => `${word}\t${oneLine(label ?? '')}`).join('\n');

const entityLines = ({ text, entities }: EntitiesAnswer): string =>
  [
    manyLines(text),
    ...columns(entities.map((one) => [`${one.label}  ${oneLine(one.text)}`, percent(one.probability)])),
  ].join('\n');

/** The most probable tokens of each mask, one mask after the other. */
const maskLines = (answer: MasksAnswer, top: number): string => {
  const masks = answer.masks.map(({ tokens }) =>
    columns(tokens.slice(0, top).map(({ token, probability }) => [token, percent(probability)])).join('\n'),
  );
  return `${heading(answer)}\n${masks.join('\n\n')}`;
};

const below = (given: Given, lines: readonly Line[]): string => [heading(given), ...columns(lines)].join('\n');

/** One answer as people read it: up to `top` lines of it. */
const answerLines = (answer: Answer, top: number): string => {
  if ('words' in answer) return tagLines(answer);
  if ('entities' in answer) return entityLines(answer);
  if ('masks' in answer) return maskLines(answer, top);
  if ('labels' in answer) return below(answer, setLines(answer, top));
  if ('vector' in answer) return below(answer, [vectorLine(answer.vector)]);
  if (!('classes' in answer)) return below(answer, [numberLine(answer.score)]);
  return below(
    answer,
    answer.classes.slice(0, top).map(({ label, probability }) => [label, percent(probability)]),
  );
};

/** Answers as people read them; an empty line between texts whose words take one each. */
export const answersText = (answers: readonly Answer[], top: number): string =>
  answers.map((answer) => answerLines(answer, top)).join(answers.some((one) => 'words' in one) ? '\n\n' : '\n');
