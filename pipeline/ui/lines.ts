import { type FileHandle, open } from 'node:fs/promises';

const PIECE = 64 * 1024;
const LINE_END = 10;
/** What is longer is no event of ours: it is left out. */
const LONGEST_LINE = 1024 * 1024;

/** Some times what a log may grow to: of a file that is longer the end is read. */
const MOST_AT_ONCE = 32 * 1024 * 1024;

/** The lines of a file that grows, each once; from the beginning again where another file takes its place. */
export class GrowingFile {
  private readonly file: string;
  private inode = -1;
  private offset = 0;
  private rest: Buffer = Buffer.alloc(0);
  private skips = false;

  constructor(file: string) {
    this.file = file;
  }

  /** Gives the lines that have come since the last time; `begin` comes before those of another file. */
  async read(begin: () => void, take: (line: string) => void): Promise<void> {
    const handle = await open(this.file, 'r').catch(() => undefined);
    if (handle === undefined) return;
    try {
      const { ino, size } = await handle.stat();
      if (ino !== this.inode || size < this.offset) {
        [this.inode, this.offset, this.rest, this.skips] = [ino, 0, Buffer.alloc(0), false];
        begin();
      }
      if (size - this.offset > MOST_AT_ONCE) [this.offset, this.skips] = [size - MOST_AT_ONCE, true];
      await this.readTo(size, handle, take);
    } finally {
      await handle.close();
    }
  }

  private async readTo(size: number, handle: FileHandle, take: (line: string) => void): Promise<void> {
    const piece = Buffer.alloc(PIECE);
    while (this.offset < size) {
      const { bytesRead } = await handle.read(piece, 0, Math.min(PIECE, size - this.offset), this.offset);
      if (bytesRead === 0) return;
      this.offset += bytesRead;
      this.split(Buffer.concat([this.rest, piece.subarray(0, bytesRead)]), take);
    }
  }

  private split(bytes: Buffer, take: (line: string) => void): void {
    let start = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
      if (!this.skips) take(bytes.toString('utf8', start, end));
      this.skips = false;
      start = end + 1;
    }
    this.rest = bytes.subarray(start);
    if (this.rest.length > LONGEST_LINE) [this.rest, this.skips] = [Buffer.alloc(0), true];
  }
}

/** The last lines of a file, without the one that its beginning was cut off. */
export const lastLines = async (file: string): Promise<readonly string[]> => {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return [];
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - PIECE);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    return start === 0 ? lines : lines.slice(1);
  } finally {
    await handle.close();
  }
};
