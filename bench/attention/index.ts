import { parseArgs } from 'node:util';
import type { Program } from '../../engine/engine.ts';
import { middle } from '../../ground/middle.ts';
import { kinds } from '../../models/attention/kinds/index.ts';
import { encoderOf, feedsOf, programOf } from './subjects.ts';

/** CPU milliseconds of one run: on one thread they are those of the run, whatever else the machine does. */
const timeOf = async (program: Program, length: number): Promise<number> => {
  const feeds = feedsOf(length);
  const start = process.cpuUsage();
  await program.run(feeds);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
};

/** Every subject at one length, turn by turn; the first turn warms up. */
const turnsAt = async (programs: ReadonlyMap<string, Program>, length: number, rounds: number) => {
  const times = new Map([...programs.keys()].map((name) => [name, [] as number[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, program] of programs) {
      const time = await timeOf(program, length);
      if (round > 0) times.get(name)?.push(time);
    }
  }
  return times;
};

/** The middle of the ratios of turns: what changes over a run changes both sides of each. */
const speedup = (others: readonly number[], own: readonly number[]): number =>
  middle(own.map((time, i) => (others[i] ?? Number.NaN) / time));

/**
 * How much faster an encoder is with each kind of attention than with full attention, as decant ships it and without a mask (flash);
 * and how its time grows from one length to the next.
 */
export const benchAttention = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kinds: { type: 'string', default: kinds.map(({ name }) => name).join(',') },
      lengths: { type: 'string', default: '512,2048,8192' },
      layers: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '5' },
    },
  });
  const lengths = values.lengths.split(',').map(Number);
  const longest = Math.max(...lengths);
  const graph = encoderOf(Number(values.layers), longest);
  const programs = new Map<string, Program>();
  for (const subject of ['full', 'flash', ...values.kinds.split(',').filter((name) => name !== '')]) {
    programs.set(subject, await programOf(graph, subject, longest));
  }
  const before = new Map<string, number>();
  for (const length of lengths) {
    const times = await turnsAt(programs, length, Number(values.rounds));
    for (const [name, own] of times) {
      const ratios = ['full', 'flash'].map((other) => `${speedup(times.get(other) ?? [], own).toFixed(2)} x ${other}`);
      const [time, last] = [middle(own), before.get(name)];
      const growth = last === undefined ? '' : `, ${(time / last).toFixed(2)} times the length before`;
      before.set(name, time);
      console.log(`${length} tokens, ${name}: ${time.toFixed(1)} ms, ${ratios.join(', ')}${growth}`);
    }
  }
};
