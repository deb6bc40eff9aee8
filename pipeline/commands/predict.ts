import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { RequestError } from '../diagnostic.ts';
import { defaultThreads } from '../plan/fingerprint.ts';
import { type Said, saidAbout } from './answers.ts';
import { exit, readingModel, wholeNumber } from './common.ts';

interface Options {
  readonly json?: boolean;
  readonly top: number;
  readonly threads?: number;
}

const examples = `
Examples:
  $ decant predict runs/NAME/deploy "a large wild cat"
  $ decant predict runs/NAME/models/student "one text" "another text" --top 3
  $ decant predict runs/NAME/models/tagger "The cat sat on the mat ."      # one word a line, a tab, its tag
  $ cat texts.txt | decant predict runs/NAME/deploy --json`;

const readLines = async (): Promise<readonly string[]> => {
  const lines: string[] = [];
  for await (const line of createInterface({ input: process.stdin })) if (line.trim() !== '') lines.push(line);
  return lines;
};

/** Texts of the command line, or else one a line from standard input. */
const textsFrom = async (texts: readonly string[]): Promise<readonly string[]> => {
  if (texts.length === 0 && process.stdin.isTTY) {
    throw new RequestError('there is no text: give it as an argument, or one text a line on standard input');
  }
  const given = texts.length > 0 ? texts : await readLines();
  const empty = given.findIndex((text) => text.trim() === '');
  if (given.length === 0) throw new RequestError('there is no text on standard input; expected one text a line');
  if (empty !== -1) throw new RequestError(`text ${empty + 1} is empty`);
  return given;
};

/** Words are what stands between spaces: a tagger gives each an answer. */
const asWords = (text: string): string => text.trim().split(/\s+/).join(' ');

const predict = async (folder: string, given: readonly string[], options: Options): Promise<Said> => {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new RequestError(`${folder}: no such folder; expected a model folder such as runs/NAME/deploy`);
  }
  const read = await textsFrom(given);
  const { readModel } = await import('../../models/files.ts');
  const model = await readingModel(() => readModel(folder));
  const { info } = model;
  if (info.task === 'fill-mask') {
    throw new RequestError(
      `${folder}: holds a model that fills in words (fill-mask); expected one that was trained further`,
    );
  }
  const texts = info.task === 'token-classification' ? read.map(asWords) : read;
  const { predict: predictTexts } = await import('../../engine/predict.ts');
  const { isQuantized } = await import('../../models/quantized.ts');
  const predicted = await predictTexts({
    model,
    texts,
    maxLength: info.maxLength,
    threads: options.threads ?? defaultThreads(),
    batching: isQuantized(model.graph) ? 'single' : 'length',
  });
  return saidAbout({ info, texts, predicted, top: options.top });
};

/** `decant predict`. */
export const predictCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('predict')
    .argument('<folder>', 'model folder: a stage of a run, or an exported folder')
    .argument('[text...]', 'texts; without any, one text a line is read from standard input')
    .summary('classify texts, tag their words or make vectors of them')
    .description(
      'Classify texts, tag their words, or make vectors of them, with the model of a stage or of an exported folder.',
    )
    .option('--top <n>', 'classes shown for each text that is classified', wholeNumber(1, 1000), 1)
    .option('--threads <n>', `threads of one operator (default: ${defaultThreads()})`, wholeNumber(1, 1024))
    .option('--json', 'print one JSON document: all classes, words with their tags, or vectors')
    .addHelpText('after', examples)
    .action(async (folder: string, texts: readonly string[], options: Options) => {
      const { json, text } = await predict(folder, texts, options);
      process.stdout.write(options.json === true ? `${JSON.stringify(json, null, 2)}\n` : `${text}\n`);
      end(exit.done);
    });
};
