import { access, chmod, constants, mkdir, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Artifact, ArtifactKind, Digest, InputArtifact } from '../../ground/artifact.ts';
import type { Checkpoints } from '../../ground/checkpoints.ts';
import { messageOf, systemCode } from '../../ground/errors.ts';
import { ownerName, self } from '../../ground/owner.ts';
import { readText } from '../../ground/whole-file.ts';
import { requestError } from '../diagnostic.ts';
import { temporaryFor, writeWhole } from './atomic.ts';
import { checkpointsIn } from './checkpoints.ts';
import { artifactOf, hashFile, listFiles } from './hash.ts';
import { acquire } from './locks.ts';
import { parseRecord, recordText, type StepRecord } from './record.ts';

/** Why a folder cannot be written, in words. */
const folderProblem = (error: unknown): string => {
  const code = systemCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EROFS') return 'the file system is read-only';
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file is in the way';
  if (code === 'ENOENT') return 'no folder can be made there';
  return messageOf(error);
};

/**
 * Makes a folder and the ones above it. Node's own recursive mkdir never returns where the file system refuses new
 * entries with ENOENT, as /proc does.
 */
const makeFolder = async (folder: string): Promise<void> => {
  try {
    await mkdir(folder);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' && dirname(folder) !== folder) {
      await makeFolder(dirname(folder));
      await mkdir(folder);
    } else if (code !== 'EEXIST' || !(await stat(folder)).isDirectory()) throw error;
  }
};

/** Makes sure that a folder exists and can be written, or says which option names another one. */
export const ensureFolder = async (folder: string, what: string, option: string): Promise<void> => {
  try {
    await makeFolder(folder);
    await access(folder, constants.W_OK);
    const probe = temporaryFor(join(folder, '.probe'));
    await writeFile(probe, 'x');
    await rm(probe, { force: true });
  } catch (error) {
    if (systemCode(error) === '') throw error;
    throw requestError(
      `${what} ${folder} cannot be written: ${folderProblem(error)}. Name another folder with ${option}.`,
    );
  }
};

/** What a step leaves for publication: one folder an output. */
export interface Output {
  readonly name: string;
  readonly kind: ArtifactKind;
  readonly folder: string;
}

/** Folders of a store. */
export const storeParts = ['blobs', 'records', 'runs', 'work', 'locks', 'checkpoints'] as const;

/**
 * Content-addressed results of steps. Blobs go by the sha256 of their bytes, records by the key of their step; a record
 * is written last, so what it names is there. Everything handed out is hashed first: a damaged blob is dropped with the
 * records that name it, and the step runs again.
 */
export class Store {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** Creates the folders, or throws a requestError when they cannot be written. */
  static async open(root: string): Promise<Store> {
    await ensureFolder(root, 'the store', '--store');
    for (const part of storeParts) await ensureFolder(join(root, part), 'the store', '--store');
    return new Store(root);
  }

  /** One of its folders. */
  part(name: (typeof storeParts)[number]): string {
    return join(this.root, name);
  }

  blob(digest: Digest): string {
    return join(this.root, 'blobs', digest.slice(0, 2), digest);
  }

  /** An artifact whose files are those of the store. */
  input(artifact: Artifact): InputArtifact {
    return {
      artifact,
      path: (file) => {
        const entry = artifact.files[file];
        if (entry === undefined) {
          throw new Error(
            `a ${artifact.kind} has no file "${file}" (it has ${Object.keys(artifact.files).join(', ')})`,
          );
        }
        return this.blob(entry.digest);
      },
    };
  }

  /** File of the record under a key. */
  record(key: Digest): string {
    return join(this.root, 'records', `${key}.json`);
  }

  /** The record under a key, unverified; undefined when there is none or it is damaged. */
  async find(key: Digest): Promise<StepRecord | undefined> {
    const text = await readText(this.record(key)).catch(() => undefined);
    const record = text === undefined ? undefined : parseRecord(text);
    return record?.key === key ? record : undefined;
  }

