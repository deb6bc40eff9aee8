import { bytes } from '../../ground/bytes.ts';
import type { ForecastTotals, SeedForecast } from '../api/types/pipelines.ts';

/** Seconds until the process of a step is there. */
const PROCESS = 0.5;

/** What all steps that would run come to. */
export const totalsOf = (steps: readonly SeedForecast[], saved: number, room: number): ForecastTotals => {
  const open = steps.filter(({ state }) => state !== 'cached');
  const sum = (figure: 'seconds' | 'disk'): number => open.reduce((total, step) => total + (step[figure] ?? 0), 0);
  const largest = open.reduce<ForecastTotals['memory']>(
    (most, { step, memory }) => (memory !== null && memory > (most?.bytes ?? 0) ? { step, bytes: memory } : most),
    null,
  );
  return {
    seconds: sum('seconds') + PROCESS * open.length,
    untimed: open.filter(({ seconds }) => seconds === null).length,
    memory: largest,
    ...{ disk: sum('disk'), saved, room },
  };
};

const ADVICE = 'take shorter texts (maxLength of the data) or a smaller model, or allow more with --memory MB';
const OF_TRAINING = 'halve its batch and double accumulate, which trains the same, ';

/** Steps that need more memory than they may take, and what each can do about it. */
export const warningsOf = (
  steps: readonly SeedForecast[],
  room: number,
  trains: ReadonlySet<string>,
): readonly string[] => {
  const large = steps.filter(({ state, memory }) => state !== 'cached' && memory !== null && memory > room);
  const names = [...new Set(large.map(({ step }) => step))];
  return names.map((name) => {
    const memory = Math.max(...large.flatMap(({ step, memory: own }) => (step === name ? (own ?? 0) : [])));
    return `${name} takes about ${bytes(memory)} of memory, and a step may take ${bytes(room)} here: ${trains.has(name) ? OF_TRAINING : ''}${ADVICE}`;
  });
};
