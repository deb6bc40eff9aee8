import { type Command, InvalidArgumentError, Option } from 'commander';
import { jsonForPeople } from '../../reports/text.ts';
import { type GenerateOptions, generate, strategies } from '../api/index.ts';
import { allow, type LimitOptions } from '../guard/limits.ts';
import { addLimitOptions, collect, dtypeOption, exit, untilSignal, wholeNumber } from './common.ts';

interface Options extends LimitOptions, Omit<GenerateOptions, 'signal' | 'stop'> {
  readonly json?: boolean;
  readonly stop: readonly string[];
}

/** Seconds that one token may take. */
const PATIENCE = 60;

const examples = `
Examples:
  $ decant generate runs/NAME/deploy "The jury said"
  $ decant generate runs/NAME/models/teacher "The jury said" --tokens 40 --temperature 0.8 --top-p 0.95 --seed 7
  $ decant generate runs/NAME/deploy "The jury said" --stop "\n" --json`;

const flagOf = (option: string): string => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} <n>`;

/** A number that a strategy takes, or an error that says which those are. */
const numberFor =
  ({ expected }: (typeof strategies)[number]) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    const words = expected(value);
    if (words === undefined) return value;
    throw new InvalidArgumentError(`Expected ${words}.`);
  };

/** Line breaks and tabs as they are written in a shell. */
const unescaped = (text: string, before: readonly string[]): readonly string[] =>
  collect(text.replaceAll('\\n', '\n').replaceAll('\\t', '\t'), before);

const rate = (given: number): string => (given >= 100 ? given.toFixed(0) : given.toPrecision(3));

const ends = { end: 'the model ended the text', stop: 'a stop was met', tokens: 'as many as were asked for' } as const;

const run = async (path: string, prompt: string, options: Options, signal: AbortSignal): Promise<number> => {
  const job = generate(path, prompt, { ...options, signal });
  if (options.json !== true) {
    let begun = false;
    for await (const { text, answers } of job) {
      process.stdout.write(begun || answers === true ? text : `${prompt}${text}`);
      begun = true;
    }
    if (!begun && (await job).answers !== true) process.stdout.write(prompt);
    process.stdout.write('\n');
  }
  const made = await job;
  if (options.json === true) process.stdout.write(jsonForPeople(made));
  const { read, written, reason } = made;
  process.stderr.write(
    `${written.tokens} tokens behind the first, ${rate(written.tokensPerSecond)} a second; prompt of ${read.tokens} tokens, ${rate(read.tokensPerSecond)} a second; ${ends[reason]}\n`,
  );
  return exit.done;
};

/** `decant generate`. */
export const generateCommand = (program: Command, end: (code: number) => void): void => {
  const command = program
    .command('generate')
    .argument('<model>', 'model folder: a stage of a run, or an exported one')
    .argument('<prompt>', 'text that is written on, or answered')
    .summary('write a text on, or an answer to it')
    .description(
      'Write a text on with a decoder, or an answer to it with an encoder-decoder, token by token, and say how fast. The most probable token comes next unless one is drawn.',
    )
    .option('--tokens <n>', 'new tokens at most (default: 128)', wholeNumber(1, 1_000_000))
    .addOption(
      new Option('--stop <text>', 'end at this text and leave it out; more than once for several')
        .argParser(unescaped)
        .default([], 'none'),
    )
    .option('--seed <n>', 'what is drawn (default: 0)', wholeNumber(0, 2 ** 32 - 1))
    .addOption(dtypeOption());
  for (const strategy of strategies) command.option(flagOf(strategy.option), strategy.summary, numberFor(strategy));
  addLimitOptions(command, PATIENCE)
    .option('--json', 'print one JSON document with the text, why it ended, and tokens a second')
    .addHelpText('after', examples)
    .action(async (path: string, prompt: string, options: Options) => {
      allow(options);
      end(await untilSignal((signal) => run(path, prompt, options, signal)));
    });
};
