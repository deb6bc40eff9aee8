import { type Command, InvalidArgumentError, Option } from 'commander';
import { jsonForPeople } from '../../reports/text.ts';
import { type PrunedGraph, type PruneOptions, prune, type UnitsByLayer } from '../api/index.ts';
import { wholeNumber } from './common.ts';
import { addFloat16, addRewriting, type RewritingOptions, rewriting, words } from './rewriting.ts';

type OfZeros = Pick<
  PruneOptions,
  | 'sparsity'
  | 'pattern'
  | 'saliency'
  | 'calibration'
  | 'data'
  | 'text'
  | 'pair'
  | 'header'
  | 'missing'
  | 'maxLength'
  | 'threads'
>;

interface Options extends RewritingOptions, OfZeros {
  readonly keepHeads?: number | string;
  readonly keepFfn?: number | string;
  readonly keepLayers?: number | string;
  readonly remove?: string;
}

const examples = `
Examples:
  $ decant prune model.onnx --keep-heads 50% --keep-ffn 50% --keep-layers 3 -o small.onnx
  $ decant prune ./my-model --keep-ffn 512 -o ./my-smaller-model
  $ decant prune hub:owner/name@revision --keep-heads 6 -o out
  $ decant prune model.onnx --remove units.json -o small.onnx --json
  $ decant prune ./my-model --sparsity 50% --saliency sparsegpt --data texts.jsonl -o ./my-sparse-model
  $ decant prune model.onnx --pattern 2:4 -o sparse.onnx

Counts and shares hold for each layer: those with the smallest weights go, without data; heads that share their keys
and values go together. Training makes up for what is lost: see the prune stage of decant run. What goes by name:
  { "heads": { "0": [1] }, "crossHeads": {}, "ffn": { "1": [0, 5, 71] }, "layers": [2] }
Zeros (--sparsity, --pattern) go to the matrices and tables where weights are smallest; wanda and sparsegpt look at texts, which
need no labels, choose among the weights of products and move those that stay.
Query heads, neurons (of several blocks of a layer one block after the other) and layers count from 0 in the order in
which they are computed. What was removed is printed in the same form: on a terminal with --json alone.
Exit codes: 0 done, 1 it cannot be cut so, 2 the request was wrong, 130 interrupted.`;

const SHARE = /^\d+(?:\.\d+)?%$/;

/** A count of units, or a share of them. */
const amount = (text: string): number | string => {
  const number = Number.parseFloat(text);
  if (/^\d+$/.test(text) && number >= 1) return number;
  if (SHARE.test(text) && number > 0 && number <= 100) return text;
  throw new InvalidArgumentError('Expected a whole number from 1 such as 6, or a share such as 50%.');
};

const counted = (name: string, byLayer: UnitsByLayer): readonly string[] => {
  const gone = Object.entries(byLayer).map(([layer, numbers]) => `${numbers.length} in layer ${layer}`);
  return gone.length === 0 ? [] : [`  ${name}: ${gone.join(', ')}`];
};

const share = (of: number): string => `${(100 * of).toFixed(1)} %`;

const zeroLines = ({ pattern, saliency, matrices, model }: NonNullable<PrunedGraph['zeros']>): readonly string[] => [
  `zeros: ${share(matrices)} of the matrices that they were chosen in, ${share(model)} of all parameters (${pattern}, by ${saliency})`,
];

const summary = (pruned: PrunedGraph): string => {
  const { heads, crossHeads, ffn, layers } = pruned.removed;
  if (pruned.zeros !== undefined) return words(pruned, zeroLines(pruned.zeros));
  return words(pruned, [
    'removed',
    ...counted('heads', heads),
    ...counted('cross heads', crossHeads),
    ...counted('neurons', ffn),
    ...(layers.length === 0 ? [] : [`  layers: ${layers.join(', ')}`]),
  ]);
};

/** A list of numbers on one line: a layer may have thousands. */
const removedText = (removed: PrunedGraph['removed']): string =>
  jsonForPeople(removed).replaceAll(/\[[\d,\s]*\]/g, (list) => list.replaceAll(/\s+/g, '').replaceAll(',', ', '));

const run = (path: string, options: Options): Promise<number> => {
  const { out, json, remove, keepHeads, keepFfn, keepLayers, offline, float16, ...zeros } = options;
  const forPeople = json !== true && process.stdout.isTTY;
  return rewriting(
    (signal) =>
      prune(path, out, {
        ...{ ...zeros, signal },
        ...(offline === undefined ? {} : { offline }),
        ...(float16 === undefined ? {} : { float16 }),
        ...(keepHeads === undefined ? {} : { keepHeads }),
        ...(keepFfn === undefined ? {} : { keepFfn }),
        ...(keepLayers === undefined ? {} : { keepLayers }),
        ...(remove === undefined ? {} : { remove }),
      }),
    (pruned) =>
      forPeople ? summary(pruned) : pruned.zeros ? jsonForPeople(pruned.zeros) : removedText(pruned.removed),
  );
};

const keeping = (flag: string, what: string): Option => new Option(`${flag} <n>`, what).argParser(amount);

/** A share in per cent stays as it is written, another is a number. */
const shareOf = (text: string): number | string => (text.includes('%') || text.trim() === '' ? text : Number(text));

const addZeros = (command: Command): Command =>
  command
    .addOption(new Option('--sparsity <share>', 'share of weights that become 0, such as 50%').argParser(shareOf))
    .option(
      '--pattern <pattern>',
      'where they may stand: free, N:M such as 2:4 (which fixes the share), or blocks such as 4x1',
    )
    .option('--saliency <name>', 'by what they are chosen: magnitude (default), random, or on texts wanda, sparsegpt')
    .option('--data <file>', 'CSV, TSV, JSON Lines or Parquet with texts to look at: nothing of it is learnt')
    .option('--calibration <n>', 'texts that are looked at (default: 256)', wholeNumber(1, 1_000_000))
    .option('--text <column>', 'column of the texts')
    .option('--pair <column>', 'column of the second texts, where texts come in pairs')
    .option('--header', 'the first row has the names of the columns (default: the rows decide)')
    .option('--no-header', 'the first row is a text like the others: columns are numbered')
    .addOption(new Option('--missing <what>', 'rows without a text (default: refuse)').choices(['refuse', 'drop']))
    .option(
      '--max-length <tokens>',
      'cut texts to so many tokens (default: what the model reads)',
      wholeNumber(4, 8192),
    )
    .option('--threads <n>', 'threads of one operator, where texts are looked at', wholeNumber(1, 1024));

/** `decant prune`. */
export const pruneCommand = (program: Command, end: (code: number) => void): void => {
  const command = addFloat16(addRewriting(program.command('prune')))
    .summary('cut heads, neurons and layers off a model, or make weights 0')
    .description(
      'Cut heads, neurons and layers off an ONNX model of any maker, by their weights or by name; or set weights to 0.',
    )
    .addOption(keeping('--keep-heads', 'attention heads that each layer keeps: a count, or a share such as 50%'))
    .addOption(keeping('--keep-ffn', 'neurons that each feed-forward block keeps'))
    .addOption(keeping('--keep-layers', 'layers that are kept'))
    .option('--remove <units.json>', 'remove exactly the units that this file names');
  addZeros(command)
    .option('--json', 'print what was removed as JSON, on a terminal, too')
    .addHelpText('after', examples)
    .action(async (path: string, options: Options) => end(await run(path, options)));
};
