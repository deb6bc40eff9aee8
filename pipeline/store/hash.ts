import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Artifact, ArtifactKind, Digest } from '../../ground/artifact.ts';
import { digestOfFile, digestOfJson } from '../../ground/digest.ts';
import type { Json } from '../../ground/json.ts';
import { requestError } from '../diagnostic.ts';

/** sha256 and size of a file. */
export const hashFile = async (path: string): Promise<{ readonly digest: Digest; readonly size: number }> => {
  const { digest, size } = await digestOfFile(path);
  return { digest: digest as Digest, size };
};

/** sha256 of plain data, whatever the order of its keys. */
export const hashJson = (value: unknown): Digest => digestOfJson(value) as Digest;

/** Files below a folder by relative path with forward slashes, sorted. */
export const listFiles = async (folder: string, prefix = ''): Promise<readonly string[]> => {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true });
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
      return entry.isDirectory() ? await listFiles(folder, path) : [path];
    }),
  );
  return found.flat().sort();
};

/** Digest of a file, or of everything in a folder. */
export const hashPath = async (path: string): Promise<Digest> => {
  const found = await stat(path);
  if (found.isFile()) return (await hashFile(path)).digest;
  if (!found.isDirectory())
    throw requestError(`${path} is a pipe or a device, which can be read once only; expected a file`);
  const files: Record<string, Json> = {};
  for (const file of await listFiles(path)) files[file] = (await hashFile(join(path, file))).digest;
  return hashJson(files);
};

/** The digest of an artifact covers its kind, paths and contents. */
export const artifactOf = (kind: ArtifactKind, files: Artifact['files']): Artifact => ({
  kind,
  digest: hashJson({ kind, files }),
  size: Object.values(files).reduce((sum, { size }) => sum + size, 0),
  files,
});
