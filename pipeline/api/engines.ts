import { engines, findEngine } from '../../engine/engines/index.ts';
import type { EngineKind } from '../../engine/engines/kind.ts';
import { requestError } from '../diagnostic.ts';
import { nameHints } from '../yaml/suggest.ts';
import type { EngineReport } from './types/pipelines.ts';

const tried = async ({ name, summary }: EngineKind): Promise<EngineReport> => {
  const row = { engine: name, summary, device: null, problem: null, install: null, difference: null, works: false };
  const found = await findEngine(name);
  if ('missing' in found) return { ...row, problem: found.missing, install: found.install ?? null };
  const { device } = found;
  const { tryEngine } = await import('../proof/try.ts');
  const { PROVED } = await import('../proof/prove.ts');
  const outcome = await tryEngine(name);
  if ('problem' in outcome) return { ...row, device, problem: outcome.problem };
  const { difference } = outcome;
  if (difference < PROVED) return { ...row, device, difference, works: true };
  return {
    ...row,
    device,
    difference,
    problem: `its numbers are not the CPU's: answers of a model trained there differ by ${difference}`,
  };
};

const known = engines.map(({ name }) => name);

/** Tries the engines that are named, or all: one after the other, for one device may serve two. */
export const triedEngines = async (names: readonly string[] = known): Promise<readonly EngineReport[]> => {
  const foreign = names.find((name) => !known.includes(name));
  if (foreign !== undefined)
    throw requestError(`there is no engine "${foreign}" (${nameHints(foreign, known, 'engines').join('; ')})`);
  const rows: EngineReport[] = [];
  for (const kind of engines.filter(({ name }) => names.includes(name))) rows.push(await tried(kind));
  return rows;
};
