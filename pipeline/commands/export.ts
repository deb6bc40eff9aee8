import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { reworded } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';
import { bytes } from '../../reports/figures.ts';
import { jsonForPeople, manyLines, oneLine } from '../../reports/text.ts';
import type { QuantizeContext } from '../../stages/quantize/work.ts';
import { requestError } from '../diagnostic.ts';
import { type LimitOptions, limited, type Work } from '../guard/limits.ts';
import { defaultThreads } from '../plan/threads.ts';
import { abandonedFoldersIn, temporaryFor } from '../store/atomic.ts';
import { exit, isOffline, untilSignal, wholeNumber } from './common.ts';
import { type Models, withModels } from './named.ts';

/** Seconds between two answers of a model that is written or quantized. */
const PATIENCE = 300;

interface Options extends LimitOptions {
  readonly to: 'transformers-js';
  readonly quantize?: boolean;
  readonly threads?: number;
  readonly offline?: boolean;
  readonly json?: boolean;
}

/** What was written, as --json prints it. */
interface Exported {
  readonly folder: string;
  readonly to: Options['to'];
  readonly task: Model['info']['task'];
  readonly modelType: string;
  readonly labels: readonly string[];
  /** Settings of the tokenizer that transformers.js does not carry out. */
  readonly unsupported: readonly string[];
  readonly files: readonly { readonly precision: string; readonly file: string; readonly bytes: number }[];
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

/** The float model with an INT8 one beside it. */
const withQuantized = async (models: Models, path: string, running: QuantizeContext): Promise<Models> => {
  const source = models.get('fp32');
  if (source === undefined || models.has('q8')) {
    throw requestError(`${path}: holds an INT8 model already; leave out --quantize`);
  }
  const { expectBounded } = await import('../../models/bounded.ts');
  expectBounded(source.graph);
  const { quantizeModel } = await import('../../stages/quantize/work.ts');
  const { model } = await quantizeModel(source, { embeddings: true, reduceRange: false, exclude: [] }, running).catch(
    (error: unknown) => Promise.reject(reworded(error, (reason) => requestError(`${path}: ${reason}`))),
  );
  return new Map([['fp32', source] as const, ['q8', model] as const]);
};

/** Each file is loaded once and reads two short texts. */
const workOf = async (models: Models): Promise<Work> => {
  const { weightBytes } = await import('../../graph/codec/index.ts');
  const weights = [...models.values()].reduce((sum, { graph }) => sum + weightBytes(graph), 0);
  return { files: weights, rows: 2, longest: 64 };
};

/** A folder that may be written: a new one, an empty one, or one that decant exported. */
const checkTarget = async (folder: string): Promise<void> => {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isDirectory()) throw requestError(`${folder}: is a file; expected the name of a folder to write`);
  const { folderKind } = await import('../../models/files.ts');
  if ((await readdir(folder)).length === 0) return;
  if ((await folderKind(folder)) === 'exported') return;
  throw requestError(`${folder}: holds files that decant did not export; name another folder, or empty this one`);
};

/** Replaces what an earlier export wrote by the files of a finished one; files of anybody else stay. */
const place = async (finished: string, folder: string): Promise<void> => {
  const { exportFiles } = await import('../../stages/export/folder.ts');
  const { listFiles } = await import('../store/hash.ts');
  const files = await listFiles(finished);
  for (const file of exportFiles.filter((name) => !files.includes(name))) await rm(join(folder, file), { force: true });
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await rename(join(finished, file), join(folder, file));
  }
};

/** Removes what exports into the same parent that were killed left there: whole models. */
const sweepBeside = async (folder: string): Promise<void> => {
  for (const path of await abandonedFoldersIn(dirname(folder))) await rm(path, { recursive: true, force: true });
};

/** Writes beside the target and moves what is proved to load: a folder is never half an export. */
const write = async (models: Models, folder: string, threads: number, signal: AbortSignal): Promise<Exported> => {
  const { exportModels } = await import('../../stages/export/folder.ts');
  const { deployFiles } = await import('../../models/files.ts');
  const { forgetPlaced } = await import('../execute/placed.ts');
  await sweepBeside(resolve(folder));
  const temporary = temporaryFor(resolve(folder));
  try {
    await mkdir(temporary, { recursive: true });
    const sizes = await exportModels(temporary, models, { threads, results: '' });
    signal.throwIfAborted();
    await forgetPlaced(folder);
    await place(temporary, folder);
    const [shared] = models.values();
    if (shared === undefined) throw new Error('a folder of models holds at least one');
    const { task, modelType, labels } = shared.info;
    const { clientLimits } = await import('../../data/tokenizers/client-limits.ts');
    const unsupported = clientLimits(shared.tokenizer);
    const files = [...models.keys()].map((precision) => ({
      precision,
      file: deployFiles[precision],
      bytes: sizes[precision] ?? 0,
    }));
    return { folder, to: 'transformers-js', task, modelType, labels, unsupported, files };
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
};

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

const exportModel = async (path: string, folder: string, options: Options, signal: AbortSignal): Promise<number> => {
  const threads = options.threads ?? defaultThreads();
  await checkTarget(folder);
  const reading = { work: `${resolve(folder)}.download`, offline: isOffline(options), signal };
  const exported = await withModels(path, reading, async (models) => {
    signal.throwIfAborted();
    const { renew } = limited(await workOf(models), options);
    const all =
      options.quantize === true ? await withQuantized(models, path, { threads, signal, onText: renew }) : models;
    return await write(all, folder, threads, signal);
  });
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
      end(
        await untilSignal((signal) => exportModel(path, folder, options, signal), 'Interrupted: nothing was exported.'),
      ),
    );
};
