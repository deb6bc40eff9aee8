import { type Command, Option } from 'commander';
import { whole as count } from '../../reports/figures.ts';
import { jsonForPeople, manyLines, oneLine, shortened } from '../../reports/text.ts';
import { type Dtype, dtypes, type InspectedModel, inspect } from '../api/index.ts';
import { exit, modelHelp, wholeNumber } from './common.ts';

interface Options {
  readonly length: number;
  readonly dtype?: Dtype;
  readonly json?: boolean;
}

const DEFAULT_LENGTH = 128;

const examples = `
Examples:
  $ decant inspect model.onnx
  $ decant inspect runs/NAME/models/student --length 32
  $ decant inspect runs/NAME/deploy --dtype fp32      # the float file of an exported folder
  $ decant inspect hub:owner/name@revision
  $ decant inspect model.onnx --json`;

const LONGEST_NAME = 200;

/** A name of the file on one line, without what would steer the terminal. */
const shown = (name: string): string => shortened(oneLine(name), LONGEST_NAME);

const millions = (value: number): string => `${(value / 1e6).toFixed(2)} M`;

type Layer = NonNullable<InspectedModel['anatomy']>['layers'][number];

/** "12 heads of 64, 4 of keys and values, ffn 3072 gated": counts, and channels of a head. */
const unitsText = ({
  heads,
  kvHeads,
  headWidth,
  crossHeads,
  ffn,
  gated,
}: Pick<Layer, 'heads' | 'kvHeads' | 'headWidth' | 'crossHeads' | 'ffn' | 'gated'>): string =>
  [
    `${heads} heads${headWidth === 0 ? '' : ` of ${headWidth}`}`,
    ...(kvHeads === heads ? [] : [`${kvHeads} of keys and values`]),
    ...(crossHeads === undefined ? [] : [`${crossHeads} cross heads`]),
    `ffn ${ffn}${gated ? ' gated' : ''}`,
  ].join(', ');

const anatomyLines = ({ anatomy }: InspectedModel): readonly string[] => {
  if (anatomy === undefined) return ['no layers were found'];
  const { layers, parts, vocabulary, embedding } = anatomy;
  const table =
    vocabulary === undefined ? [] : [`vocabulary ${count(vocabulary)}, embedding width ${embedding ?? '?'}`];
  const rows = layers.map(
    ({ inputWidth, outputWidth, sharedWith = [], ...units }, i) =>
      `layer ${i}: ${unitsText(units)}, width ${inputWidth}${inputWidth === outputWidth ? '' : ` -> ${outputWidth}`}` +
      (sharedWith.length === 0 ? '' : `, cut together with ${sharedWith.map((layer) => `layer ${layer}`).join(', ')}`),
  );
  const sizes = parts.map(({ name, parameters }) => `${name} ${count(parameters)}`);
  return [...table, ...rows, `parameters: ${sizes.join(', ')}`];
};

/** Which file of a folder it is, where there are several. */
const fileLine = ({ file, others = [] }: InspectedModel): readonly string[] =>
  file === undefined || others.length === 0 ? [] : [`file        ${file} (also there: ${others.join(', ')})`];

const render = (path: string, found: InspectedModel): string => {
  const { task, parameters, nonzero, macs, length, inputs, outputs, opsets, bytes, bytesByType, operators, unknown } =
    found;
  const zeros = parameters === nonzero ? '' : `, ${count(nonzero)} of them not zero`;
  const types = Object.entries(bytesByType).map(([type, size]) => `${type} ${count(size)}`);
  const sets = Object.entries(opsets).map(([domain, opset]) => `${domain === '' ? 'ai.onnx' : shown(domain)} ${opset}`);
  const rows = operators.map((one) => ({ ...one, op: shown(one.op) }));
  const width = rows.reduce((most, { op }) => Math.max(most, op.length), 0);
  const lines = [
    path,
    '',
    ...fileLine(found),
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
    .argument('<model>', modelHelp)
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
      const found = await inspect(path, { length, ...(dtype === undefined ? {} : { dtype }) });
      process.stdout.write(json === true ? jsonForPeople(found) : render(path, found));
      if (found.unregistered !== undefined) process.stderr.write(`${oneLine(`${path}: ${found.unregistered}`)}\n`);
      end(found.unregistered === undefined ? exit.done : exit.wrong);
    });
};
