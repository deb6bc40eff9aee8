import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import stringify from 'safe-stable-stringify';
import type { Artifact, ArtifactKind, Digest, Json } from '../../stages/stage.ts';

/** Read in pieces: one read of more than 2 GiB aborts Node 20. */
const PIECE = 1024 * 1024;

const asDigest = (hex: string): Digest => hex as Digest;

/** sha256 and size of a file. */
export const hashFile = async (path: string): Promise<{ readonly digest: Digest; readonly size: number }> => {
  const hash = createHash('sha256');
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafe(PIECE);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, PIECE);
      if (bytesRead === 0) return { digest: asDigest(hash.digest('hex')), size };
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  } finally {
    await file.close();
  }
};

/** sha256 of plain data, whatever the order of its keys. */
export const hashJson = (value: unknown): Digest =>
  asDigest(
    createHash('sha256')
      .update(stringify(value) ?? '')
      .digest('hex'),
  );

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
  if (!(await stat(path)).isDirectory()) return (await hashFile(path)).digest;
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
