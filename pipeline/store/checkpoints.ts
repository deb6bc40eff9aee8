import { createHash } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoints } from '../../ground/checkpoints.ts';
import type { Json } from '../../ground/json.ts';
import { replaceFile } from './atomic.ts';

const STATE = 'state.bin';
const MAGIC = 'decant.checkpoint/1\n';
const PIECE = 64 * 1024 * 1024;
const DIGEST_BYTES = 32;

type Hash = ReturnType<typeof createHash>;
type Handle = Awaited<ReturnType<typeof open>>;

const writeAll = async (file: Handle, hash: Hash, bytes: Uint8Array): Promise<void> => {
  for (let at = 0; at < bytes.length; at += PIECE) {
    const piece = bytes.subarray(at, at + PIECE);
    hash.update(piece);
    let written = 0;
    while (written < piece.length) written += (await file.write(piece, written)).bytesWritten;
  }
};

const readAll = async (file: Handle, size: number): Promise<Uint8Array> => {
  const bytes = new Uint8Array(size);
  let at = 0;
  while (at < size) {
    const { bytesRead } = await file.read(bytes, at, Math.min(PIECE, size - at));
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
};

/** magic, length of meta (uint32), meta, data, sha256 of all before it. */
const writeState = async (path: string, meta: Json, data: readonly Uint8Array[]): Promise<void> => {
  const file = await open(path, 'w');
  try {
    const hash = createHash('sha256');
    const head = Buffer.from(JSON.stringify(meta));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(head.length);
    for (const part of [Buffer.from(MAGIC), length, head, ...data]) await writeAll(file, hash, part);
    await file.write(hash.digest());
    await file.sync();
  } finally {
    await file.close();
  }
};

const parseState = (bytes: Uint8Array): { readonly meta: Json; readonly data: Uint8Array } | undefined => {
  const body = bytes.subarray(0, bytes.length - DIGEST_BYTES);
  const hash = createHash('sha256');
  for (let at = 0; at < body.length; at += PIECE) hash.update(body.subarray(at, at + PIECE));
  if (!hash.digest().equals(bytes.subarray(body.length))) return undefined;
  const view = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (view.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  const start = MAGIC.length + 4;
  const end = start + view.readUInt32LE(MAGIC.length);
  // Copied, so that typed arrays of any width can be laid over it.
  return { meta: JSON.parse(view.toString('utf8', start, end)), data: body.slice(end) };
};

/** Saved states of one step, replaced atomically. */
export const checkpointsIn = (folder: string): Checkpoints => ({
  folder,
  load: async () => {
    const file = await open(join(folder, STATE), 'r').catch(() => undefined);
    if (file === undefined) return undefined;
    try {
      const { size } = await file.stat();
      return size < MAGIC.length + 4 + DIGEST_BYTES ? undefined : parseState(await readAll(file, size));
    } catch {
      return undefined;
    } finally {
      await file.close();
    }
  },
  save: async (meta, data) => {
    await mkdir(folder, { recursive: true });
    await replaceFile(join(folder, STATE), (temporary) => writeState(temporary, meta, data));
  },
});
