import { z } from 'zod';

const progress = z.object({
  done: z.number(),
  total: z.number(),
  unit: z.string(),
  phase: z.string().exactOptional(),
  loss: z.number().exactOptional(),
  tokensPerSecond: z.number().exactOptional(),
  validation: z.object({ metric: z.string(), score: z.number() }).exactOptional(),
});

/** Of a model that was evaluated. */
const figures = z.object({ metric: z.string(), score: z.number(), low: z.number(), high: z.number() });

const at = z.string();
const step = z.string();

/** The lines of events.jsonl that tell how far a run is; others are of no concern here. */
const logged = z.discriminatedUnion('type', [
  z.object({
    ...{ at, type: z.literal('run-started'), name: z.string(), seed: z.number(), process: z.number() },
    seeds: z.array(z.number()).exactOptional(),
    variant: z.string().exactOptional(),
    steps: z.array(z.object({ id: z.string(), uses: z.string() })),
  }),
  z.object({ at, type: z.literal('expected'), seconds: z.record(z.string(), z.number()), later: z.number() }),
  z.object({ at, step, type: z.literal('started') }),
  z.object({ at, step, type: z.literal('waiting') }),
  z.object({ at, step, type: z.literal('progress'), progress }),
  z.object({ at, step, type: z.literal('log'), message: z.string() }),
  z.object({ at, step, type: z.literal('cached'), seconds: z.number(), figures: figures.exactOptional() }),
  z.object({ at, step, type: z.literal('finished'), seconds: z.number(), figures: figures.exactOptional() }),
  z.object({ at, step, type: z.literal('failed'), message: z.string() }),
  z.object({ at, step, type: z.literal('interrupted') }),
  z.object({ at, type: z.literal('run-finished'), complete: z.boolean(), seconds: z.number() }),
]);

export type LoggedEvent = z.infer<typeof logged>;

/** The event of a line; undefined where it is none that matters, or was cut. */
export const eventIn = (line: string): LoggedEvent | undefined => {
  try {
    return logged.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
};

/** Whether nothing of the run comes after it. */
export const endsRun = ({ type }: LoggedEvent): boolean => type === 'run-finished' || type === 'interrupted';
