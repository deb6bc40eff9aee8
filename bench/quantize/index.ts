import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { tokenizerOf } from '../../data/tokenize.ts';
import { type Encoded, encodedText } from '../../engine/encoded.ts';
import { feedsFor, fitted } from '../../engine/feeds.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { importFolder } from '../../models/importers/folder/index.ts';
import { type Model, tokenizerIn } from '../../models/model.ts';
import { config } from '../../stages/quantize/config.ts';
import { quantizeModel } from '../../stages/quantize/work.ts';
import { definitionsOf } from '../definitions.ts';
import { modelFrom, type Nearness, nearness, refusalOfFile, runtime, speedsOf, vectorsOf } from './judge.ts';

/** Options of the quantize stage, those of the yardsticks first. */
const asked: readonly Readonly<Record<string, unknown>>[] = [
  { format: 'int8', smooth: false },
  { format: 'int8' },
  { format: 'int8-static' },
  { format: 'fp16' },
  { format: 'q8-blocks' },
  { format: 'q8-blocks', embeddings: false },
  ...['nearest', 'hqq', 'awq', 'gptq', 'awq-gptq'].map((rounding) => ({ format: 'q4', embeddings: false, rounding })),
  { format: 'q4', embeddings: false, block: 128 },
  { format: 'q4', embeddings: false, zeroPoint: false },
  { format: 'q4', rounding: 'nearest' },
  { format: 'q4' },
  { format: 'q4', budget: { bytes: '16MB' } },
  { format: 'q2' },
];

const shapes = [
  [1, 16],
  [1, 128],
] as const;

const textsFor = async (model: Model, count: number): Promise<readonly [readonly Encoded[], readonly Encoded[]]> => {
  const [calibrate, judge] = await definitionsOf(count);
  const encoded = async (texts: readonly string[]): Promise<readonly Encoded[]> =>
    (await tokenizerOf(tokenizerIn(model)).encodeBatch([...texts], 128)).map(encodedText);
  return [await encoded(calibrate), await encoded(judge)];
};

/** A file, and how it was made. */
interface Contender {
  readonly maker: 'decant' | 'python';
  readonly recipe: string;
  readonly file: string;
}

interface Subject {
  readonly model: Model;
  readonly folder: string;
  readonly calibrate: readonly Encoded[];
}

const ownFiles = async (
  { model, folder, calibrate }: Subject,
  wanted: (recipe: string) => boolean,
): Promise<readonly Contender[]> => {
  const made: Contender[] = [{ maker: 'decant', recipe: 'float, fused', file: join(folder, 'float.onnx') }];
  await writeGraph(join(folder, 'float.onnx'), fuseForInference(model.graph));
  const context = { threads: 2, signal: new AbortController().signal, onProgress: () => undefined };
  for (const [i, options] of asked.entries()) {
    const recipe = JSON.stringify(options).replaceAll('"', '');
    if (!wanted(recipe)) continue;
    process.stderr.write(`making ${recipe}\n`);
    const texts = { seen: calibrate, judged: calibrate.slice(0, 60) };
    const { model: stored } = await quantizeModel(model, config.parse(options), texts, context);
    const file = join(folder, `decant-${i}.onnx`);
    await writeGraph(file, stored.graph);
    made.push({ maker: 'decant', recipe, file });
  }
  return made;
};

const rowOf = (line: string): Contender => {
  const { file, recipe } = Object(JSON.parse(line));
  return { maker: 'python', file: String(file), recipe: String(recipe) };
};

