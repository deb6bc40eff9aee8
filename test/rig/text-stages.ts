import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { stream } from '../../data/random.ts';
import type { InputArtifact } from '../../ground/artifact.ts';
import { stageError } from '../../ground/errors.ts';
import { type AnyStage, defineStage } from '../../stages/stage.ts';

/** Small real stages whose models are texts: the machinery around stages is tested with these. */
const textOf = (input: InputArtifact | undefined): Promise<string> =>
  input === undefined ? Promise.resolve('') : readFile(input.path('text.txt'), 'utf8');

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

const dataset = defineStage({
  uses: 'dataset',
  version: 1,
  summary: 'Reads a text file.',
  config: z.strictObject({ uses: z.literal('lines'), file: z.string() }),
  place: 'data',
  automatic: { options: ({ data = {} }) => data },
  metrics: z.looseObject({ lines: z.number() }),
  makes: 'dataset',
  draws: false,
  environment: 'none',
  from: [],
  wire: () => ({}),
  sources: async ({ file }, base) => [resolve(base, file)],
  run: async (_, { file }, ctx) => {
    const text = readFileSync(resolve(ctx.base, file), 'utf8');
    await writeFile(join(await ctx.output('dataset', 'dataset'), 'text.txt'), text);
    return { lines: text.split('\n').length };
  },
});

const start = defineStage({
  uses: 'start',
  version: 1,
  summary: 'Begins with the first letters of the data.',
  config: z.strictObject({ letters: z.int().min(1).default(4) }),
  place: 'named',
  metrics: z.looseObject({}),
  makes: 'model',
  draws: false,
  from: [],
  wire: (_, wiring) => ({ dataset: wiring.dataset() }),
  run: async (inputs, { letters }, ctx) => {
    const text = (await textOf(inputs.dataset)).slice(0, letters);
    await writeFile(join(await ctx.output('model', 'model'), 'text.txt'), text);
    return { letters: text.length };
  },
});

const LONG_ENOUGH_MS = 600;

/** Takes memory for a while, in this process or in one that it starts. */
const hold = async ({ megabytes, elsewhere }: { readonly megabytes: number; readonly elsewhere: boolean }) => {
  if (!elsewhere) {
    const held = Buffer.alloc(megabytes * 1e6, 1);
    await pause(LONG_ENOUGH_MS);
    return held.length;
  }
  // Native code that computes does not notice that its parent is gone.
  const program = `Buffer.alloc(${megabytes}e6, 1); for (const until = Date.now() + 60_000; Date.now() < until;);`;
  const child = spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
  return await new Promise<number>((resolve) => child.on('exit', () => resolve(0)));
};

/** Appends seeded letters one by one, with a checkpoint after each. */
const grow = defineStage({
  uses: 'grow',
  version: 1,
  summary: 'Appends random letters, slowly.',
  config: z.strictObject({
    letters: z.int().min(1),
    pauseMs: z.number().default(0),
    die: z.string().optional(),
    needs: z.int().optional(),
    holds: z.strictObject({ megabytes: z.int(), elsewhere: z.boolean().default(false) }).optional(),
  }),
  place: 'named',
  metrics: z.looseObject({}),
  makes: 'model',
  draws: true,
  wire: () => ({}),
  run: async (inputs, { letters, pauseMs, die, needs, holds }, ctx) => {
    const saved = await ctx.checkpoints.load();
    const before = saved === undefined ? '' : Buffer.from(saved.data).toString();
    let grown = before;
    if (needs !== undefined) ctx.memory?.foresee({ bytes: needs * 1e6, advice: `${letters} letters: write fewer` });
    if (die === 'error') throw new Error('a fault of the program');
    if (die === 'theirs') throw stageError('the loss is not a number at step 3');
    if (die === 'crash') process.abort();
    if (die === 'killed') await pause(LONG_ENOUGH_MS).then(() => process.kill(process.pid, 'SIGKILL'));
    ctx.log(`resumed at ${before.length}`);
    while (grown.length < letters) {
      ctx.signal.throwIfAborted();
      grown += String.fromCharCode(97 + stream(ctx.seed, 'grow', grown.length).integer(26));
      await ctx.checkpoints.save({ letters: grown.length }, [Buffer.from(grown)]);
      ctx.progress({ done: grown.length, total: letters, unit: 'letters' });
      if (holds !== undefined) await hold(holds);
      if (die === 'later') throw stageError(`no; what there was is kept in ${ctx.checkpoints.folder}`);
      await pause(pauseMs);
    }
    const text = (await textOf(inputs.model)) + grown;
    await writeFile(join(await ctx.output('model', 'model'), 'text.txt'), text);
    return { resumedAt: before.length };
  },
});

const count = defineStage({
  uses: 'count',
  version: 1,
  summary: 'Counts letters.',
  config: z.strictObject({}),
  place: 'asked',
  metrics: z.looseObject({}),
  makes: 'teacher-outputs',
  draws: false,
  wire: () => ({}),
  run: async (inputs, _, ctx) => {
    const text = await textOf(inputs.model);
    await writeFile(join(await ctx.output('teacher-outputs', 'teacher-outputs'), 'text.txt'), String(text.length));
    return {};
  },
});

const follow = defineStage({
  uses: 'follow',
  version: 1,
  summary: 'Appends what is counted of another model.',
  config: z.strictObject({ teacher: z.string() }),
  place: 'named',
  metrics: z.looseObject({}),
  makes: 'model',
  draws: false,
  wire: ({ teacher }, wiring) => ({
    counted: wiring.step('count', {}, { model: wiring.model(teacher, ['teacher']) }),
  }),
  run: async (inputs, _, ctx) => {
    const text = (await textOf(inputs.model)) + (await textOf(inputs.counted));
    await writeFile(join(await ctx.output('model', 'model'), 'text.txt'), text);
    return {};
  },
});

const bundle = defineStage({
  uses: 'bundle',
  version: 1,
  summary: 'Puts models into one folder.',
  config: z.strictObject({}),
  place: 'named',
  metrics: z.looseObject({}),
  makes: 'folder',
  draws: false,
  from: ['small', 'large'],
  wire: () => ({}),
  run: async (inputs, _, ctx) => {
    const folder = await ctx.output('folder', 'folder');
    for (const [name, input] of Object.entries(inputs))
      await writeFile(join(folder, `${name}.txt`), await textOf(input));
    return {};
  },
});

export const stages: readonly AnyStage[] = [dataset, start, grow, count, follow, bundle];
