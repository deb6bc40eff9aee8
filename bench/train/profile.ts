import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTrace, type Traced } from '../../engine/trace.ts';
import { ours } from './sides.ts';
import { describe, evenTexts, type Subject } from './subject.ts';

const WARM_UP_STEPS = 3;
const STEPS = 12;

/** Milliseconds of a step that nodes take together, warm-up left out. */
const total = (nodes: Iterable<Traced>): number =>
  [...nodes].flatMap(({ durations }) => durations.slice(-STEPS)).reduce((sum, us) => sum + us / 1000, 0) / STEPS;

/** Time by kind of operator, the longest first. */
const operatorsOf = (nodes: readonly Traced[]): readonly { op: string; ms: number; count: number }[] =>
  [...new Set(nodes.map(({ op }) => op))]
    .map((op) => {
      const same = nodes.filter((node) => node.op === op);
      return { op, ms: total(same), count: same.length };
    })
    .sort((a, b) => b.ms - a.ms);

const line = (name: string, ms: number, step: number, rest = ''): string =>
  `  ${name.padEnd(20)} ${ms.toFixed(2).padStart(9)} ms ${((100 * ms) / step).toFixed(1).padStart(5)} %${rest}`;

/** Prints where the time of a training step goes: phases, then operators. */
export const printProfile = async (
  subject: Subject,
  {
    threads,
    dropout,
    say,
  }: { readonly threads: number; readonly dropout: number; readonly say: (line: string) => void },
): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'decant-profile-'));
  const side = ours({ subject, texts: evenTexts(subject), dropout, threads }, join(folder, 'step'));
  await side.run(WARM_UP_STEPS);
  const before = side.spent;
  const { seconds } = await side.run(STEPS);
  const { graph, optimizer, feeds } = side.spent;
  await side.close();
  const [file] = await readdir(folder);
  const trace = file === undefined ? new Map<string, Traced>() : await readTrace(join(folder, file));
  await rm(folder, { recursive: true });
  const step = (seconds / STEPS) * 1000;
  const perStep = (now: number, then: number): number => ((now - then) / STEPS) * 1000;
  const nodes = [...trace];
  const backward = total(nodes.filter(([name]) => name.includes('backward/')).map(([, node]) => node));
  const kernels = total(trace.values());
  say(`${describe(subject)}: ${step.toFixed(1)} ms a step, profiling included`);
  say(line('forward', kernels - backward, step));
  say(line('backward', backward, step));
  say(line('between kernels', perStep(graph, before.graph) - kernels, step));
  say(line('optimizer', perStep(optimizer, before.optimizer), step));
  say(line('batches and masks', perStep(feeds, before.feeds), step));
  say('operators:');
  for (const { op, ms, count } of operatorsOf([...trace.values()])) say(line(op, ms, step, ` in ${count} nodes`));
};
