import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import { cutShare } from '../../data/lengths.ts';
import type { Model } from '../../models/model.ts';
import { RequestError } from '../diagnostic.ts';
import { type LimitOptions, limited, type Work } from '../guard/limits.ts';
import { defaultThreads } from '../plan/fingerprint.ts';
import { type Given, type Said, saidAbout } from './answers.ts';
import { beforeReading, collect, exit, wholeNumber } from './common.ts';

interface Options extends LimitOptions {
  readonly json?: boolean;
  readonly top: number;
  readonly threads?: number;
  /** Second texts, one a text. */
  readonly pair: readonly string[];
  /** Lines of standard input hold two texts each. */
  readonly pairs?: boolean;
}

/** Seconds that one pass of texts may take: a large model on a slow machine needs some of them. */
const PATIENCE = 60;

/** Texts of one pass, at most. */
const BATCH = 64;

const examples = `
Examples:
  $ decant predict runs/NAME/deploy "a large wild cat"
  $ decant predict runs/NAME/models/student "one text" "another text" --top 3
  $ decant predict runs/NAME/models/tagger "The cat sat on the mat ."      # one word a line, a tab, its tag
  $ cat texts.txt | decant predict runs/NAME/deploy --json
  $ decant predict runs/NAME/deploy "A man sleeps." --pair "Somebody is awake."
  $ cat pairs.tsv | decant predict runs/NAME/deploy --pairs      # two texts a line with a tab between them`;

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

/** Two texts of a line: a list of them in JSON, or a tab between them. */
const pairOfLine = (line: string, number: number): Given => {
  const parts: unknown = line.startsWith('[') ? jsonOf(line) : line.split('\t');
  const [text, pair]: readonly unknown[] = Array.isArray(parts) && parts.length === 2 ? parts : [];
  if (typeof text === 'string' && typeof pair === 'string' && pair.trim() !== '') return { text, pair };
  throw new RequestError(
    `line ${number} of standard input is no pair; expected two texts with a tab between them, or ["one", "other"]`,
  );
};

const jsonOf = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

/** Texts, or pairs of them where an option says so. */
const givenFrom = async (texts: readonly string[], { pair, pairs }: Options): Promise<readonly Given[]> => {
  if (pairs === true && (texts.length > 0 || pair.length > 0)) {
    throw new RequestError('--pairs reads pairs from standard input; give texts and --pair, or --pairs alone');
  }
  const read = await textsFrom(texts);
  if (pairs === true) return read.map((line, i) => pairOfLine(line, i + 1));
  if (pair.length === 0) return read.map((text) => ({ text }));
  if (pair.length !== texts.length) {
    throw new RequestError(`found ${texts.length} texts and ${pair.length} times --pair; expected one --pair a text`);
  }
  const empty = pair.findIndex((text) => text.trim() === '');
  if (empty !== -1) throw new RequestError(`--pair ${empty + 1} is empty; leave --pair out for single texts`);
  return texts.map((text, i) => ({ text, pair: pair[i] ?? '' }));
};

/** What running these texts through a model can take. */
const workOf = async (folder: string, { graph, info }: Model, texts: readonly Given[]): Promise<Work> => {
  const { weightBytes } = await import('../../graph/codec/index.ts');
  const tokenizer = await stat(join(folder, 'tokenizer.json'));
  // A token takes a byte at least, and special tokens stand around the text.
  const bytes = texts.map(({ text, pair = '' }) => Buffer.byteLength(text) + Buffer.byteLength(pair) + SPECIAL_TOKENS);
  return {
    files: weightBytes(graph) + tokenizer.size,
    rows: Math.min(texts.length, BATCH),
    longest: Math.min(info.maxLength, Math.max(...bytes)),
  };
};

const SPECIAL_TOKENS = 8;

/** Words are what stands between spaces: a tagger gives each an answer. */
const asWords = (text: string): string => text.trim().split(/\s+/).join(' ');

const predict = async (folder: string, texts: readonly string[], options: Options): Promise<Said> => {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new RequestError(`${folder}: no such folder; expected a model folder such as runs/NAME/deploy`);
  }
  const given = await givenFrom(texts, options);
  const { readModel } = await import('../../models/files.ts');
  await beforeReading(folder);
  const model = await readModel(folder);
  const { info } = model;
  if (info.task === 'fill-mask') {
    throw new RequestError(
      `${folder}: holds a model that fills in words (fill-mask); expected one that was trained further`,
    );
  }
  const tags = info.task === 'token-classification';
  if (tags && given.some(({ pair }) => pair !== undefined)) {
    throw new RequestError(`${folder}: tags the words of single texts; leave --pair and --pairs out`);
  }
  const asked = tags ? given.map(({ text }) => ({ text: asWords(text) })) : given;
  const { predict: predictTexts } = await import('../../engine/predict.ts');
  const { isQuantized } = await import('../../models/quantized.ts');
  const limits = limited(await workOf(folder, model, asked), options);
  const predicted = await predictTexts({
    onProgress: limits.renew,
    model,
    texts: asked,
    maxLength: info.maxLength,
    threads: options.threads ?? defaultThreads(),
    batching: isQuantized(model.graph) ? 'single' : 'length',
  });
  const cut = cutShare(predicted.answers.texts, 'texts');
  if (cut !== undefined) {
    process.stderr.write(`${cut} are longer than the ${info.maxLength} tokens that the model reads and are cut\n`);
  }
  return saidAbout({ info, texts: asked, predicted, top: options.top });
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
    .addOption(
      new Option('--pair <text>', 'second text of a pair, once for each text').argParser(collect).default([], 'none'),
    )
    .option('--pairs', 'read pairs from standard input: two texts a line, a tab between them')
    .option('--top <n>', 'classes shown for each text that is classified', wholeNumber(1, 1000), 1)
    .option('--threads <n>', `threads of one operator (default: ${defaultThreads()})`, wholeNumber(1, 1024))
    .option('--timeout <s>', 'seconds that one pass of texts may take', wholeNumber(1, 1_000_000), PATIENCE)
    .option(
      '--memory <MB>',
      'memory that may be taken (default: what its weights and texts should need)',
      wholeNumber(1, 10_000_000),
    )
    .option('--json', 'print one JSON document: all classes, words with their tags, or vectors')
    .addHelpText('after', examples)
    .action(async (folder: string, texts: readonly string[], options: Options) => {
      const { json, text } = await predict(folder, texts, options);
      process.stdout.write(options.json === true ? `${JSON.stringify(json, null, 2)}\n` : `${text}\n`);
      end(exit.done);
    });
};
