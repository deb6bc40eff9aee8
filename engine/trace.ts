import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const kernelTime = '_kernel_time';

/** Of each value its element type with its shape. */
const typed = z.array(z.record(z.string(), z.unknown())).default([]);

const eventSchema = z.object({
  dur: z.number().nonnegative(),
  name: z.string().endsWith(kernelTime),
  args: z.object({
    op_name: z.string(),
    provider: z.string().default(''),
    input_type_shape: typed,
    output_type_shape: typed,
  }),
});

/** What ONNX Runtime's profile says about one node. */
export interface Traced {
  readonly op: string;
  /** Who computed it, as the runtime calls its providers. */
  readonly provider: string;
  /** Element types of its inputs and outputs. */
  readonly types: readonly string[];
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
    if (known === undefined) traced.set(node, { ...nodeOf(args), durations: [dur] });
    else known.durations.push(dur);
  }
  return traced;
};

type Args = z.infer<typeof eventSchema>['args'];

const nodeOf = ({ op_name: op, provider, input_type_shape: taken, output_type_shape: made }: Args) => ({
  ...{ op, provider },
  types: [...new Set([...taken, ...made].flatMap((value) => Object.keys(value)))],
});

const parsed = (line: string): unknown => {
  try {
    return JSON.parse(line.replace(/,\s*$/, '').replace(/^\[/, ''));
  } catch {
    return undefined;
  }
};
