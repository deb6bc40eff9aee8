import { statfs } from 'node:fs/promises';
import { stageError } from '../../ground/errors.ts';
import type { Progress } from '../../ground/progress.ts';
import { downloadFile } from './file.ts';
import type { Hub } from './hub.ts';
import type { HubFile, Listing } from './listing.ts';
import { placesOf, sizeOf } from './places.ts';

const AT_ONCE = 2;

const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, size) => total + size, 0);

/** Files of equal bytes arrive once. */
const distinct = (files: readonly HubFile[]): readonly HubFile[] => [
  ...new Map(files.map((file) => [file.hash.value, file])).values(),
];

/** Bytes that have to arrive. */
export const totalSize = ({ files }: Listing): number => sum(distinct(files).map(({ size }) => size));

/** Refuses what would fill the disk before a byte of it is written. */
const checkSpace = async (listing: Listing, folder: string): Promise<void> => {
  const there = await Promise.all(
    distinct(listing.files).map(async (file) => {
      const { whole, part } = placesOf(folder, file);
      return (await sizeOf(whole)) + (await sizeOf(part));
    }),
  );
  const needed = totalSize(listing) - sum(there);
  const { bavail, bsize } = await statfs(folder);
  if (needed <= bavail * bsize) return;
  const [missing, free] = [needed, bavail * bsize].map((bytes) => (bytes / 1e6).toFixed(0));
  throw stageError(
    `the download needs ${missing} MB in ${folder}, where ${free} MB are free: free some space or name another folder with --store`,
  );
};

/** A signal of its own for work on several files: the first failure ends the others, which keep what they have. */
const together = (hub: Hub): { readonly hub: Hub; fail(error: unknown): void; end(): void } => {
  const controller = new AbortController();
  const stop = (): void => controller.abort(hub.signal.reason);
  hub.signal.addEventListener('abort', stop, { once: true });
  if (hub.signal.aborted) stop();
  return {
    hub: { ...hub, signal: controller.signal },
    fail: (error) => controller.abort(error),
    end: () => hub.signal.removeEventListener('abort', stop),
  };
};

/** Does the work on every file, a few at once, and returns when nobody works any more, done or failed. */
const inTurns = async (
  hub: Hub,
  files: readonly HubFile[],
  work: (hub: Hub, file: HubFile) => Promise<void>,
): Promise<void> => {
  const group = together(hub);
  const queue = [...files];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) await work(group.hub, file);
  };
  const workers = Array.from({ length: AT_ONCE }, () => worker().catch(group.fail));
  await Promise.all(workers);
  group.end();
  group.hub.signal.throwIfAborted();
};

/** Downloads all files of a listing, two at once, and returns where each is by its path. */
export const downloadFiles = async (
  hub: Hub,
  listing: Listing,
  folder: string,
  report: (progress: Progress) => void,
): Promise<ReadonlyMap<string, string>> => {
  await checkSpace(listing, folder);
  const files = distinct(listing.files);
  const total = totalSize(listing);
  const arrived = new Map<HubFile, number>();
  let finished = 0;
  await inTurns(hub, files, async (own, file) => {
    const onSize = (bytes: number): void => {
      arrived.set(file, bytes);
      const phase = `${finished} of ${files.length} files`;
      report({ done: sum(arrived.values()), total, unit: 'bytes', phase });
    };
    await downloadFile(own, listing, file, { folder, onSize });
    finished += 1;
  });
  return new Map(listing.files.map((file) => [file.path, placesOf(folder, file).whole]));
};
