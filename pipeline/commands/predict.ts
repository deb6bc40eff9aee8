import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { cutShare } from '../../data/lengths.ts';
import type { Encoded } from '../../engine/encoded.ts';
import type { Task } from '../../engine/tasks/task.ts';
import type { Model } from '../../models/model.ts';
import { jsonForPeople, manyLines } from '../../reports/text.ts';
import { requestError } from '../diagnostic.ts';
import { type LimitOptions, limited, type Work } from '../guard/limits.ts';
import { defaultThreads } from '../plan/threads.ts';
import type { Said } from './answers.ts';
import { type Failed, type Given, isFailed } from './asked.ts';
import { beforeReading, collect, exit, wholeNumber } from './common.ts';
import { askedFrom, type PairOptions } from './lines.ts';

interface Options extends LimitOptions, PairOptions {
  readonly json?: boolean;
  readonly top: number;
  readonly threads?: number;
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
  $ decant predict runs/NAME/models/filler "A [MASK] is a wild cat." --top 5      # the most probable tokens of each mask
  $ cat texts.txt | decant predict runs/NAME/deploy --json
  $ decant predict runs/NAME/deploy "A man sleeps." --pair "Somebody is awake."
  $ cat pairs.tsv | decant predict runs/NAME/deploy --pairs      # two texts a line with a tab between them`;

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

/** What nobody would notice in the answers: texts that were cut, and tokens that the model does not know. */
const notesOn = async ({ info, tokenizer }: Model, texts: readonly Encoded[]): Promise<readonly string[]> => {
  const { unknownShare } = await import('../../data/tokenizers/unknown.ts');
  const { tokensOf } = await import('../../engine/encoded.ts');
  const cut = cutShare(texts, 'texts');
  const unknown = unknownShare(tokenizer, texts.map(tokensOf));
  return [
    ...(cut === undefined
      ? []
      : [`${cut} are longer than the ${info.maxLength} tokens that the model reads and are cut`]),
    ...(unknown === 0
      ? []
      : [
          `${(100 * unknown).toFixed(1)} % of the tokens of these texts are not in the model's vocabulary: it reads all of them alike`,
        ]),
  ];
};

const modelIn = async (folder: string): Promise<Model> => {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw requestError(`${folder}: no such folder; expected a model folder such as runs/NAME/deploy`);
  }
  const { readModel } = await import('../../models/files.ts');
  await beforeReading(folder);
  return await readModel(folder);
};

/** Texts as a task reads them: those whose words have an answer each as these with single spaces between them. */
const textsFor = (folder: string, { words }: Task, given: readonly Given[]): readonly Given[] => {
  if (words === undefined) return given;
  if (given.some(({ pair }) => pair !== undefined)) {
    throw requestError(`${folder}: tags the words of single texts; leave --pair and --pairs out`);
  }
  return given.map(({ text }) => ({
    text: words(text)
      .map(({ word }) => word)
      .join(' '),
  }));
};

interface Answered extends Said {
  /** Lines that were no text. */
  readonly failed: readonly Failed[];
  readonly notes: readonly string[];
}

const LONGEST_SHOWN = 60;

const calledBy = (texts: readonly Given[], i: number): string =>
  `text ${i + 1} (${JSON.stringify(texts[i]?.text.slice(0, LONGEST_SHOWN) ?? '')})`;

/** Texts as the task reads what people ask; each has to ask something. */
const readAs = async (task: Task, model: Model, texts: readonly Given[]): Promise<readonly Encoded[]> => {
  const { info } = model;
  if (task.ask === undefined) return task.encode(model, texts, info.maxLength);
  const encoded = await task.ask(model, texts);
  const silent = encoded.findIndex(({ places }) => places?.length === 0);
  if (silent < 0) return encoded;
  const { maskTokenOf } = await import('../../models/special-tokens.ts');
  const mask = maskTokenOf(model)?.text ?? 'the mask token, which the tokenizer lacks';
  throw requestError(
    `${calledBy(texts, silent)}: there is nothing to fill in; expected ${mask} in the place of a word, among the first ${info.maxLength} tokens`,
  );
};

const answersFrom = async (folder: string, model: Model, given: readonly Given[], options: Options) => {
  const { taskOf } = await import('../../engine/tasks/index.ts');
  const task = taskOf(model.info.task);
  const texts = textsFor(folder, task, given);
  const { predict: predictTexts } = await import('../../engine/predict.ts');
  const { batchingOf } = await import('../../models/quantized.ts');
  const { info } = model;
  const limits = limited(await workOf(folder, model, texts), options);
  const predicted = await predictTexts({
    ...{ model, task },
    examples: await readAs(task, model, texts),
    called: (text) => calledBy(texts, text),
    threads: options.threads ?? defaultThreads(),
    batching: batchingOf(model.graph),
    onProgress: limits.renew,
  });
  return { task, info, labels: task.names?.(model) ?? info.labels, texts: given, predicted };
};

const predict = async (folder: string, lines: readonly string[], options: Options): Promise<Answered> => {
  const asked = await askedFrom(lines, options);
  const given = asked.filter((one): one is Given => !isFailed(one));
  const failed = asked.filter(isFailed);
  if (given.length === 0) throw requestError(failed.map(({ error }) => error).join('\n'));
  const model = await modelIn(folder);
  const said = await answersFrom(folder, model, given, options);
  const { saidAbout } = await import('./answers.ts');
  const { json: told, text } = saidAbout({ ...said, top: options.top });
  const answers = [...told];
  const json = asked.map((one) => (isFailed(one) ? one : answers.shift()));
  return { json, text, failed, notes: await notesOn(model, said.predicted.answers.examples) };
};

/** `decant predict`. */
export const predictCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('predict')
    .argument('<folder>', 'model folder: a stage of a run, or an exported folder')
    .argument('[text...]', 'texts; without any, one text a line is read from standard input')
    .summary('classify or rate texts, tag or fill in their words, or make vectors of them')
    .description(
      'Classify or rate texts, tag their words, fill in masked ones, or make vectors of them, with the model of a stage or of an exported folder.',
    )
    .addOption(
      new Option('--pair <text>', 'second text of a pair, once for each text').argParser(collect).default([], 'none'),
    )
    .option('--pairs', 'read pairs from standard input: two texts a line, a tab between them')
    .option(
      '--top <n>',
      'classes shown for each text that is classified, tokens for each mask',
      wholeNumber(1, 1000),
      1,
    )
    .option('--threads <n>', `threads of one operator (default: ${defaultThreads()})`, wholeNumber(1, 1024))
    .option('--timeout <s>', 'seconds that one pass of texts may take', wholeNumber(1, 1_000_000), PATIENCE)
    .option(
      '--memory <MB>',
      'memory that may be taken (default: what its weights and texts should need)',
      wholeNumber(1, 10_000_000),
    )
    .option(
      '--json',
      'print one JSON document: all classes, numbers, words with their tags, tokens of masks, or vectors',
    )
    .addHelpText('after', examples)
    .action(async (folder: string, texts: readonly string[], options: Options) => {
      const { json, text, failed, notes } = await predict(folder, texts, options);
      process.stdout.write(options.json === true ? jsonForPeople(json) : `${manyLines(text)}\n`);
      for (const line of [...notes, ...failed.map(({ error }) => error)]) process.stderr.write(`${line}\n`);
      end(failed.length === 0 ? exit.done : exit.failed);
    });
};
