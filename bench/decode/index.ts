import { parseArgs } from 'node:util';
import { readerOf, type Writer } from '../../engine/generation/generate.ts';
import { middle } from '../../ground/middle.ts';
import { cacheBytes, VOCABULARY, writerOf } from './subjects.ts';

/** New tokens of each turn, behind one prompt. */
const TOKENS = 8;

const idsOf = (length: number): readonly number[] => Array.from({ length }, (_, i) => (37 * i) % VOCABULARY);

/** CPU milliseconds: on one thread those of the work, whatever else the machine does. */
const timeOf = async (work: () => Promise<unknown>): Promise<number> => {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
};

interface Times {
  readonly prompt: number[];
  readonly token: number[];
}

/** A prompt, and tokens behind it one by one. */
const turn = async (writer: Writer, context: number): Promise<readonly [prompt: number, token: number]> => {
  const read = readerOf(writer);
  const prompt = await timeOf(() => read(idsOf(context)));
  await read([1]);
  const tokens: number[] = [];
  for (let i = 0; i < TOKENS; i++) tokens.push(await timeOf(() => read([2 + i])));
  return [prompt, middle(tokens)];
};

const turnsAt = async (
  writers: ReadonlyMap<string, Writer>,
  context: number,
  rounds: number,
): Promise<ReadonlyMap<string, Times>> => {
  const times = new Map([...writers.keys()].map((name): [string, Times] => [name, { prompt: [], token: [] }]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, writer] of writers) {
      const [prompt, token] = await turn(writer, context);
      // The first turn warms up.
      if (round === 0) continue;
      times.get(name)?.prompt.push(prompt);
      times.get(name)?.token.push(token);
    }
  }
  return times;
};

/** The middle of the ratios of turns, and of the fastest turns: the latter on a machine that does other things. */
const speedup = (others: readonly number[], own: readonly number[]): string => {
  const turns = middle(own.map((time, i) => (others[i] ?? Number.NaN) / time));
  return `${turns.toFixed(2)} (fastest ${(Math.min(...others) / Math.min(...own)).toFixed(2)})`;
};

/**
 * How fast a decoder of minimind's shape reads a prompt and writes a token behind it, in each form beside the plain graph with
 * past and present, and beside reading all anew for each token.
 */
export const benchDecode = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      subjects: { type: 'string', default: 'float,q4,int8' },
      contexts: { type: 'string', default: '64,512,1024,2048' },
      rounds: { type: 'string', default: '7' },
    },
  });
  const writers = new Map<string, Writer>();
  for (const name of ['plain', ...values.subjects.split(',')]) writers.set(name, await writerOf(name));
  for (const context of values.contexts.split(',').map(Number)) {
    const times = await turnsAt(writers, context, Number(values.rounds));
    const plain = times.get('plain') ?? { prompt: [], token: [] };
    console.log(`context ${context}: ${(cacheBytes(context) / 1e6).toFixed(2)} MB of keys and values`);
    for (const [name, { prompt, token }] of times) {
      console.log(
        `  ${name}: a token ${middle(token).toFixed(2)} ms, ${speedup(plain.token, token)} x plain; ` +
          `prompt ${((1000 * context) / middle(prompt)).toFixed(0)} tokens a second, ${speedup(plain.prompt, prompt)} x plain; ` +
          `the cache brings ${speedup(prompt, token)}`,
      );
    }
  }
  for (const { program } of writers.values()) await program.release();
};
