import { z } from 'zod';
import { defaultEngine } from '../../engine/engines/index.ts';
import type { Immutable } from '../../ground/immutable.ts';
import type { Choice, EngineTried } from '../../ground/reported/choice.ts';

/** What a process that tries an engine says of it. */
export const outcome = z.union([
  z.object({ tokensPerSecond: z.number(), losses: z.array(z.number().or(z.nan())) }),
  z.object({ problem: z.string() }),
]);

/** What came of trying one engine. */
export type Outcome = Immutable<z.infer<typeof outcome>>;

export interface Tried {
  readonly engine: string;
  readonly device: string;
  /** Absent where it is the only one: then nothing has to be tried. */
  readonly outcome?: Outcome;
}

/** Relative difference of losses that rounding and its growth over some updates explain. */
const MOST_APART = 1e-3;

/** So many times the speed of the default make another engine worth its start, and a machine that swings. */
const WORTH = 1.1;

const apart = (losses: readonly number[], expected: readonly number[]): number =>
  expected.length === 0
    ? Number.POSITIVE_INFINITY
    : Math.max(...losses.slice(0, expected.length).map((loss, i) => Math.abs(loss / (expected[i] ?? Number.NaN) - 1)));

const judged = ({ engine, device, outcome }: Tried, expected: readonly number[]): EngineTried => {
  if (outcome === undefined) return { engine, device, tokensPerSecond: null, problem: null };
  if ('problem' in outcome) return { engine, device, tokensPerSecond: null, problem: outcome.problem };
  const { tokensPerSecond, losses } = outcome;
  const difference = apart(losses, expected);
  const problem =
    difference < MOST_APART
      ? null
      : `its losses are apart from the ${defaultEngine}'s by ${difference.toExponential(0)}`;
  return { engine, device, tokensPerSecond, problem };
};

/**
 * The fastest engine whose losses are those of the default. The default stays where no other is clearly faster, and where it
 * makes no update itself: then nothing says whether another computes what it should.
 */
export const decide = (tried: readonly Tried[]): Choice => {
  const standard = tried.find(({ engine }) => engine === defaultEngine)?.outcome;
  const expected = standard !== undefined && 'losses' in standard ? standard.losses : [];
  const rows = tried.map((one) => judged(one, expected));
  const speedOf = ({ tokensPerSecond, problem }: EngineTried): number =>
    problem === null ? (tokensPerSecond ?? 0) : 0;
  const own = rows.find(({ engine }) => engine === defaultEngine);
  const least = own === undefined ? Number.POSITIVE_INFINITY : WORTH * speedOf(own);
  const [fastest] = rows.filter((row) => speedOf(row) > least).toSorted((a, b) => speedOf(b) - speedOf(a));
  return { engine: fastest?.engine ?? defaultEngine, tried: rows };
};
