import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { bytes } from '../../ground/bytes.ts';
import type { RunForecast } from '../../pipeline/api/index.ts';
import { bytesAt } from '../../pipeline/clean/sizes.ts';
import { Store } from '../../pipeline/store/store.ts';
import { duration } from '../../pipeline/view/text.ts';
import { decant, decantJson } from '../decant.ts';
import { benchShapes } from './shapes.ts';

/** Time, memory or disk. Memory is what the step that needs most held at once, its children not included. */
interface Figures {
  readonly seconds: number;
  readonly memory: number;
  readonly disk: number;
}

const predictedBy = ({ totals: { seconds, memory, disk } }: RunForecast): Figures => ({
  ...{ seconds, disk },
  memory: memory?.bytes ?? Number.NaN,
});

const write = { seconds: duration, memory: bytes, disk: bytes } as const;

const row = (name: string, what: keyof Figures, predicted: Figures, measured: Figures): string => {
  const ratio = predicted[what] / measured[what];
  return `| ${name} | ${what} | ${write[what](predicted[what])} | ${write[what](measured[what])} | ${ratio.toFixed(2)} |`;
};

/** What each step was to take, and took. */
const steps = async ({ steps: forecasts }: RunForecast, store: string): Promise<readonly string[]> => {
  const records = await new Store(store).records();
  return forecasts.flatMap(({ step, seconds, memory }) => {
    const record = records.find((one) => one.step === step);
    if (record === undefined) return [];
    const time = `${seconds === null ? '-' : duration(seconds)} / ${duration(record.seconds)}`;
    return [`  ${step.padEnd(24)} ${time.padEnd(22)} ${bytes(memory ?? 0)} / ${bytes(record.peak ?? 0)}`];
  });
};

const benchFile = async (file: string, set: readonly string[], folder: string): Promise<void> => {
  const [store, out] = [join(folder, 'store'), join(folder, 'out')];
  const options = [file, '--store', store, '--out', out, ...set.flatMap((setting) => ['--set', setting])];
  const began = performance.now();
  const forecast = await decantJson<RunForecast>(['plan', '--json', ...options]);
  const planned = (performance.now() - began) / 1000;
  const started = performance.now();
  await decant(['run', '--plain', ...options]);
  const seconds = (performance.now() - started) / 1000;
  const records = await new Store(store).records();
  const memory = Math.max(...records.map(({ peak = 0 }) => peak));
  // A file that both link to counts once.
  const seen = new Set<string>();
  const disk = (await bytesAt(store, [], seen)) + (await bytesAt(out, [], seen));
  const measured = { seconds, memory, disk };
  const predicted = predictedBy(forecast);
  const name = [basename(file), ...set].join(' ');
  for (const what of ['seconds', 'memory', 'disk'] as const) console.log(row(name, what, predicted, measured));
  console.log(`planned in ${duration(planned)}; steps as planned / as they ran:`);
  for (const line of await steps(forecast, store)) console.log(line);
};

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'decant-estimates-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** How far what a plan says of a first run is from what the run takes: time, memory and disk, each in a fresh store; or what `estimate` says of known shapes. */
export const benchEstimates = async (args: readonly string[]): Promise<void> => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      set: { type: 'string', multiple: true, default: [] },
      shapes: { type: 'boolean' },
      shape: { type: 'string' },
    },
  });
  if (values.shapes === true) return await inFolder((folder) => benchShapes(folder, values.shape));
  if (positionals.length === 0)
    throw new Error('name pipeline files: npm run bench -- estimates FILE... [--set KEY=VALUE]');
  console.log('| pipeline | | planned | measured | ratio |\n|---|---|---|---|---|');
  for (const file of positionals) {
    await inFolder((folder) => benchFile(file, values.set, folder));
  }
};
