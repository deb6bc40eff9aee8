import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Graph } from '../../graph/graph.ts';
import { isMissing, reworded } from '../../ground/errors.ts';
import { datasetTasks, type TaskName } from '../../ground/tasks.ts';
import { isFile, readText } from '../../ground/whole-file.ts';
import type { Inspection } from '../../models/inspection.ts';
import { requestError } from '../diagnostic.ts';
import { called } from './called.ts';
import { type Dtype, dtypeEndings, dtypes } from './dtype.ts';
import { isOffline } from './offline.ts';
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
  await beforeReading(path);
  const { readGraph } = await import('../../graph/codec/index.ts');
  if (entry?.isDirectory() === true) return await graphIn(path, dtype);
  if (dtype !== undefined) throw requestError(`${path}: is one file; leave --dtype out, or name its folder`);
  return { graph: await readGraph(path) };
};

/** What has no ONNX file of its own: a checkpoint's graph is built of its weights, models of the hub are downloaded first. */
const withOther = async <T>(path: string, use: (graph: Graph, task: TaskName | undefined) => T): Promise<T> => {
  const { withForeign } = await import('./foreign.ts');
  return await withForeign(path, { offline: isOffline({}) }, async ({ given, around }) =>
    use(given, around.kind === 'bare' ? undefined : around.model.info.task),
  );
};

/** Whether a name stands for a file or a folder with an ONNX file in it. */
const hasGraph = async (path: string): Promise<boolean> => {
  const entry = await stat(path).catch(() => undefined);
  if (entry?.isDirectory() !== true) return entry !== undefined;
  if ((await filesIn(path)).size > 0) return true;
  const { folderKind } = await import('../../models/files.ts');
  return (await folderKind(path)) !== 'checkpoint';
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
  const { inspectGraph } = await import('../../models/inspect.ts');
  const { lookedAt } = await import('../../models/foreign.ts');
  const { expectFilled } = await import('../../models/filled.ts');
  const look = (graph: Graph): Inspection => inspectGraph(graph, { length, normal: lookedAt(graph) });
  if (!(await hasGraph(path))) {
    if (dtype !== undefined) throw requestError(`${path}: has one model; leave --dtype out`);
    return await withOther(path, (graph, task) => ({ ...(task === undefined ? {} : { task }), ...look(graph) }));
  }
  const { graph, file, others } = await graphAt(path, dtype);
  await called(path, () => expectFilled(graph));
  const found = look(graph);
  const task = await taskAt(path);
  const { strangersText, unregistered } = await import('../../engine/engines/onnxruntime/registered.ts');
  const strangers = strangersText(await unregistered(graph));
  return {
    ...(task === undefined ? {} : { task }),
    ...(file === undefined ? {} : { file }),
    ...(others === undefined ? {} : { others }),
    ...found,
    ...(strangers === undefined ? {} : { unregistered: strangers }),
  };
};
