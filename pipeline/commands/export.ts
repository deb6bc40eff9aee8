import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { bytes } from '../../reports/figures.ts';
import { jsonForPeople, manyLines, oneLine } from '../../reports/text.ts';
import { defaultThreads, type Exported, exportModel } from '../api/index.ts';
import { allow, type LimitOptions } from '../guard/limits.ts';
import { plainView } from '../view/plain.ts';
import { exit, followed, untilSignal, wholeNumber } from './common.ts';

/** Seconds between two answers of a model that is written or quantized. */
const PATIENCE = 300;

interface Options extends LimitOptions {
  readonly to: 'transformers-js';
  readonly quantize?: boolean;
  readonly threads?: number;
  readonly offline?: boolean;
  readonly json?: boolean;
}

const examples = `
Examples:
  $ decant export runs/NAME/models/teacher runs/NAME/teacher
  $ decant export runs/NAME/models/teacher site/models/teacher --quantize
  $ decant export runs/NAME/deploy site/models/student --json
  $ decant export ./my-model site/models/mine --quantize
  $ decant export hub:owner/name@revision site/models/theirs

The folder loads in transformers.js, in Node and in browsers, and its ONNX files in any ONNX Runtime. A folder that
decant exported before is replaced; any other that holds files is left alone. An interrupted download goes on with
the same command: what has arrived is kept in FOLDER.download until then.
Exit codes: 0 done, 1 the model does not run, 2 the request was wrong, 130 interrupted.`;

const render = ({ folder, task, modelType, labels, unsupported, files }: Exported): string => {
  const classes = labels.length === 0 ? '' : `, ${labels.length} classes`;
  const width = Math.max(...files.map(({ file }) => file.length));
  const lines = files.map((one) => `  ${one.file.padEnd(width)}  ${bytes(one.bytes).padStart(8)}`);
  return manyLines(
    [
      `${folder}: ${task}${classes} (${oneLine(modelType)})`,
      ...lines,
      ...unsupported.map((setting) => `transformers.js does not carry out: ${oneLine(setting)}`),
      `How to load it: ${join(folder, 'README.md')}`,
      '',
    ].join('\n'),
  );
};

const exportAs = async (path: string, folder: string, options: Options, signal: AbortSignal): Promise<number> => {
  allow(options);
  const { emit } = plainView((line) => void process.stderr.write(`${manyLines(line)}\n`));
  const exported = await followed(exportModel(path, folder, { ...options, signal }), emit);
  process.stdout.write(options.json === true ? jsonForPeople(exported) : render(exported));
  return exit.done;
};

/** `decant export`. */
export const exportCommand = (program: Command, end: (code: number) => void): void => {
  program
    .command('export')
    .argument(
      '<model>',
      'folder of a model: a stage of a run, an exported one, or one of Hugging Face (safetensors); or hub:owner/name@revision, or npm:NAME',
    )
    .argument('<folder>', 'folder to write')
    .summary('write a model as a folder for transformers.js and ONNX Runtime')
    .description(
      "Write a model as a folder that Hugging Face's clients load: ONNX files, tokenizer, config, model card.",
    )
    .addOption(
      new Option('--to <layout>', 'layout of the folder').choices(['transformers-js']).default('transformers-js'),
    )
    .option('--quantize', 'write an INT8 file beside the float one, with the defaults of the quantize stage')
    .option('--threads <n>', `threads of one operator (default: ${defaultThreads()})`, wholeNumber(1, 1024))
    .option('--offline', 'download nothing (also: DECANT_OFFLINE=1)')
    .option('--timeout <s>', 'seconds that the model may take until it answers', wholeNumber(1, 1_000_000), PATIENCE)
    .option(
      '--memory <MB>',
      'memory that may be taken (default: what its weights should need)',
      wholeNumber(1, 10_000_000),
    )
    .option('--json', 'print what was written as one JSON document')
    .addHelpText('after', examples)
    .action(async (path: string, folder: string, options: Options) =>
      end(await untilSignal((signal) => exportAs(path, folder, options, signal), 'Interrupted: nothing was exported.')),
    );
};
