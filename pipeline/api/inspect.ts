import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Graph } from '../../graph/graph.ts';
import { isMissing, reworded } from '../../ground/errors.ts';
import { datasetTasks, type TaskName } from '../../ground/tasks.ts';
import { isFile, readText } from '../../ground/whole-file.ts';
import { requestError } from '../diagnostic.ts';
import { type Dtype, dtypeEndings, dtypes } from './dtype.ts';
import { beforeReading } from './open.ts';
import type { InspectedModel, InspectOptions } from './types/models.ts';

/** A graph, and its file as people call it. */
interface Located {
  readonly graph: Graph;
  readonly file?: string;
  /** Precisions of the folder's other files. */
  readonly others?: readonly Dtype[];
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

/** The files of a folder that clients load, by the names that they ask for them with. */
const filesIn = async (folder: string): Promise<ReadonlyMap<Dtype, string>> => {
  const files = new Map<Dtype, string>();
  for (const dtype of dtypes) {
    const name = `model${dtypeEndings[dtype]}.onnx`;
    for (const file of [join('onnx', name), name]) if (await isFile(join(folder, file))) files.set(dtype, file);
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

const LENGTH = 128;

/** What an ONNX file, or the model of a folder, is made of. */
export const inspectModel = async (
  path: string,
  { length = LENGTH, dtype }: InspectOptions,
): Promise<InspectedModel> => {
  const { graph, file, others } = await graphAt(path, dtype);
  const { inspectGraph } = await import('../../models/inspect.ts');
  const found = inspectGraph(graph, { length });
  const task = await taskAt(path);
  return {
    ...(task === undefined ? {} : { task }),
    ...(file === undefined ? {} : { file }),
    ...(others === undefined ? {} : { others }),
    ...found,
  };
};
