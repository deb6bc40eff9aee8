import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const kernelTime = '_kernel_time';

const eventSchema = z.object({
  dur: z.number().nonnegative(),
  name: z.string().endsWith(kernelTime),
  args: z.object({ op_name: z.string() }),
});

/** What ONNX Runtime's profile says about one node. */
export interface Traced {
  readonly op: string;
  /** Microseconds of each run, in order. */
  readonly durations: number[];
}

/**
 * Kernel times by node name from ONNX Runtime's profile: a JSON array in the format of Chrome's tracing, one event a line.
 * It is read line by line, since thousands of runs make files that no string holds. A line that is cut short (a process
 * that was killed while writing) is left out.
 */
export const readTrace = async (file: string): Promise<ReadonlyMap<string, Traced>> => {
  const traced = new Map<string, Traced>();
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    if (!line.includes(kernelTime)) continue;
    const event = eventSchema.safeParse(parsed(line));
    if (!event.success) continue;
    const { name, dur, args } = event.data;
    const node = name.slice(0, -kernelTime.length);
    const known = traced.get(node);
    if (known === undefined) traced.set(node, { op: args.op_name, durations: [dur] });
    else known.durations.push(dur);
  }
  return traced;
};

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line.replace(/,\s*$/, '').replace(/^\[/, ''));
  } catch {
    return undefined;
  }
};
