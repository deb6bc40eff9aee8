import type { Machine } from '../../data/cpu.ts';
import type { Counterfactual, Timed } from '../../data/profile.ts';
import type { Feeds } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { crowdingClock } from '../../engine/processor.ts';
import type { Graph } from '../../graph/graph.ts';
import { crowded, mean, type Rounds, type Runner, type Turns, timeTogether } from './time.ts';
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
const candidatesOf = (subject: Subject): readonly Candidate[] => [
  { name: 'full', graph: subject.graph, threads: 1 },
  ...variants.flatMap(({ name, make }) => {
    const graph = make(subject);
    return graph === undefined ? [] : [{ name, graph, threads: 1 }];
  }),
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
/** Rounds of the thread counts: each makes its sessions anew. */
const THREAD_ROUNDS = 10;

interface Block extends Rounds {
  readonly candidates: readonly Candidate[];
  /** Has its turn after the candidates. */
  readonly beside?: Runner | undefined;
}

const timeBlock = async (feeds: Feeds, block: Block): Promise<readonly Turns[]> => {
  const { candidates, beside, signal } = block;
  const runners: Runner[] = [];
  try {
    for (const { graph, threads } of candidates) {
      signal.throwIfAborted();
      runners.push({ program: await cpuEngine.compile(graph, { threads, optimization: 'none' }), feeds });
    }
    return await timeTogether(beside === undefined ? runners : [...runners, beside], block);
  } finally {
    for (const { program } of runners) await program.release();
  }
};

type Times = Readonly<Partial<Record<Counterfactual, Timed>>>;

const named = (candidates: readonly Candidate[], blocks: readonly (readonly Turns[])[]): Times => {
  const times = (i: number): Turns => ({
    ms: blocks.flatMap((block) => block[i]?.ms ?? []),
    waited: blocks.flatMap((block) => block[i]?.waited ?? []),
  });
  const entries = candidates.map(({ name, graph }, i) => [name, { nodes: graph.nodes.length, ...times(i) }] as const);
  const beside = times(candidates.length);
  return Object.fromEntries(
    beside.ms.length === 0 ? entries : [...entries, ['reference', { nodes: 0, ...beside }] as const],
  );
};

/**
 * Thread counts, one session at a time: threads that look for work would take the cores from the next. Runs in which
 * threads wait for each other count like others.
 */
const timeThreads = async (
  candidates: readonly Candidate[],
  feeds: Feeds,
  { rounds, signal, machine }: Timing,
): Promise<Times> => {
  const blocks: (readonly Turns[])[] = [];
  const crowding = crowdingClock(machine.cores);
  for (let round = 0; round < Math.min(rounds, THREAD_ROUNDS); round++) {
    const turns: Turns[] = [];
    for (const candidate of candidates) {
      turns.push(...(await timeBlock(feeds, { candidates: [candidate], rounds: 1, signal, summary: mean })));
    }
    blocks.push(turns);
  }
  const share = crowding();
  return named(
    candidates,
    blocks.map((turns) => turns.map((one) => crowded(one, share))),
  );
};

/** Times of a model, of its changes and of the reference, interleaved. Graphs run as they stand, so that only the change counts. */
export const timeCandidates = async (subject: Subject, feeds: Feeds, timing: Timing): Promise<Times> => {
  const { threads, machine, signal, reference: beside } = timing;
  const rounds = Math.ceil(timing.rounds / BLOCKS);
  const candidates = candidatesOf(subject);
  const blocks: (readonly Turns[])[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    blocks.push(await timeBlock(feeds, { candidates, rounds, signal, beside }));
  }
  const threaded = threadCandidates(subject.graph, threads, machine.cores);
  if (threaded.length === 0) return named(candidates, blocks);
  return { ...named(candidates, blocks), ...(await timeThreads(threaded, feeds, timing)) };
};
