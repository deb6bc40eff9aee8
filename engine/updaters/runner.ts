import type { Value } from '../../graph/graph.ts';
import type { Engine, Feeds, HostTensor, Program } from '../engine.ts';
import { type LossScale, scaleFeed } from '../loss-scale.ts';
import {
  AGAIN,
  type Emitted,
  type EmittedPass,
  emitMove,
  emitSums,
  emitUpdate,
  gradientOf,
  NORM,
  sumOf,
} from '../optimizer/emit.ts';
import { scalarFeeds, type UpdateSettings } from '../optimizer/emit-adamw.ts';
import { type Slab, slabsOf } from '../optimizer/slabs.ts';
import type { TrainingStep } from '../step.ts';
import type { Bound, Resident } from './resident.ts';
import type { LossSum, Turn, UpdateSource } from './source.ts';

/** How one batch is run. */
interface Run {
  readonly turn: Turn;
  /** No other batch of the update follows. */
  readonly last: boolean;
  readonly rate: number;
  readonly scale: LossScale;
  /** Losses of the batches before, to which this one's are added. */
  readonly sum: LossSum;
  /** Whether the last batch moves weights, where its numbers are such. */
  readonly moves: boolean;
}

/** The programs of an update over buffers. */
export interface UpdateRunner {
  readonly programs: readonly Bound[];
  readonly pass: EmittedPass;
  /** What has moments. */
  readonly slabs: readonly Slab[];
  /** Names of the buffers, if any, that add up gradients of a parameter. */
  sumsOf(name: Value): readonly Value[];
  /** The buffer with the gradient of a parameter that is watched, after its update. */
  gradientOf(name: Value): Value;
  /** Takes everything from there, and renews it there. */
  bind(resident: Resident): void;
  /** Runs a batch; gives the norm of the update's gradient after the last one. */
  run(feeds: Feeds, run: Run): Promise<number>;
  release(): Promise<void>;
}

const numberIn = (fetched: Feeds, name: Value): number => {
  const data = fetched[name]?.data;
  if (data instanceof Float32Array) return data[0] ?? Number.NaN;
  throw new Error(`the update gave no float32 output '${name}'`);
};

const lossesIn = (fetched: Feeds, { loss, terms }: TrainingStep) => ({
  loss: numberIn(fetched, loss),
  terms: Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, numberIn(fetched, term)])),
});

const opened = async (engine: Engine, { graph, renewed }: Emitted, source: UpdateSource): Promise<Bound> => {
  const { threads, profilePrefix, options } = source.request;
  const program = await engine.compile(graph, {
    ...{
      threads,
      optimization: 'all',
      memory: 'pooled',
      training: true,
      stays: [...renewed.values()],
      repeats: options.recompute === true,
    },
    ...(profilePrefix === undefined ? {} : { profilePrefix }),
  });
  return { program, graph };
};

const bound = (resident: Resident, { program, graph }: Bound, { renewed }: Emitted): void => {
  resident.bind(program, graph);
  for (const [input, output] of renewed) program.renew(output, resident.get(input));
};

const released = async (programs: readonly Program[]): Promise<void> => {
  for (const program of programs) await program.release();
};

/** What changes from update to update, for the inputs of a graph that moves weights. */
const scalarsOf = ({ graph }: Emitted, settings: UpdateSettings): ((run: Run) => Feeds) => {
  const inputs = new Set<string>(graph.inputs);
  return ({ turn, rate, scale: { factor, leftOut } }) =>
    scalarFeeds(inputs, settings, { rate, factor, step: turn.step + 1 - leftOut });
};

const flag = (set: boolean): HostTensor => ({ dtype: 'bool', dims: [], data: Uint8Array.of(Number(set)) });

/** One graph does all. */
const openWhole = async (
  engine: Engine,
  source: UpdateSource,
  step: TrainingStep,
  settings: UpdateSettings,
): Promise<UpdateRunner> => {
  const pass = emitUpdate(step, settings);
  const scalars = scalarsOf(pass, settings);
  const whole = await opened(engine, pass, source);
  return {
    programs: [whole],
    pass,
    slabs: slabsOf(step.parameters, settings),
    sumsOf: () => [],
    gradientOf,
    bind: (resident) => bound(resident, whole, pass),
    run: async (feeds, run) => {
      const { sum, moves, scale } = run;
      const isGood = (fetched: Feeds): boolean =>
        Number.isFinite(numberIn(fetched, step.loss)) && Number.isFinite(numberIn(fetched, NORM));
      const fed = { ...feeds, ...scaleFeed(step, scale), ...scalars(run) };
      const fetched = await whole.program.run(fed, undefined, (seen) => moves && isGood(seen));
      sum.add(lossesIn(fetched, step));
      return numberIn(fetched, NORM);
    },
    release: () => released([whole.program]),
  };
};

/** One graph a batch adds up gradients, another one moves the weights. */
const openAccumulating = async (
  engine: Engine,
  source: UpdateSource,
  step: TrainingStep,
  settings: UpdateSettings,
): Promise<UpdateRunner> => {
  const pass = emitSums(step);
  const move = emitMove(step.parameters, settings);
  const scalars = scalarsOf(move, settings);
  const [adding, moving] = [await opened(engine, pass, source), await opened(engine, move, source)];
  return {
    programs: [adding, moving],
    pass,
    slabs: slabsOf(step.parameters, settings),
    sumsOf: (name) => [sumOf(name)],
    gradientOf: sumOf,
    bind: (resident) => {
      bound(resident, adding, pass);
      bound(resident, moving, move);
    },
    run: async (feeds, run) => {
      const { sum, last, moves, scale } = run;
      const again = flag(sum.count > 0);
      sum.add(lossesIn(await adding.program.run({ ...feeds, ...scaleFeed(step, scale), [AGAIN]: again }), step));
      if (!last) return Number.NaN;
      const isGood = (fetched: Feeds): boolean => Number.isFinite(sum.loss) && Number.isFinite(numberIn(fetched, NORM));
      return numberIn(await moving.program.run(scalars(run), undefined, (seen) => moves && isGood(seen)), NORM);
    },
    release: () => released([adding.program, moving.program]),
  };
};

/** Compiles the update of a step. */
export const openRunner = (
  engine: Engine,
  source: UpdateSource,
  step: TrainingStep,
  which: Pick<UpdateSettings, 'held' | 'watched'>,
): Promise<UpdateRunner> => {
  const { options } = source.request;
  const settings = { ...options, factors: source.motion.factors, ...which, scaled: step.scale !== undefined };
  return (options.accumulate > 1 ? openAccumulating : openWhole)(engine, source, step, settings);
};
