import { type Command, InvalidArgumentError } from 'commander';
import { bytes, whole as count } from '../../reports/figures.ts';
import { manyLines } from '../../reports/text.ts';
import type { Job, ReadingEvent, Written } from '../api/index.ts';
import { plainView } from '../view/plain.ts';
import { exit, followed, modelHelp, untilSignal } from './common.ts';

export interface RewritingOptions {
  readonly out: string;
  readonly float16?: boolean;
  readonly offline?: boolean;
  readonly json?: boolean;
}

/** Where a verb writes to: an empty text is a variable that was not set. */
const outName = (text: string): string => {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Expected the name of a file or folder; found an empty text.');
};

/** Adds what every verb takes that reads a model and writes another. */
export const addRewriting = (command: Command): Command =>
  command
    .argument('<model>', modelHelp)
    .requiredOption('-o, --out <path>', 'what to write: a file where it ends in .onnx, else a folder', outName)
    .option('--offline', 'download nothing (also: DECANT_OFFLINE=1)');

/** Adds what a verb takes whose model stays one of floats. */
export const addFloat16 = (command: Command): Command =>
  command.option('--float16', 'store large weights in float16: half the file; everything still computes in float32');

const change = (before: string, after: string): string => (before === after ? after : `${before} -> ${after}`);

/** `out/model.onnx: 66,955,010 -> 45,691,394 parameters, 268 MB -> 183 MB`. */
const writtenLine = ({ out, parameters, bytes: size }: Written): string =>
  `${out}: ${change(count(parameters.before), count(parameters.after))} parameters, ${change(bytes(size.before), bytes(size.after))}`;

/** Follows a verb to its end and says what it did, in words or as the document that it makes. */
export const rewriting = <T extends Written>(
  start: (signal: AbortSignal) => Job<ReadingEvent, T>,
  say: (written: T) => string,
): Promise<number> =>
  untilSignal(async (signal) => {
    const { emit } = plainView((line) => void process.stderr.write(`${manyLines(line)}\n`));
    process.stdout.write(say(await followed(start(signal), emit)));
    return exit.done;
  }, 'Interrupted: nothing was written.');

/** A line on what was written, and more of them. */
export const words = (written: Written, lines: readonly string[]): string =>
  manyLines(`${[writtenLine(written), ...lines].join('\n')}\n`);
