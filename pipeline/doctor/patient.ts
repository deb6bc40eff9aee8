import { join } from 'node:path';
import type { Feeds, HostTensor } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { writeGraph } from '../../graph/codec/index.ts';
import { concreteView } from '../../graph/concrete.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { isRefusal, modelError } from '../../ground/errors.ts';
import { unshared } from '../../models/anatomy/unshare.ts';
import { type Anatomy, anatomyOf } from '../../models/anatomy.ts';
import { rolesOf, sampleFeeds } from '../../models/bare/index.ts';
import { expectFloats } from '../../models/foreign.ts';
import { feedsFrom } from '../api/feeds.ts';
import type { Foreign } from '../api/foreign.ts';
import type { Inputs } from '../api/types/graphs.ts';
import { asFloats } from './as-floats.ts';

/** The graph where layers share nothing that they need not share, with what is found in it at sizes that are numbers. */
export interface Apart {
  readonly graph: Graph;
  readonly view: Graph;
  readonly anatomy: Anatomy;
}

/** What the file as it is answers to made inputs. */
interface Tried {
  /** As the file takes them, and as its normal form does. */
  readonly given: readonly Feeds[];
  readonly feeds: readonly Feeds[];
  readonly outputs: readonly Feeds[];
  /** Examples at once, in what was tried first. */
  readonly examples: number;
}

/** A graph that is looked at, with everything that several checks need: made when it is first asked for. */
export interface Patient {
  readonly foreign: Foreign;
  readonly threads: number;
  tried(): Promise<Tried>;
  /** What the normal form answers to the same. */
  normal(): Promise<readonly Feeds[]>;
  apart(): Apart;
  /** The output that the model is for. */
  answer(): Value;
  /** Keeps a graph as a file, for the last check and for whoever wants to see it. */
  keep(name: string, graph: Graph): Promise<void>;
  readonly folder: string;
  /** In place of made inputs: one shape or several. */
  readonly inputs: readonly Inputs[];
}

/** Two shapes that are compared throughout, and the one that comes last. */
export const THIRD = 2;
const LENGTHS = [7, 11, 5];
/** Examples and lengths of each shape; a file that takes but few positions, or one example at a time, is asked so. */
const SHAPES = [
  { examples: [2, 3, 1], lengths: LENGTHS },
  { examples: [2, 3, 1], lengths: [4, 6, 3] },
  { examples: [1, 1, 1], lengths: LENGTHS },
  { examples: [1, 1, 1], lengths: [4, 6, 3] },
];

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/** Inputs that fit a graph. */
export const madeFeeds = (graph: Graph, batch: number, sequence: number): Feeds =>
  sampleFeeds(rolesOf(graph), { batch, sequence, seed: 17 });

/** What a graph answers: compiled once, and run for each of some feeds. */
export const answersOf = async (graph: Graph, feeds: readonly Feeds[], threads: number): Promise<readonly Feeds[]> => {
  const program = await cpuEngine.compile(graph, { threads, optimization: 'basic' });
  try {
    const answers: Feeds[] = [];
    for (const one of feeds) answers.push(copied(await program.run(one)));
    return answers;
  } finally {
    await program.release();
  }
};

/** Outputs that outlive the next run. */
const copied = (outputs: Feeds): Feeds =>
  Object.fromEntries(
    Object.entries(outputs).map(([name, tensor]): [string, HostTensor] => [
      name,
      { ...tensor, data: tensor.data.slice() },
    ]),
  );

const triedWith = async (graph: Graph, given: readonly Feeds[], examples: number, threads: number): Promise<Tried> => {
  const outputs = await answersOf(graph, given, threads);
  return { given, feeds: given.map(asFloats), outputs: outputs.map(asFloats), examples };
};

const tryGiven = async ({ given }: Foreign, inputs: readonly Inputs[], threads: number): Promise<Tried> => {
  if (inputs.length > 0) {
    const feeds = LENGTHS.map((_, i) => feedsFrom(given, inputs[i % inputs.length] ?? {}));
    return await triedWith(given, feeds, 1, threads);
  }
  let refused: unknown;
  for (const { examples, lengths } of SHAPES) {
    const feeds = lengths.map((length, i) => madeFeeds(given, examples[i] ?? 1, length));
    try {
      return await triedWith(given, feeds, examples[0] ?? 1, threads);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refused ??= error;
    }
  }
  throw refused;
};

export type PatientOptions = Pick<Patient, 'threads' | 'inputs' | 'folder'>;

export const patientOf = (foreign: Foreign, { threads, inputs, folder }: PatientOptions): Patient => {
  const tried = once(() => tryGiven(foreign, inputs, threads));
  return {
    ...{ foreign, threads, inputs, tried, folder },
    normal: once(async () => answersOf(foreign.graph, (await tried()).feeds, threads)),
    apart: once(() => {
      expectFloats(foreign, 'the file', 'cut');
      const graph = unshared(foreign.graph);
      const view = concreteView(graph);
      return { graph, view, anatomy: anatomyOf(view) };
    }),
    answer: once(() => {
      const { answer } = rolesOf(foreign.graph);
      if (answer !== undefined) return answer;
      throw modelError('no output depends on the weights of the graph');
    }),
    keep: (name, graph) => writeGraph(join(folder, name), graph),
  };
};
