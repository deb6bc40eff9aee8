import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import { RequestError } from '../diagnostic.ts';
import { defaultThreads } from '../plan/fingerprint.ts';
import { exit, readingModel, wholeNumber } from './common.ts';

interface Options {
  readonly json?: boolean;
  readonly top: number;
  readonly threads?: number;
}

interface Prediction {
  readonly text: string;
  readonly label: string;
  readonly probability: number;
  /** All classes, most probable first. */
  readonly classes: readonly { readonly label: string; readonly probability: number }[];
}

const examples = `
Examples:
  $ decant predict runs/NAME/deploy "a large wild cat"
  $ decant predict runs/NAME/models/student "one text" "another text" --top 3
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

const softmax = (logits: Float32Array): readonly number[] => {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
};

const predictionOf = (text: string, logits: Float32Array, labels: readonly string[]): Prediction => {
  const classes = softmax(logits)
    .map((probability, i) => ({ label: labels[i] ?? `class ${i}`, probability }))
    .toSorted((a, b) => b.probability - a.probability);
  const [best] = classes;
  return { text, label: best?.label ?? '', probability: best?.probability ?? 0, classes };
};

const predict = async (folder: string, given: readonly string[], threads: number): Promise<readonly Prediction[]> => {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new RequestError(`${folder}: no such folder; expected a model folder such as runs/NAME/deploy`);
  }
  const texts = await textsFrom(given);
  const { readModel } = await import('../../models/files.ts');
  const model = await readingModel(() => readModel(folder));
  if (model.info.task !== 'text-classification') {
    throw new RequestError(`${folder}: holds a model without classes (${model.info.task}); expected a classifier`);
  }
  const { predictLogits } = await import('../../engine/predict.ts');
  const { isQuantized } = await import('../../models/quantized.ts');
  const logits = await predictLogits({
    model,
    texts,
    maxLength: model.info.maxLength,
    threads,
    batching: isQuantized(model.graph) ? 'single' : 'length',
    signal: new AbortController().signal,
  });
  const width = model.info.labels.length;
  return texts.map((text, i) => predictionOf(text, logits.subarray(i * width, (i + 1) * width), model.info.labels));
};

const percent = (rate: number): string => `${(rate * 100).toFixed(1)} %`;

const render = (predictions: readonly Prediction[], top: number): string =>
  predictions
    .map(({ text, classes }) => {
      const width = Math.max(...classes.slice(0, top).map(({ label }) => label.length));
      const rows = classes
        .slice(0, top)
        .map(({ label, probability }) => `  ${label.padEnd(width)}  ${percent(probability).padStart(7)}`);
      return [text, ...rows].join('\n');
    })
    .join('\n');

/** `decant predict`. */
export const predictCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('predict')
    .argument('<folder>', 'model folder: a stage of a run, or an exported folder')
    .argument('[text...]', 'texts; without any, one text a line is read from standard input')
    .summary('classify texts with a model')
    .description('Classify texts with the model of a stage or of an exported folder.')
    .option('--top <n>', 'classes shown for each text', wholeNumber(1, 1000), 1)
    .option('--threads <n>', `threads of one operator (default: ${defaultThreads()})`, wholeNumber(1, 1024))
    .option('--json', 'print one JSON document with all classes')
    .addHelpText('after', examples)
    .action(async (folder: string, texts: readonly string[], { top, threads, json }: Options) => {
      const predictions = await predict(folder, texts, threads ?? defaultThreads());
      process.stdout.write(
        json === true ? `${JSON.stringify(predictions, null, 2)}\n` : `${render(predictions, top)}\n`,
      );
      end(exit.done);
    });
};
