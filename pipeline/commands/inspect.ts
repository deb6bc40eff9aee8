import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import type { Graph } from '../../graph/graph.ts';
import { isMissing, reworded } from '../../ground/errors.ts';
import { datasetTasks, type TaskName } from '../../ground/tasks.ts';
import { readText } from '../../ground/whole-file.ts';
import type { Inspection } from '../../models/inspect.ts';
import { whole as count } from '../../reports/figures.ts';
import { jsonForPeople, manyLines, oneLine, shortened } from '../../reports/text.ts';
import { beforeReading } from '../api/opened.ts';
import { requestError } from '../diagnostic.ts';
import { exit, wholeNumber } from './common.ts';

interface Options {
  readonly length: number;
  readonly dtype?: Dtype;
  readonly json?: boolean;
}

/** How transformers.js calls what a file computes in, and how it ends the name of the file. */
const endings = {
  ...{ fp32: '', q8: '_quantized', fp16: '_fp16', int8: '_int8', uint8: '_uint8' },
  ...{ q4: '_q4', q4f16: '_q4f16', bnb4: '_bnb4' },
} as const;

type Dtype = keyof typeof endings;

const dtypes = Object.keys(endings).filter((name): name is Dtype => name in endings);

const DEFAULT_LENGTH = 128;

const examples = `
Examples:
  $ decant inspect model.onnx
  $ decant inspect runs/NAME/models/student --length 32
  $ decant inspect runs/NAME/deploy --dtype fp32      # the float file of an exported folder
  $ decant inspect model.onnx --json`;

/** A graph, and its file as people call it. */
interface Located {
  readonly graph: Graph;
  readonly file?: string;
  /** Precisions of the folder's other files. */
  readonly others?: readonly string[];
}

/** The graph of a file, or of a folder: a stage's, an exported one, or one that another tool exported. */
const graphAt = async (path: string, dtype: Dtype | undefined): Promise<Located> => {
  const entry = await stat(path).catch(() => undefined);
  if (entry === undefined) throw requestError(`${path}: no such file or folder; expected a model`);
  await beforeReading(path);
  const { readGraph } = await import('../../graph/codec/index.ts');
  if (entry.isDirectory()) return await graphIn(path, dtype);
  if (dtype !== undefined) throw requestError(`${path}: is one file; leave --dtype out, or name its folder`);
  return { graph: await readGraph(path) };
};

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    (entry) => entry.isFile(),
    () => false,
  );

/** The files of a folder that clients load, by the names that they ask for them with. */
const filesIn = async (folder: string): Promise<ReadonlyMap<Dtype, string>> => {
  const files = new Map<Dtype, string>();
  for (const dtype of dtypes) {
    const name = `model${endings[dtype]}.onnx`;
    for (const file of [join('onnx', name), name]) if (await isThere(join(folder, file))) files.set(dtype, file);
  }
  return files;
};

/** Of several the one that runs where no one says: q8 before the float one. */
const graphIn = async (folder: string, wanted: Dtype | undefined): Promise<Located> => {
  const files = await filesIn(folder);
  const names = [...files.keys()];
  const dtype = wanted ?? (files.has('q8') ? 'q8' : names[0]);
  const file = dtype === undefined ? undefined : files.get(dtype);
  if (names.length > 0 && file === undefined)
    throw requestError(`${folder} holds no ${wanted} model; it has ${names.join(', ')}`);
  if (file === undefined) throw await withoutModel(folder);
  const { readGraph } = await import('../../graph/codec/index.ts');
  return { graph: await readGraph(join(folder, file)), file, others: names.filter((name) => name !== dtype) };
};

