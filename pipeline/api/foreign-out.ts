import { copyFile, mkdir, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import type { Graph } from '../../graph/graph.ts';
import type { Model } from '../../models/model.ts';
import type { Precision } from '../../models/precision.ts';
import { requestError } from '../diagnostic.ts';
import { defaultThreads } from '../plan/threads.ts';
import { temporaryFor } from '../store/atomic.ts';
import type { Foreign } from './foreign.ts';

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
  const found = await stat(out).catch(() => undefined);
  if (found === undefined) return;
  if (isGraphFile(out)) {
    if (found.isFile()) return;
    throw requestError(`${out}: is no file; expected the name of an ONNX file to write`);
  }
  if (!found.isDirectory())
    throw requestError(`${out}: is a file; expected the name of a folder to write, or of a file that ends in .onnx`);
  if ((await readdir(out)).length === 0) return;
  throw requestError(`${out}: holds files already; name another folder, or empty this one`);
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

/** What was done to a graph: units were cut, or it computes the same in other words or numbers. */
export type Change = 'cut' | 'reworded';

/** A model's description after its graph became another one. */
const described = async (model: Model, graph: Graph, change: Change): Promise<Model> => {
  const { hiddenStatesIn } = await import('../../models/anatomy/hidden-states.ts');
  if (change === 'reworded') return { ...model, graph, info: { ...model.info, ...hiddenStatesIn(graph, model.info) } };
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

const fill = async (folder: string, { around, file }: Foreign, graph: Graph, change: Change): Promise<void> => {
  switch (around.kind) {
    case 'model': {
      const { writeModel } = await import('../../models/files.ts');
      return await writeModel(folder, await described(around.model, graph, change));
    }
    case 'exported': {
      const { exportModels } = await import('../../stages/export/folder.ts');
      const models = await exportedModels(around.model, await described(around.model, graph, change));
      return void (await exportModels(folder, models, { threads: defaultThreads(), results: '' }));
    }
    case 'bare': {
      const { writeGraph } = await import('../../graph/codec/index.ts');
      await copyCompanions(around.folder, file, folder);
      return await writeGraph(join(folder, 'model.onnx'), graph);
    }
  }
};

/** Writes beside the target and moves what is complete: a folder is never half written. */
const writeFolder = async (out: string, foreign: Foreign, graph: Graph, change: Change): Promise<void> => {
  const temporary = temporaryFor(resolve(out));
  try {
    await mkdir(temporary, { recursive: true });
    await fill(temporary, foreign, graph, change);
    await rm(resolve(out), { recursive: true, force: true });
    await rename(temporary, resolve(out));
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
};

/**
 * Writes a graph in the place of the one that was read: as a file where the name ends in .onnx, else as a folder with what stood
 * around it, and figures that agree with it.
 */
export const writeForeign = async (foreign: Foreign, out: string, graph: Graph, change: Change): Promise<void> => {
  if (!isGraphFile(out)) return await writeFolder(out, foreign, graph, change);
  const { writeGraph } = await import('../../graph/codec/index.ts');
  await mkdir(dirname(resolve(out)), { recursive: true });
  await writeGraph(out, graph);
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
