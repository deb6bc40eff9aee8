import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** A file as the disk knows it: links to it share its bytes. */
interface Inode {
  readonly size: number;
  readonly links: number;
  seen: number;
}

/** Files that are to be removed, and what that frees: bytes that other links keep stay. */
export class Removal {
  private readonly inodes = new Map<string, Inode>();
  private readonly paths = new Set<string>();
  files = 0;

  /** Adds a file, or a folder with all that is in it; bytes that are freed by this one. */
  async add(path: string): Promise<number> {
    if (this.paths.has(path)) return 0;
    this.paths.add(path);
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined) return 0;
    if (found.isDirectory()) return await this.addAll(path);
    this.files++;
    const name = `${found.dev}:${found.ino}`;
    const inode = this.inodes.get(name) ?? { size: found.size, links: found.nlink, seen: 0 };
    this.inodes.set(name, inode);
    inode.seen++;
    return inode.seen === inode.links ? inode.size : 0;
  }

  private async addAll(folder: string): Promise<number> {
    let freed = 0;
    for (const name of await readdir(folder).catch(() => [])) freed += await this.add(join(folder, name));
    return freed;
  }
}

/** Bytes of what lies at a path, each file counted once; `without` names entries of the top folder that do not count. */
export const bytesAt = async (path: string, without: readonly string[] = [], seen = new Set<string>()) => {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return 0;
  const name = `${found.dev}:${found.ino}`;
  if (!found.isDirectory()) {
    const size = seen.has(name) ? 0 : found.size;
    seen.add(name);
    return size;
  }
  let sum = 0;
  const entries = (await readdir(path).catch(() => [])).filter((entry) => !without.includes(entry));
  for (const entry of entries) sum += await bytesAt(join(path, entry), [], seen);
  return sum;
};
