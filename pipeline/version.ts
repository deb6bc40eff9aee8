import { readFileSync } from 'node:fs';

/** package.json is one folder up from the source and two from the compiled files. */
const candidates = ['../package.json', '../../package.json'].map((path) => new URL(path, import.meta.url));

const read = (url: URL): string | undefined => {
  try {
    const { name, version: its }: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(url, 'utf8'));
    return name === 'decant' && typeof its === 'string' ? its : undefined;
  } catch {
    return undefined;
  }
};

export const version: string = candidates.map(read).find((found) => found !== undefined) ?? 'unknown';
