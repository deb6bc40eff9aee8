import { z } from 'zod';
import { forkModule, moduleBeside } from '../../data/process.ts';

/** How an engine did beside the CPU: the largest difference of an answer, or why there is none. */
export type Tried = { readonly difference: number } | { readonly problem: string };

/** Longer than any driver takes to begin. */
const MOST_SECONDS = 300;

const outcome = z.union([z.object({ difference: z.number().or(z.nan()) }), z.object({ problem: z.string() })]);

/** Trains a small encoder on an engine, in a process of its own, and compares it with the CPU's. */
export const tryEngine = (engine: string): Promise<Tried> =>
  new Promise((resolve) => {
    const child = forkModule(moduleBeside(import.meta.url, './process'), 'pipe');
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      resolve({ problem: `it did not end within ${MOST_SECONDS} s` });
    }, MOST_SECONDS * 1000);
    child.on('message', (message) => resolve(outcome.parse(message)));
    child.on('error', ({ message }) => resolve({ problem: message }));
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      resolve({ problem: `its process ended with ${signal ?? `code ${code}`}: the driver is damaged or too old` });
    });
    child.send(engine);
  });
