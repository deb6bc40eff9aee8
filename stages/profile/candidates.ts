import type { Machine } from '../../data/cpu.ts';
import type { Counterfactual, Timed } from '../../data/profile.ts';
import { ortEngine } from '../../engine/onnxruntime.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Feeds } from './record.ts';
import { type Runner, timeTogether } from './time.ts';
import { variants } from './variants/index.ts';
import type { Subject } from './variants/variant.ts';

/** A graph that is to be timed. */
interface Candidate {
  readonly name: Counterfactual;
  readonly graph: Graph;
  readonly threads: number;
}

/** The same graph with the threads that were asked for and with as many as there are cores, where those are fewer. */
const threadCandidates = (graph: Graph, threads: number, cores: number): readonly Candidate[] =>
  threads <= cores
    ? []
    : [
        { name: 'asked-threads', graph, threads },
        { name: 'core-threads', graph, threads: cores },
      ];

/** The model, and every change of it that has something to change. */
const candidatesOf = (subject: Subject, threads: number, { cores }: Machine): readonly Candidate[] => [
  { name: 'full', graph: subject.graph, threads: 1 },
  ...variants.flatMap(({ name, make }) => {
    const graph = make(subject);
    return graph === undefined ? [] : [{ name, graph, threads: 1 }];
  }),
  ...threadCandidates(subject.graph, threads, cores),
];

export interface Timing {
  readonly rounds: number;
  readonly threads: number;
  readonly machine: Machine;
  /** The model that has its turn beside every other one. */
  readonly reference: Runner | undefined;
  readonly signal: AbortSignal;
}

/** Sessions are made anew this often: where one happens to lie in memory is no property of its graph. */
const BLOCKS = 2;

const timeBlock = async (
  candidates: readonly Candidate[],
  feeds: Feeds,
  { reference, signal }: Timing,
  rounds: number,
): Promise<readonly (readonly number[])[]> => {
  const runners: Runner[] = [];
  try {
    for (const { graph, threads } of candidates) {
      signal.throwIfAborted();
      runners.push({ program: await ortEngine.compile(graph, { threads, optimization: 'none' }), feeds });
    }
    return await timeTogether(reference === undefined ? runners : [...runners, reference], rounds, signal);
  } finally {
    for (const { program } of runners) await program.release();
  }
};

/** Times of a model, of its changes and of the reference, interleaved. Graphs run as they stand, so that only the change counts. */
export const timeCandidates = async (
  subject: Subject,
  feeds: Feeds,
  timing: Timing,
): Promise<Readonly<Partial<Record<Counterfactual, Timed>>>> => {
  const candidates = candidatesOf(subject, timing.threads, timing.machine);
  const blocks: (readonly (readonly number[])[])[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    blocks.push(await timeBlock(candidates, feeds, timing, Math.ceil(timing.rounds / BLOCKS)));
  }
  const times = (i: number): readonly number[] => blocks.flatMap((block) => block[i] ?? []);
  const entries = candidates.map(({ name, graph }, i) => [name, { nodes: graph.nodes.length, ms: times(i) }] as const);
  const beside =
    timing.reference === undefined ? [] : [['reference', { nodes: 0, ms: times(candidates.length) }] as const];
  return Object.fromEntries([...entries, ...beside]);
};
