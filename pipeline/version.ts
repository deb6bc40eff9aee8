import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** package.json is one folder up from the source and two from the compiled files. */
const candidates = ['../package.json', '../../package.json'].map((path) => new URL(path, import.meta.url));

const read = (url: URL): string | undefined => {
  try {
    return z.object({ name: z.literal('decant'), version: z.string() }).parse(JSON.parse(readFileSync(url, 'utf8')))
      .version;
  } catch {
    return undefined;
  }
};

export const version: string = candidates.map(read).find((found) => found !== undefined) ?? 'unknown';
