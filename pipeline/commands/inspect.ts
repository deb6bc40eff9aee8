import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Graph } from '../../graph/graph.ts';
import { isMissing, reworded } from '../../ground/errors.ts';
import { datasetTasks, type TaskName } from '../../ground/tasks.ts';
import { readText } from '../../ground/whole-file.ts';
import type { Inspection } from '../../models/inspect.ts';
import { whole as count } from '../../reports/figures.ts';
import { jsonForPeople, manyLines, oneLine, shortened } from '../../reports/text.ts';
import { requestError } from '../diagnostic.ts';
import { beforeReading, exit, wholeNumber } from './common.ts';

interface Options {
  readonly length: number;
  readonly json?: boolean;
}

const DEFAULT_LENGTH = 128;

const examples = `
Examples:
  $ decant inspect model.onnx
  $ decant inspect runs/NAME/models/student --length 32
  $ decant inspect model.onnx --json`;

/** The graph of a file, or of a folder: a stage's or an exported one. */
const graphAt = async (path: string): Promise<Graph> => {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw requestError(`${path}: no such file or folder; expected a model`);
  await beforeReading(path);
  return await graphIn(path, found.isDirectory());
};

const graphIn = async (path: string, folder: boolean): Promise<Graph> => {
  const { readGraph } = await import('../../graph/codec/index.ts');
  if (!folder) return await readGraph(path);
  const direct = join(path, 'model.onnx');
  if (await stat(direct).catch(() => undefined)) return await readGraph(direct);
  const { readModel } = await import('../../models/files.ts');
  return (await readModel(path)).graph;
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
  if (anatomy === undefined) return ['no attention layers were found (fused graphs show none)'];
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

const render = (path: string, task: TaskName | undefined, found: Inspection): string => {
  const { parameters, nonzero, macs, length, inputs, outputs, opsets, bytes, bytesByType, operators, unknown } = found;
  const zeros = parameters === nonzero ? '' : `, ${count(nonzero)} of them not zero`;
  const types = Object.entries(bytesByType).map(([type, size]) => `${type} ${count(size)}`);
  const sets = Object.entries(opsets).map(([domain, opset]) => `${domain === '' ? 'ai.onnx' : shown(domain)} ${opset}`);
  const rows = operators.map((one) => ({ ...one, op: shown(one.op) }));
  const width = rows.reduce((most, { op }) => Math.max(most, op.length), 0);
  const lines = [
    path,
    '',
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
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action(async (path: string, { length, json }: Options) => {
      const graph = await graphAt(path);
      const { inspectGraph } = await import('../../models/inspect.ts');
      const found = inspectGraph(graph, { length });
      const task = await taskAt(path);
      const told = task === undefined ? found : { task, ...found };
      process.stdout.write(json === true ? jsonForPeople(told) : render(path, task, found));
      end(exit.done);
    });
};
