import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { lengthsOf } from '../../data/lengths.ts';
import { stream } from '../../data/random.ts';
import { tokenizerOf } from '../../data/tokenize.ts';
import { encodedText } from '../../engine/encoded.ts';
import { middle } from '../../ground/middle.ts';
import { readModel } from '../../models/files.ts';
import { tokenizerIn } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import { benchmark, predictFile } from '../../pipeline/api/index.ts';

/** Texts of one pass of `predict` where batches change no answer. */
const BATCH = 64;
const BAR = 0.9;
/** One row in ten belongs to the beginning of a table. */
const TENTH = 10;

const words =
  'the old man sat by window and read letter once more small boat crossed wide river before storm came'.split(' ');

type Model = Awaited<ReturnType<typeof readModel>>;

/** Texts of just so many tokens: what both sides compute is the same. */
const textsOf = async (model: Model, count: number, length: number): Promise<readonly string[]> => {
  const encoder = tokenizerOf(tokenizerIn(model));
  const random = stream(1, 'tables');
  const texts = new Set<string>();
  while (texts.size < count) {
    const drawn = Array.from({ length }, () => words[random.integer(words.length)] ?? '');
    const tries = drawn.map((_, i) => drawn.slice(0, i + 1).join(' '));
    const lengths = lengthsOf((await encoder.encodeBatch(tries, 2 * length)).map(encodedText));
    const fit = tries.find((_, i) => lengths[i] === length);
    if (fit !== undefined) texts.add(fit);
  }
  return [...texts];
};

interface Asked {
  readonly path: string;
  /** The table, and its first rows alone. */
  readonly data: string;
  readonly begin: string;
  readonly rows: number;
  readonly first: number;
  readonly length: number;
  readonly batch: number;
  readonly threads: number;
}

/** Texts a second by the clock, and a second of computing: on a busy machine only these compare. */
interface Speed {
  readonly clock: number;
  readonly cpu: number;
}

/** Milliseconds by the clock and of computing. */
const spentOn = async ({ path, threads }: Asked, data: string): Promise<Speed> => {
  const [started, before] = [performance.now(), process.cpuUsage()];
  await predictFile(path, { data, out: `${data}.answers.csv`, text: 'text', threads, overwrite: true });
  const { user, system } = process.cpuUsage(before);
  return { clock: performance.now() - started, cpu: (user + system) / 1000 };
};

/**
 * `predict --data` beyond its first rows: `benchmark` counts no loading, and what reading a model and recognising a table take
 * does not grow with the table.
 */
const ofTable = async (asked: Asked): Promise<Speed> => {
  const [begin, all] = [await spentOn(asked, asked.begin), await spentOn(asked, asked.data)];
  const rate = (name: keyof Speed): number => (1000 * (asked.rows - asked.first)) / (all[name] - begin[name]);
  return { clock: rate('clock'), cpu: rate('cpu') };
};

/** `benchmark` at the batch and length of the table. */
const ofBenchmark = async ({ path, batch, length, threads }: Asked): Promise<Speed> => {
  const timing = { rounds: 6, processes: 2, loads: 0 };
  const { models } = await benchmark([path], { batches: [batch], lengths: [length], threads, ...timing });
  const {
    latency: [cell],
    compute: [computed],
  } = models[0] ?? { latency: [], compute: [] };
  return {
    clock: cell?.textsPerSecond ?? Number.NaN,
    cpu: (1000 * batch) / (computed?.cpuMs ?? Number.NaN),
  };
};

const raced = async (asked: Asked, turns: number): Promise<void> => {
  const ratios: Speed[] = [];
  // The first pass loads and compiles what a longer table would not wait for again.
  await ofTable(asked);
  for (let turn = 0; turn < turns; turn++) {
    const [timed, table] = [await ofBenchmark(asked), await ofTable(asked)];
    ratios.push({ clock: table.clock / timed.clock, cpu: table.cpu / timed.cpu });
    console.log(
      `predict --data ${table.clock.toFixed(0)} rows/s (${table.cpu.toFixed(0)} a CPU second), benchmark ${timed.clock.toFixed(0)} texts/s (${timed.cpu.toFixed(0)} a CPU second)`,
    );
  }
  const { path, batch, length } = asked;
  const percent = (name: 'clock' | 'cpu'): string => (100 * middle(ratios.map((ratio) => ratio[name]))).toFixed(1);
  console.log(
    `${path}, batch ${batch} x ${length} tokens: ${percent('clock')} % by the clock, ${percent('cpu')} % by CPU time (bar: ${100 * BAR} %)`,
  );
};

/**
 * Whether a whole table is answered as fast as the model computes: `predict --data` beside `benchmark`, turn by turn, so that
 * other work on the machine meets both. npm run bench -- tables MODEL [--rows N] [--length N] [--turns N] [--threads N]
 */
export const benchTables = async (args: readonly string[]): Promise<void> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rows: { type: 'string', default: '20000' },
      length: { type: 'string', default: '16' },
      turns: { type: 'string', default: '3' },
      threads: { type: 'string', default: '1' },
    },
  });
  const [rows, length, turns, threads] = [values.rows, values.length, values.turns, values.threads].map(Number);
  if (positionals.length === 0) throw new Error('name a model: npm run bench -- tables runs/NAME/deploy');
  const folder = mkdtempSync(join(tmpdir(), 'decant-bench-'));
  try {
    for (const path of positionals) {
      const model = await readModel(path);
      const texts = await textsOf(model, rows ?? 0, length ?? 0);
      const first = Math.ceil(texts.length / TENTH);
      const [data, begin] = [join(folder, 'rows.csv'), join(folder, 'begin.csv')];
      const lines = texts.map((text, i) => `${i},${text}\n`);
      writeFileSync(data, `id,text\n${lines.join('')}`);
      writeFileSync(begin, `id,text\n${lines.slice(0, first).join('')}`);
      const batch = batchingOf(model.graph) === 'single' ? 1 : BATCH;
      const tables = { data, begin, rows: texts.length, first };
      await raced({ path, ...tables, length: length ?? 0, batch, threads: threads ?? 1 }, turns ?? 1);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