/** What a folder without a graph is told where other commands read it. */
const withoutModel = async (folder: string): Promise<Error> => {
  const { readModel } = await import('../../models/files.ts');
  return await readModel(folder).then(
    () => requestError(`${folder} holds no ONNX file`),
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
};

const parsed = async (file: string, text: string): Promise<unknown> => {
  const { parsedJson } = await import('../../models/importers/json-file.ts');
  try {
    return parsedJson(file, text);
  } catch (error) {
    throw reworded(error, requestError);
  }
};

/** What the model of a folder is made for, where its files say so; of the graph alone nobody can tell. */
const taskAt = async (path: string): Promise<TaskName | undefined> => {
  for (const file of ['model.json', 'config.json']) {
    const text = await readText(join(path, file)).catch((error: unknown) => {
      if (isMissing(error)) return '';
      throw error;
    });
    const said = text === '' ? {} : Object(await parsed(join(path, file), text));
    const task = datasetTasks.find((name) => name === (said.task ?? Object(Object(said.decant).model).task));
    if (task !== undefined) return task;
  }
  return undefined;
};

const LONGEST_NAME = 200;

/** A name of the file on one line, without what would steer the terminal. */
const shown = (name: string): string => shortened(oneLine(name), LONGEST_NAME);

const millions = (value: number): string => `${(value / 1e6).toFixed(2)} M`;

const anatomyLines = ({ anatomy }: Inspection): readonly string[] => {
  if (anatomy === undefined) return ['no layers were found'];
  const { layers, parts, vocabulary, embedding } = anatomy;
  const table =
    vocabulary === undefined ? [] : [`vocabulary ${count(vocabulary)}, embedding width ${embedding ?? '?'}`];
  const rows = layers.map(
    ({ heads, ffn, inputWidth, outputWidth, sharedWith = [] }, i) =>
      `layer ${i}: ${heads} heads, ffn ${ffn}, width ${inputWidth}${inputWidth === outputWidth ? '' : ` -> ${outputWidth}`}` +
      (sharedWith.length === 0 ? '' : `, cut together with ${sharedWith.map((layer) => `layer ${layer}`).join(', ')}`),
  );
  const sizes = parts.map(({ name, parameters }) => `${name} ${count(parameters)}`);
  return [...table, ...rows, `parameters: ${sizes.join(', ')}`];
};

interface About extends Omit<Located, 'graph'> {
  readonly task: TaskName | undefined;
}

/** Which file of a folder it is, where there are several. */
const fileLine = ({ file, others = [] }: About): readonly string[] =>
  file === undefined || others.length === 0 ? [] : [`file        ${file} (also there: ${others.join(', ')})`];

const render = (path: string, about: About, found: Inspection): string => {
  const { task } = about;
  const { parameters, nonzero, macs, length, inputs, outputs, opsets, bytes, bytesByType, operators, unknown } = found;
  const zeros = parameters === nonzero ? '' : `, ${count(nonzero)} of them not zero`;
  const types = Object.entries(bytesByType).map(([type, size]) => `${type} ${count(size)}`);
  const sets = Object.entries(opsets).map(([domain, opset]) => `${domain === '' ? 'ai.onnx' : shown(domain)} ${opset}`);
  const rows = operators.map((one) => ({ ...one, op: shown(one.op) }));
  const width = rows.reduce((most, { op }) => Math.max(most, op.length), 0);
  const lines = [
    path,
    '',
    ...fileLine(about),
    ...(task === undefined ? [] : [`task        ${task}`]),
    `parameters  ${count(parameters)} (${millions(parameters)})${zeros}`,
    `weights     ${count(bytes)} bytes (${types.join(', ')})`,
    `work        ${millions(macs)} multiply-accumulates for one text of ${length} tokens`,
    `opset       ${sets.join(', ')}`,
    ...inputs.map(({ name, type }) => `input       ${shown(name)} ${shown(type)}`),
    ...outputs.map(({ name, type }) => `output      ${shown(name)} ${shown(type)}`),
    '',
    'Anatomy',
    ...anatomyLines(found).map((line) => `  ${line}`),
    '',
    `Operators (${count(found.nodes)} nodes)`,
    ...rows.map((one) => `  ${one.op.padEnd(width)} ${String(one.count).padStart(5)}  ${millions(one.macs)}`),
    ...(unknown.length === 0 ? [] : ['', `Not counted as work, unknown to decant: ${unknown.map(shown).join(', ')}`]),
  ];
  return `${manyLines(lines.join('\n'))}\n`;
};

/** `decant inspect`. */
export const inspectCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('inspect')
    .argument('<model>', 'ONNX file or model folder')
    .summary('show what an ONNX model is made of')
    .description('Show the anatomy, parameters, work, operators, opset and sizes of an ONNX model.')
    .option(
      '--length <tokens>',
      'tokens of the text that work is counted for',
      wholeNumber(1, 1_000_000),
      DEFAULT_LENGTH,
    )
    .addOption(
      new Option(
        '--dtype <name>',
        'file of an exported folder, as transformers.js calls it; q8 where there is one',
      ).choices(dtypes),
    )
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (path: string, { length, json, dtype }: Options) => {
      const { graph, ...where } = await graphAt(path, dtype);
      const { inspectGraph } = await import('../../models/inspect.ts');
      const found = inspectGraph(graph, { length });
      const task = await taskAt(path);
      const told = {
        ...(task === undefined ? {} : { task }),
        ...(where.file === undefined ? {} : { file: where.file }),
        ...found,
      };
      process.stdout.write(json === true ? jsonForPeople(told) : render(path, { task, ...where }, found));
      end(exit.done);
    });
};
