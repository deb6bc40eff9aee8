import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { goldenFolder } from './golden-checkpoints.ts';

const root = join(import.meta.dirname, '../golden/folders');

/** Contents by file; null removes the file. */
type Files = Readonly<Record<string, unknown>>;

interface TokenCases {
  readonly texts: readonly string[];
  readonly pair: readonly [string, string];
  readonly cases: readonly { readonly base: string; readonly files: Files; readonly ids: readonly number[][] | null }[];
}

interface SentenceCases {
  readonly texts: readonly string[];
  readonly cases: readonly { readonly files: Files; readonly vectors: readonly number[][] | null }[];
}

/** What Python makes of changed folders; recipe.py beside the files made them. */
export const tokenCases: TokenCases = JSON.parse(readFileSync(join(root, 'tokens.json'), 'utf8'));
export const sentenceCases: SentenceCases = JSON.parse(readFileSync(join(root, 'sentences.json'), 'utf8'));

const readObject = (path: string): Record<string, unknown> | undefined => {
  const json: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
};

/** null takes a key away, but for one that says something as null. */
const merged = (old: Record<string, unknown>, changes: object): object =>
  Object.fromEntries(
    Object.entries({ ...old, ...changes }).filter(
      ([key, value]) => value !== null || !(key in changes) || key === 'post_processor',
    ),
  );

/** Writes a golden checkpoint with some files changed: keys merged where asked for, else files replaced. */
export const writeCase = (folder: string, base: string, files: Files, merge: boolean): void => {
  rmSync(folder, { recursive: true, force: true });
  cpSync(goldenFolder(base), folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name.replace(/^\+/, ''));
    mkdirSync(dirname(path), { recursive: true });
    if (content === null) rmSync(path);
    else {
      const old = merge || name.startsWith('+') ? readObject(path) : undefined;
      writeFileSync(path, JSON.stringify(old === undefined ? content : merged(old, Object(content))));
    }
  }
};
