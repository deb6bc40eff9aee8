import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { failureOf } from './answers.ts';
import { type Hub, PassingError, persist } from './hub.ts';
import type { HubFile, Listing } from './listing.ts';
import { accept, dropPart, isWhole, type Places, placesOf, sizeOf } from './places.ts';
import { type Answer, get } from './request.ts';
import { repositoryOf } from './specifier.ts';

/** One file on its way from the hub. */
interface Transfer {
  readonly hub: Hub;
  readonly listing: Listing;
  readonly file: HubFile;
  readonly places: Places;
  /** The most that was ever there: what is won back after starting over is no gain. */
  readonly reach: { most: number };
  /** Told how much of the file is there. */
  onSize(bytes: number): void;
}

/** Asks for the rest of a version: a server that has another one sends all of it. */
const rangeFrom = async (at: number, { etag }: Places): Promise<Readonly<Record<string, string>>> => {
  if (at === 0) return {};
  const version = await readFile(etag, 'utf8').catch(() => '');
  return { range: `bytes=${at}-`, ...(version === '' ? {} : { 'if-range': version }) };
};

/** Keeps the version that the server names; a weak one (W/) promises no equal bytes. */
const keepVersion = async ({ headers }: Answer, { etag }: Places): Promise<void> => {
  const version = headers.get('etag') ?? '';
  if (/^"[\x21\x23-\x7e]*"$/.test(version)) await writeFile(etag, version);
  else await rm(etag, { force: true });
};

/** The byte that an answer begins with: the one asked for, or the first where the server starts over. */
const startOf = async ({ status, headers }: Answer, at: number, places: Places): Promise<number> => {
  if (status === 200) return 0;
  if (status === 206 && at > 0 && headers.get('content-range')?.startsWith(`bytes ${at}-`) === true) return at;
  await dropPart(places);
  throw new PassingError('the hub cannot go on from there');
};

/** Writes what arrives up to the announced size and not a byte further: an endless body is left there. */
const write = async ({ file: { size }, places, onSize }: Transfer, { pieces }: Answer, from: number): Promise<void> => {
  const handle = await open(places.part, from === 0 ? 'w' : 'a');
  let at = from;
  try {
    onSize(at);
    if (at >= size) return;
    for await (const piece of pieces) {
      const kept = piece.subarray(0, size - at);
      await handle.appendFile(kept);
      at += kept.length;
      onSize(at);
      if (at >= size) return;
    }
  } finally {
    await handle.close();
  }
  throw new PassingError('the answer ended early');
};

const receive = async (transfer: Transfer, answer: Answer, at: number): Promise<void> => {
  const { hub, listing, file, places } = transfer;
  const failure = answer.status === 416 ? undefined : failureOf(answer, { model: listing.model, file: file.path }, hub);
  if (failure !== undefined) throw failure;
  const from = await startOf(answer, at, places);
  if (from === 0) await keepVersion(answer, places);
  await write(transfer, answer, from);
};

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1)} MB`;

/** Some of a large file or half of what was left of a small one: then a cut is no failure, and patience starts anew. */
const isGain = (before: number, after: number, size: number): boolean =>
  after > before && after - before >= Math.min(1e6, (size - before) / 2);

/** A failure that may pass, with where it left the file. */
const located = async (error: unknown, { file, places, reach }: Transfer, before: number): Promise<unknown> => {
  if (!(error instanceof PassingError)) return error;
  const after = await sizeOf(places.part);
  const where = after === 0 ? '' : ` at ${megabytes(after)} of ${megabytes(file.size)}`;
  const most = Math.max(before, reach.most);
  const gained = isGain(most, after, file.size);
  reach.most = Math.max(most, after);
  return new PassingError(`${file.path}${where}: ${error.message}`, { ...error.again, gained });
};

/** Bytes of a file that are there from earlier attempts. */
const begun = async ({ file, places }: Transfer): Promise<number> => {
  const size = await sizeOf(places.part);
  if (size <= file.size) return size;
  await dropPart(places);
  return 0;
};

/** One attempt at the rest of a file; what has arrived stays, however it ends. */
const attempt = async (transfer: Transfer): Promise<void> => {
  const { hub, listing, file, places } = transfer;
  const at = await begun(transfer);
  if (at > 0 && at === file.size) return;
  const path = `/${repositoryOf(listing.model)}/resolve/${listing.commit}/${file.path}`;
  try {
    await get(hub, path, await rangeFrom(at, places), (answer) => receive(transfer, answer, at));
  } catch (error) {
    throw await located(error, transfer, at);
  }
};

/** Brings a file whole into a folder, going on from what is there, and returns where it is. */
export const downloadFile = async (
  hub: Hub,
  listing: Listing,
  file: HubFile,
  { folder, onSize }: { readonly folder: string; onSize(bytes: number): void },
): Promise<string> => {
  const places = placesOf(folder, file);
  if (!(await isWhole(file, places))) {
    const transfer = { hub, listing, file, places, reach: { most: 0 }, onSize };
    await persist(hub, () => attempt(transfer));
    await accept(file, places);
  }
  onSize(file.size);
  return places.whole;
};
