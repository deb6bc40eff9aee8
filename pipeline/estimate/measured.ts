import { join } from 'node:path';
import { takeUpdates, type UpdatesTaken } from '../../engine/rehearsal/updates.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import { writeModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';
import { matrixBytes } from '../../models/work.ts';
import { writeRuntimeAlone } from '../../stages/measure/kernel.ts';
import type { Subject } from '../../stages/measure/orders.ts';
import { type BesideRates, timeBesideRates } from '../../stages/measure/rates.ts';
import type { Measuring } from '../../stages/measure/work.ts';
import { requestError } from '../diagnostic.ts';
import { type Reach, readyToRun } from './subject.ts';

/** As few rounds as a middle one can be found in, and processes that load. */
const EFFORT = { rounds: 9, processes: 3, loads: 2 };

/** A model, and the pass of it that is timed. */
export type Passes = Readonly<Record<string, { readonly model: Model; readonly reach: Reach }>>;

/** Times passes beside the rates of the machine. */
export const measurePasses = async (
  passes: Passes,
  threads: number,
  folder: string,
  ctx: Measuring,
): Promise<BesideRates> => {
  const subjects = new Map<string, Subject>();
  let bytes = 0;
  for (const [name, { model, reach }] of Object.entries(passes)) {
    const { graph, feeds } = readyToRun(model, reach);
    const file = join(folder, `${subjects.size}.onnx`);
    await writeGraph(file, graph);
    bytes = Math.max(bytes, matrixBytes(graph));
    subjects.set(name, { name: `the ${name}`, file, feeds: [feeds] });
  }
  const runtime = await writeRuntimeAlone(folder);
  return await timeBesideRates(subjects, { ...EFFORT, threads, bytes }, { folder, runtime }, ctx);
};

interface Updates {
  readonly batch: number;
  readonly length: number;
  readonly threads: number;
}

/** Trains a model for some updates in a process of its own. */
export const measureUpdates = async (
  model: Model,
  updates: Updates,
  folder: string,
  signal: AbortSignal,
): Promise<UpdatesTaken> => {
  const own = join(folder, 'trained');
  await writeModel(own, model);
  const taken = await takeUpdates({ ...updates, folder: own, recompute: false }, signal);
  if (typeof taken === 'string') throw requestError(`the updates that were to be measured ended early: ${taken}`);
  return taken;
};
