import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Graph } from '../../graph/graph.ts';
import { reworded } from '../../ground/errors.ts';
import { isRecord } from '../../ground/records.ts';
import { isFile, readText } from '../../ground/whole-file.ts';
import type { AnatomySummary } from '../../models/inspection.ts';
import { requestError } from '../diagnostic.ts';

type Json = Readonly<Record<string, unknown>>;

/** Files that count a model's layers, and the objects in them that do. */
const files: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'config.json': [[], ['text_config']],
  'genai_config.json': [['model'], ['model', 'decoder']],
};

/** The document with the object at a path changed, where there is one. */
const changedAt = (json: Json, path: readonly string[], change: (object: Json) => Json): Json => {
  const [key, ...rest] = path;
  if (key === undefined) return change(json);
  const inner = json[key];
  return isRecord(inner) ? { ...json, [key]: changedAt(inner, rest, change) } : json;
};

const parsedObject = async (path: string): Promise<Json> => {
  const { parsedJson } = await import('../../models/importers/json-file.ts');
  try {
    const json = parsedJson(path, await readText(path));
    if (isRecord(json)) return json;
  } catch (error) {
    throw reworded(error, requestError);
  }
  throw requestError(`${path}: expected a JSON object`);
};

/** A graph before and after a cut, and the layers that went. */
export interface CutGraph {
  readonly before: Graph;
  readonly after: Graph;
  readonly gone: readonly number[];
}

interface Summaries {
  readonly before: AnatomySummary | undefined;
  readonly after: AnatomySummary | undefined;
}

const summariesOf = async ({ before, after }: CutGraph): Promise<Summaries> => {
  const { anatomySummary } = await import('../../models/inspect.ts');
  const { unshared } = await import('../../models/anatomy/unshare.ts');
  return { before: anatomySummary(unshared(before)), after: anatomySummary(unshared(after)) };
};

/**
 * Writes the counts that are true now into the settings that stand in a folder, and says what they cannot say. Clients make their
 * caches by them.
 */
export const recountConfigs = async (folder: string, cut: CutGraph): Promise<readonly string[]> => {
  const present: string[] = [];
  for (const name of Object.keys(files)) if (await isFile(join(folder, name))) present.push(name);
  if (present.length === 0) return [];
  const { before, after } = await summariesOf(cut);
  if (before === undefined || after === undefined) return [];
  const { recounted } = await import('../../models/config-counts.ts');
  const { stateInputs } = await import('../../models/anatomy/states.ts');
  const cutting = { gone: cut.gone, keepsStates: stateInputs(cut.after).size > 0 };
  const told: string[] = [];
  for (const name of present) {
    const path = join(folder, name);
    let json = await parsedObject(path);
    for (const at of files[name] ?? []) {
      json = changedAt(json, at, (object) => {
        const made = recounted(object, before, after, cutting);
        told.push(...made.told.map((line) => `${basename(path)}: ${line}`));
        return made.config;
      });
    }
    await writeFile(path, `${JSON.stringify(json, null, 2)}\n`);
  }
  return told;
};
