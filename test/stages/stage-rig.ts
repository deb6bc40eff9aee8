import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Artifact, ArtifactKind, Digest, InputArtifact } from '../../ground/artifact.ts';
import type { StageContext } from '../../stages/stage.ts';

const sha256 = (bytes: Uint8Array | string): Digest => createHash('sha256').update(bytes).digest('hex') as Digest;

/** A folder as the store would hand it to a stage. */
export const artifactOf = async (folder: string, kind: ArtifactKind): Promise<InputArtifact> => {
  const files: Record<string, { digest: Digest; size: number }> = {};
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((found) => found.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    files[path.slice(folder.length + 1)] = { digest: sha256(bytes), size: bytes.length };
  }
  const size = Object.values(files).reduce((sum, file) => sum + file.size, 0);
  const artifact: Artifact = { kind, digest: sha256(JSON.stringify([kind, files])), size, files };
  return { artifact, path: (file) => join(folder, file) };
};

/** A stage's context that writes outputs below `folder` and keeps no checkpoints. */
export const contextIn = (
  folder: string,
  options: { readonly base?: string; readonly seed?: number } = {},
): StageContext => ({
  engine: async () => cpuEngine,
  seed: options.seed ?? 0,
  threads: 1,
  signal: new AbortController().signal,
  checkpoints: { load: async () => undefined, save: async () => undefined, folder: join(folder, 'checkpoints') },
  progress: () => undefined,
  log: () => undefined,
  output: async (name) => {
    const output = join(folder, name);
    await mkdir(output, { recursive: true });
    return output;
  },
  base: options.base ?? folder,
  offline: false,
});
