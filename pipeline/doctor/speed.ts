import type { Feeds, Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { timed } from '../../engine/timed.ts';
import type { Graph } from '../../graph/graph.ts';
import { isRefusal } from '../../ground/errors.ts';
import { middle } from '../../ground/middle.ts';
import { asFloats } from './as-floats.ts';
import { madeFeeds, type Patient } from './patient.ts';

const ROUNDS = 9;
/** Usual lengths; a model that takes no such text is measured on a shorter one. */
const LENGTHS = [128, 64, 32, 16, 8];

/** What speed is measured on: one example as long as the file takes, or what was given. */
const feedsFor = async (patient: Patient, program: Program): Promise<Feeds> => {
  const [given = {}] = (await patient.tried()).given;
  if (patient.inputs.length > 0) return given;
  for (const length of LENGTHS) {
    const feeds = madeFeeds(patient.foreign.given, 1, length);
    const runs = await program.run(feeds).then(
      () => true,
      (error: unknown) => {
        if (isRefusal(error)) return false;
        throw error;
      },
    );
    if (runs) return feeds;
  }
  return given;
};

/** How many times as fast as the file a graph is: turn by turn, so that a busy machine slows both. */
export const speedOf = async (patient: Patient, graph: Graph): Promise<number> => {
  const { threads } = patient;
  const before = await cpuEngine.compile(patient.foreign.given, { threads });
  const after = await cpuEngine.compile(graph, { threads });
  try {
    const feeds = await feedsFor(patient, before);
    const wide = asFloats(feeds);
    const ratios: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const [a, b] = [await timed(before, feeds), await timed(after, wide)];
      // The first round warms up.
      if (round > 0) ratios.push(a / b);
    }
    return middle(ratios);
  } finally {
    await before.release();
    await after.release();
  }
};

export const speedText = (ratio: number): string => `${ratio.toFixed(2)} times as fast as the file`;
