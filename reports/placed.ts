import { stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { z } from 'zod';
import { isMissing } from '../ground/errors.ts';
import { readText } from '../ground/whole-file.ts';
import { sealedRecord, verifySealedRecord } from './checksum.ts';
import { hasSealedRun } from './run-file.ts';
import { changedFileError, verifyFile } from './verify.ts';

/** Where a run's folder says which models and exported folders it put there, and what they hold. */
export const placedFile = join('records', 'placed.json');

const foldersSchema = z.record(z.string(), z.record(z.string(), z.object({ digest: z.string(), size: z.number() })));
/** Earlier versions wrote the folders alone. */
const schema = z.union([
  z.object({ folders: foldersSchema, checksum: z.string() }),
  foldersSchema.transform((folders) => ({ folders, checksum: undefined })),
]);

/** Files by folder, relative to the run's. */
export type Placed = Readonly<
  Record<string, Readonly<Record<string, { readonly digest: string; readonly size: number }>>>
>;

export const placedText = (folders: Placed): string => `${JSON.stringify(sealedRecord({ folders }))}\n`;

const parsePlaced = (text: string): z.infer<typeof schema> | undefined => {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
};

/** What a run put into its folder; null where none says so. */
export const readPlaced = async (out: string): Promise<Placed | null> => {
  const file = join(out, placedFile);
  const text = await readText(file).catch((error: unknown) => {
    if (isMissing(error)) return null;
    throw error;
  });
  const mustBeSealed = await hasSealedRun(out);
  if (text === null && !mustBeSealed) return null;
  const expected = `expected the digests of the models in ${out}. Run the pipeline again: it writes them anew`;
  if (text === null) throw changedFileError(`${file} is missing; ${expected}`);
  const placed = parsePlaced(text);
  if (placed === undefined) throw changedFileError(`${file} is damaged: ${expected}`);
  if (mustBeSealed || placed.checksum !== undefined) verifySealedRecord(placed, file);
  return placed.folders;
};

/** A run's folder holds models two folders down, and exported folders with folders of their own. */
const LEVELS = 4;

const runAbove = async (path: string): Promise<{ readonly out: string; readonly placed: Placed } | undefined> => {
  let out = resolve(path);
  for (let level = 0; level < LEVELS && dirname(out) !== out; level++) {
    out = dirname(out);
    const placed = await readPlaced(out);
    if (placed !== null) return { out, placed };
  }
  return undefined;
};

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}${sep}`);

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** What an owner may have removed who does not need it: the larger of two graphs, the card. Whoever reads one says that it is missing. */
const isLeftOut = (file: string): boolean => /\.(?:onnx|onnx[._]data|md)$/.test(file);

const REMEDY =
  'Run the pipeline again: it puts back what it left there. To use a model that you changed, copy its folder out of the run';

/**
 * Throws where a model that a run put into its folder, or a file of one, is not what the run put there. Models that lie
 * elsewhere are as they are.
 */
export const verifyPlaced = async (path: string): Promise<void> => {
  const run = await runAbove(path);
  if (run === undefined) return;
  const asked = resolve(path);
  for (const [folder, files] of Object.entries(run.placed)) {
    for (const [file, recorded] of Object.entries(files)) {
      const at = join(run.out, folder, file);
      if (isWithin(at, asked) && (!isLeftOut(file) || (await exists(at)))) {
        await verifyFile(join(path, relative(asked, at)), recorded, REMEDY);
      }
    }
  }
};