/** What Python's tools make of the file as it was imported, on the same texts. */
const rivalFiles = async (python: string, { model, folder, calibrate }: Subject): Promise<readonly Contender[]> => {
  const [source, texts] = [join(folder, 'source.onnx'), join(folder, 'calibration.json')];
  await writeGraph(source, model.graph);
  const feeds = calibrate.map((text) => {
    const batch = fitted(model.info, { rows: Int32Array.of(0), length: text.length });
    const all = Object.entries(feedsFor(model.info, [text], batch));
    return Object.fromEntries(all.map(([name, { data }]) => [name, Array.from(data, Number)]));
  });
  await writeFile(texts, JSON.stringify(feeds));
  const script = join(import.meta.dirname, 'rival.py');
  const { stdout, stderr } = await promisify(execFile)(python, [script, source, folder, texts]);
  for (const line of stderr.split('\n')) if (/Error: /.test(line)) process.stderr.write(`left out: ${line}\n`);
  const made = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map(rowOf);
  const loaded: Contender[] = [];
  for (const one of made) {
    const refusal = await refusalOfFile(one.file);
    if (refusal === undefined) loaded.push(one);
    else process.stderr.write(`left out: ${one.recipe}: ${refusal}\n`);
  }
  return loaded;
};

/** A row of the table. */
interface Judged extends Contender, Nearness {
  readonly megabytes: number;
  readonly speeds: readonly number[];
}

const judged = async (
  { model }: Subject,
  contenders: readonly Contender[],
  evaluate: readonly Encoded[],
  rounds: number,
): Promise<readonly Judged[]> => {
  const float = await vectorsOf(model, evaluate);
  const files = contenders.map(({ file }) => file);
  const speeds: (readonly number[])[] = [];
  for (const shape of shapes) speeds.push(await speedsOf(model, files, shape, rounds));
  const rows: Judged[] = [];
  for (const [i, contender] of contenders.entries()) {
    const own = nearness(float, await vectorsOf(await modelFrom(model, contender.file), evaluate));
    const megabytes = (await stat(contender.file)).size / 1e6;
    rows.push({ ...contender, ...own, megabytes, speeds: speeds.map((all) => all[i] ?? Number.NaN) });
  }
  return rows;
};

const lineOf = ({ maker, recipe, mean, least, rank, megabytes, speeds }: Judged): string =>
  [
    ...[`${maker}: ${recipe}`, mean.toFixed(5), least.toFixed(4), rank.toFixed(4), megabytes.toFixed(2)],
    ...speeds.map((speed) => speed.toFixed(2)),
  ].join(' | ');

/**
 * The formats and roundings of the quantize stage on the weights of a checkpoint of sentence vectors, and with --python what
 * onnxruntime's own tools make of them: cosines to the float vectors of other texts, bytes, and speed over the fused float file.
 *
 * npm run bench -- quantize CHECKPOINT [--python PATH] [--texts 200] [--rounds 15] [--only TEXT] [--json]
 */
export const benchQuantize = async (args: readonly string[]): Promise<void> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      python: { type: 'string' },
      texts: { type: 'string', default: '200' },
      rounds: { type: 'string', default: '15' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
    },
  });
  const [checkpoint] = positionals;
  if (checkpoint === undefined) {
    throw new Error(
      'name the folder of a checkpoint of sentence vectors, as all-MiniLM-L6-v2: npm run bench -- quantize FOLDER',
    );
  }
  if (values.python === undefined) {
    process.stderr.write(
      "Python's tools are skipped: --python PATH names an interpreter that has onnxruntime and onnx\n",
    );
  }
  const folder = await mkdtemp(join(tmpdir(), 'decant-bench-'));
  try {
    const model = await importFolder(checkpoint, { head: 'keep' });
    const [calibrate, evaluate] = await textsFor(model, Number(values.texts));
    const subject = { model, folder, calibrate };
    const wanted = (recipe: string): boolean => recipe.includes(values.only);
    const rivals = values.python === undefined ? [] : await rivalFiles(values.python, subject);
    const rows = await judged(
      subject,
      [...(await ownFiles(subject, wanted)), ...rivals],
      evaluate,
      Number(values.rounds),
    );
    if (values.json) process.stdout.write(`${JSON.stringify(rows.map(({ file: _, ...row }) => row))}\n`);
    else {
      console.log(
        `${runtime}: mean | least | rank | MB | speed at ${shapes.map((shape) => shape.join(' x ')).join(' | ')}`,
      );
      for (const row of rows) console.log(lineOf(row));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
