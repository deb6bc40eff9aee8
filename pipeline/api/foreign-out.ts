import { copyFile, mkdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { Graph } from '../../graph/graph.ts';
import type { Model } from '../../models/model.ts';
import type { Precision } from '../../models/precision.ts';
import { requestError } from '../diagnostic.ts';
import { defaultThreads } from '../plan/threads.ts';
import { temporaryFor } from '../store/atomic.ts';
import type { Foreign } from './foreign.ts';
import { expectFreeFolder } from './out-folder.ts';

/** What a tokenizer and its clients read beside a graph. Anything else that stands there may be anybody's. */
const companions: readonly string[] = [
  ...['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json', 'config.json'],
  ...['vocab.txt', 'vocab.json', 'merges.txt', 'spiece.model', 'sentencepiece.bpe.model', 'tokenizer.model'],
  ...['generation_config.json', 'preprocessor_config.json', 'processor_config.json', 'genai_config.json'],
  ...['modules.json', 'sentence_bert_config.json', 'config_sentence_transformers.json', '1_Pooling/config.json'],
];

const isGraphFile = (out: string): boolean => out.endsWith('.onnx');

const real = (path: string): Promise<string> => realpath(path).catch(() => resolve(path));

/** Whatever is read while it is replaced would be damaged. */
const expectElsewhere = async ({ called, file, around }: Foreign, out: string): Promise<void> => {
  const target = await real(out);
  const sources = await Promise.all([called, file ?? called].map(real));
  const folder = around.kind === 'bare' ? await real(around.folder) : undefined;
  if (!sources.includes(target) && target !== folder) return;
  throw requestError(`${out}: is what is read; name another file or folder with -o`);
};

/** A file is replaced; a folder has to be new, or empty. */
const expectFree = async (out: string): Promise<void> => {
  const expected = 'the name of a folder to write, or of a file that ends in .onnx';
  if (!isGraphFile(out)) return await expectFreeFolder(out, { expected });
  const found = await stat(out).catch(() => undefined);
  if (found?.isFile() === false) throw requestError(`${out}: is no file; expected the name of an ONNX file to write`);
};

/** A folder that decant describes says of its model what float32 holds. */
const expectStorable = ({ around }: Foreign, out: string): void => {
  if (around.kind === 'bare' || isGraphFile(out)) return;
  throw requestError(
    `${out}: a folder of decant holds its weights in float32; with float16, write a file that ends in .onnx`,
  );
};

/** Said before any work: whether there is a place to write to. */
export const expectTarget = async (foreign: Foreign, out: string, float16: boolean): Promise<void> => {
  if (float16) expectStorable(foreign, out);
  await expectElsewhere(foreign, out);
  await expectFree(out);
};

/** A link that leads elsewhere would make a file of somebody a part of the model, unless the graph itself stands there. */
const isCompanion = async (path: string, homes: readonly string[]): Promise<boolean> => {
  const found = await stat(path).catch(() => undefined);
  const target = await real(path);
  return found?.isFile() === true && homes.some((home) => target.startsWith(`${home}${sep}`));
};

const copyCompanions = async (from: string, file: string | undefined, to: string): Promise<void> => {
  const homes = [await real(from), ...(file === undefined ? [] : [dirname(await real(file))])];
  for (const name of companions) {
    const source = join(from, name);
    if (!(await isCompanion(source, homes))) continue;
    await mkdir(dirname(join(to, name)), { recursive: true });
    await copyFile(source, join(to, name));
  }
};

/** What was done to a graph: units were cut, whole layers among them, or it computes the same in other words or numbers. */
export type Change =
  /** `graph` is what is left, in float32. */
  { readonly kind: 'cut'; readonly graph: Graph; readonly layers: readonly number[] } | { readonly kind: 'reworded' };

/** A model's description after its graph became another one. */
const described = async (model: Model, graph: Graph, change: Change): Promise<Model> => {
  const { hiddenStatesIn } = await import('../../models/anatomy/hidden-states.ts');
  if (change.kind === 'reworded')
    return { ...model, graph, info: { ...model.info, ...hiddenStatesIn(graph, model.info) } };
  const { infoAfter } = await import('../../stages/prune/info.ts');
  return { ...model, graph, info: infoAfter(model.info, graph) };
};

/** What is written for clients: the graph by its precision, and the float one beside what was quantized. */
const exportedModels = async (model: Model, after: Model): Promise<ReadonlyMap<Precision, Model>> => {
  const { precisionOf } = await import('../../models/precision-of.ts');
  const [before, own] = [precisionOf(model.graph), precisionOf(after.graph)];
  return before === own || before !== 'fp32'
    ? new Map([[own, after]])
    : new Map([
        [before, model],
        [own, after],
      ]);
};

/** Clients look for the graph in `onnx/` where they found it there. */
const graphName = ({ around, file }: Foreign): string =>
  around.kind === 'bare' && file !== undefined && dirname(resolve(file)) !== resolve(around.folder)
    ? join('onnx', 'model.onnx')
    : 'model.onnx';

/** Fills a folder, and says what could not be said in it. */
const fill = async (folder: string, foreign: Foreign, graph: Graph, change: Change): Promise<readonly string[]> => {
  const { around, file } = foreign;
  switch (around.kind) {
    case 'model': {
      const { writeModel } = await import('../../models/files.ts');
      await writeModel(folder, await described(around.model, graph, change));
      return [];
    }
    case 'exported': {
      const { exportModels } = await import('../../stages/export/folder.ts');
      const models = await exportedModels(around.model, await described(around.model, graph, change));
      await exportModels(folder, models, { threads: defaultThreads(), results: '' });
      return [];
    }
    case 'bare': {
      const { writeGraph } = await import('../../graph/codec/index.ts');
      const { recountConfigs } = await import('./foreign-config.ts');
      await copyCompanions(around.folder, file, folder);
      await mkdir(dirname(join(folder, graphName(foreign))), { recursive: true });
      await writeGraph(join(folder, graphName(foreign)), graph);
      return change.kind === 'cut'
        ? await recountConfigs(folder, { before: foreign.graph, after: change.graph, gone: change.layers })
        : [];
    }
  }
};

/** Writes beside the target and moves what is complete: a folder is never half written. */
const writeFolder = async (out: string, foreign: Foreign, graph: Graph, change: Change): Promise<readonly string[]> => {
  const temporary = temporaryFor(resolve(out));
  try {
    await mkdir(temporary, { recursive: true });
    const told = await fill(temporary, foreign, graph, change);
    await rm(resolve(out), { recursive: true, force: true });
    await rename(temporary, resolve(out));
    return told;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
};

/**
 * Writes a graph in the place of the one that was read: as a file where the name ends in .onnx, else as a folder with what stood
 * around it, and figures that agree with it. Gives what those could not say, a line each.
 */
export const writeForeign = async (
  foreign: Foreign,
  out: string,
  graph: Graph,
  change: Change,
): Promise<readonly string[]> => {
  if (!isGraphFile(out)) return await writeFolder(out, foreign, graph, change);
  const { writeGraph } = await import('../../graph/codec/index.ts');
  await mkdir(dirname(resolve(out)), { recursive: true });
  await writeGraph(out, graph);
  return [];
};

/** Parameters of what was read and of what became of it, and bytes as they are stored. */
export const sizesOf = async (before: Graph, after: Graph, stored: Graph) => {
  const { weightBytes } = await import('../../graph/codec/index.ts');
  const { isLearned, numbersIn } = await import('../../graph/sites.ts');
  const parameters = (graph: Graph): number =>
    [...graph.weights.keys()].reduce((sum, name) => sum + (isLearned(graph, name) ? numbersIn(graph, name) : 0), 0);
  return {
    parameters: { before: parameters(before), after: parameters(after) },
    bytes: { before: weightBytes(before), after: weightBytes(stored) },
  };
};