  /** All readable records, newest first. */
  async records(): Promise<readonly StepRecord[]> {
    const names = await readdir(join(this.root, 'records')).catch(() => []);
    const texts = names
      .filter((name) => name.endsWith('.json'))
      .map((name) => readText(join(this.root, 'records', name)).catch(() => ''));
    const records = (await Promise.all(texts)).map(parseRecord).filter((record) => record !== undefined);
    return records.toSorted((a, b) => b.finished.localeCompare(a.finished));
  }

  /** Files of a record whose bytes are not what they were, by output and name. */
  async inspect(record: StepRecord): Promise<readonly string[]> {
    return (await this.unequal(record)).map(({ name }) => name);
  }

  /** Drops damaged files and the record that names them; returns their names. */
  async dropDamaged(record: StepRecord): Promise<readonly string[]> {
    const damaged = await this.unequal(record);
    for (const { path } of damaged) await rm(path, { force: true });
    if (damaged.length > 0) await this.forget(record.key);
    return damaged.map(({ name }) => name);
  }

  private async unequal(record: StepRecord): Promise<readonly { readonly name: string; readonly path: string }[]> {
    const damaged: { name: string; path: string }[] = [];
    for (const [output, { files }] of Object.entries(record.outputs)) {
      for (const [file, { digest }] of Object.entries(files)) {
        const path = this.blob(digest);
        const found = await hashFile(path).catch(() => undefined);
        if (found?.digest !== digest) damaged.push({ name: `${output}/${file}`, path });
      }
    }
    return damaged;
  }

  async forget(key: Digest): Promise<void> {
    await rm(this.record(key), { force: true });
  }

  /** An empty folder for one attempt at a step. */
  async workspace(key: Digest): Promise<string> {
    const folder = join(this.root, 'work', key, `${ownerName(self)}-${Date.now().toString(36)}`);
    await mkdir(folder, { recursive: true });
    return folder;
  }

  checkpoints(key: Digest): Checkpoints {
    return checkpointsIn(join(this.root, 'checkpoints', key));
  }

  private async addBlob(path: string): Promise<Artifact['files'][string]> {
    const entry = await hashFile(path);
    const blob = this.blob(entry.digest);
    await mkdir(dirname(blob), { recursive: true });
    // Links in the run's folder share these bytes: read-only protects them from an editor.
    await chmod(path, 0o444);
    await rename(path, blob);
    return entry;
  }

  /** Moves finished outputs into the store and writes the record last; what the step saved on its way is removed. */
  async publish(
    finished: Omit<StepRecord, 'schema' | 'outputs' | 'finished'>,
    outputs: readonly Output[],
  ): Promise<StepRecord> {
    const artifacts: Record<string, Artifact> = {};
    for (const { name, kind, folder } of outputs) {
      const files: Record<string, Artifact['files'][string]> = {};
      for (const file of await listFiles(folder)) files[file] = await this.addBlob(join(folder, file));
      artifacts[name] = artifactOf(kind, files);
    }
    const record: StepRecord = {
      schema: 'decant.record/1',
      ...finished,
      outputs: artifacts,
      finished: new Date().toISOString(),
    };
    await writeWhole(this.record(record.key), recordText(record));
    await rm(join(this.root, 'checkpoints', record.key), { recursive: true, force: true });
    return record;
  }

  /** Removes the folder of one attempt. */
  async discard(workspace: string): Promise<void> {
    await rm(workspace, { recursive: true, force: true });
    await rmdir(dirname(workspace)).catch(() => undefined);
  }

  /** Takes the lock of a step, waiting for its holder. Returns the release. */
  lock(key: Digest, signal: AbortSignal, waiting: () => void): Promise<() => Promise<void>> {
    return acquire(join(this.root, 'locks'), key, signal, waiting);
  }
}
