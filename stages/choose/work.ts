import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askModule, moduleBeside } from '../../data/process.ts';
import { engines, findEngine } from '../../engine/engines/index.ts';
import type { Device } from '../../engine/engines/kind.ts';
import type { Choice } from '../../ground/reported/choice.ts';
import type { StageContext, StageRun } from '../stage.ts';
import { decide, type Outcome, outcome, type Tried } from './decide.ts';
import type { Config } from './index.ts';
import { located, type Question } from './question.ts';

const MOST_SECONDS = 300;

/** Devices that are there, the default's first. Drivers that compute on the processor are for whoever asks by name. */
const candidates = async (): Promise<readonly { readonly engine: string; readonly device: Device }[]> => {
  const looks = engines.map(async ({ name: engine }) => {
    const found = await findEngine(engine);
    return 'missing' in found || found.device.software === true ? [] : [{ engine, device: found.device }];
  });
  return (await Promise.all(looks)).flat();
};

const ask = async (question: Question, signal: AbortSignal): Promise<Outcome> => {
  const entry = moduleBeside(import.meta.url, './process');
  const { answer, ended, late } = await askModule(entry, question, { seconds: MOST_SECONDS, signal });
  if (answer !== undefined) return outcome.parse(answer);
  return { problem: late ? `it did not end within ${MOST_SECONDS} s` : `its process ended with ${ended}` };
};

/** Updates on each engine, one after the other: they would slow each other down. */
const tryAll = async (
  inputs: Question['inputs'],
  { stage, options }: Config,
  { seed, threads, base, offline, memory, signal, progress }: StageContext,
): Promise<readonly Tried[]> => {
  const all = await candidates();
  // Who watches is no message.
  const room = memory && { bytes: memory.bytes, asked: memory.asked };
  const tried: Tried[] = [];
  for (const [done, { engine, device }] of all.entries()) {
    signal.throwIfAborted();
    progress({ done, total: all.length, unit: 'engines', phase: engine });
    const question = { stage, options, engine, inputs, seed, threads, base, offline, memory: room };
    const result = all.length === 1 ? {} : { outcome: await ask(question, signal) };
    tried.push({ engine, device: device.name, ...result });
  }
  signal.throwIfAborted();
  return tried;
};

export const run: StageRun<Config, Choice> = async (given, config, ctx) => {
  const chosen = decide(await tryAll(located(given), config, ctx));
  const folder = await ctx.output('choice', 'choice');
  // Without its speeds: the same choice is the same file.
  await writeFile(join(folder, 'choice.json'), `${JSON.stringify({ engine: chosen.engine })}\n`);
  return chosen;
};
