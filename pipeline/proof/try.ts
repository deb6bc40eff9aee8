import { z } from 'zod';
import { askModule, moduleBeside } from '../../data/process.ts';

/** How an engine did beside the CPU: the largest difference of an answer, or why there is none. */
export type Tried = { readonly difference: number } | { readonly problem: string };

/** Longer than any driver takes to begin. */
const MOST_SECONDS = 300;

const outcome = z.union([z.object({ difference: z.number().or(z.nan()) }), z.object({ problem: z.string() })]);

/** Trains a small encoder on an engine, in a process of its own, and compares it with the CPU's. */
export const tryEngine = async (engine: string): Promise<Tried> => {
  const entry = moduleBeside(import.meta.url, './process');
  const { answer, ended, late } = await askModule(entry, engine, { seconds: MOST_SECONDS });
  if (answer !== undefined) return outcome.parse(answer);
  return {
    problem: late
      ? `it did not end within ${MOST_SECONDS} s`
      : `its process ended with ${ended}: the driver is damaged or too old`,
  };
};
