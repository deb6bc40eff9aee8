import { requestError } from '../diagnostic.ts';
import type { Asked } from './asked.ts';

export interface PairOptions {
  /** Second texts, one a text. */
  readonly pair: readonly string[];
  /** Lines of standard input hold two texts each. */
  readonly pairs?: boolean;
}

/** A line of standard input or an argument, by its number. */
interface Line {
  readonly number: number;
  readonly text: string;
}

/** Read as a file of data is: what it refuses is no text here either. What follows the last line end is a line if it is any. */
const readLines = async (): Promise<readonly Line[]> => {
  const { textLines } = await import('../../data/datasets/text-blocks.ts');
  const lines: Line[] = [];
  for await (const { line, text } of textLines({ shown: 'standard input', stream: process.stdin })) {
    lines.push({ number: line, text });
  }
  return lines.at(-1)?.text === '' ? lines.slice(0, -1) : lines;
};

/** Texts of the command line, or else one a line from standard input. */
const linesFrom = async (texts: readonly string[]): Promise<readonly Line[]> => {
  if (texts.length === 0 && process.stdin.isTTY) {
    throw requestError('there is no text: give it as an argument, or one text a line on standard input');
  }
  const lines = texts.length > 0 ? texts.map((text, i) => ({ number: i + 1, text })) : await readLines();
  if (lines.length === 0) throw requestError('there is no text on standard input; expected one text a line');
  return lines;
};

const jsonOf = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

/** Two texts of a line: a list of them in JSON, or a tab between them. */
const pairOfLine = ({ number, text: line }: Line): Asked => {
  const parts: unknown = line.startsWith('[') ? jsonOf(line) : line.split('\t');
  const [text, pair]: readonly unknown[] = Array.isArray(parts) && parts.length === 2 ? parts : [];
  if (typeof text === 'string' && typeof pair === 'string' && pair.trim() !== '') return { text, pair };
  return {
    line: number,
    error: `line ${number} of standard input is no pair; expected two texts with a tab between them, or ["one", "other"]`,
  };
};

const checkPairs = (texts: readonly string[], { pair, pairs }: PairOptions): void => {
  if (pairs === true && (texts.length > 0 || pair.length > 0)) {
    throw requestError('--pairs reads pairs from standard input; give texts and --pair, or --pairs alone');
  }
  if (pair.length > 0 && pair.length !== texts.length) {
    throw requestError(`found ${texts.length} texts and ${pair.length} times --pair; expected one --pair a text`);
  }
  const empty = pair.findIndex((text) => text.trim() === '');
  if (empty !== -1) throw requestError(`--pair ${empty + 1} is empty; leave --pair out for single texts`);
};

/** Texts, or pairs of them where an option says so; a line that is none is answered by its own error. */
export const askedFrom = async (texts: readonly string[], options: PairOptions): Promise<readonly Asked[]> => {
  checkPairs(texts, options);
  const called = texts.length > 0 ? 'text' : 'line';
  const where = texts.length > 0 ? '' : ' of standard input';
  return (await linesFrom(texts)).map((line, i) => {
    const { number, text } = line;
    if (text.trim() === '') {
      return { line: number, error: `${called} ${number}${where} is empty; expected a text` };
    }
    if (options.pairs === true) return pairOfLine(line);
    const pair = options.pair[i];
    return pair === undefined ? { text } : { text, pair };
  });
};
