import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileSize } from '../../../ground/whole-file.ts';
import type { StoredTensors } from '../../safetensors/file.ts';
import { importError } from '../importer.ts';
import { configFile, takesEncoder } from './config.ts';

export const readme = 'README.md';

/** What config.json says of the class that a checkpoint was saved from. */
interface Saved {
  readonly savedFrom: string;
  readonly architecture: { readonly ignored: readonly RegExp[] };
}

/** What models with a head write before the names of the encoder's parameters, where this one does. */
export const prefixOf = ({ prefix }: { readonly prefix: string }, tensors: StoredTensors): string =>
  [...tensors.keys()].some((name) => name.startsWith(`${prefix}.`)) ? `${prefix}.` : '';

/** What is wrong with config.json where tensors are left over. Without a class nobody knows what a head computes. */
const unaccounted = ({ savedFrom }: Saved): string =>
  savedFrom === ''
    ? 'does not account for: it has no "architectures"; name the class that the model was saved from there, ' +
      `such as ["BertForSequenceClassification"]; ${takesEncoder}`
    : 'does not account for: it says another architecture, or fewer layers, than the weights have';

/** Tensors that were not read must be ones that the architecture lists, or belong to a head that was left out. */
export const checkUnread = (
  unread: readonly string[],
  config: Saved,
  { prefix, headless }: { readonly prefix: string; readonly headless: boolean },
): void => {
  const { ignored } = config.architecture;
  const known = (name: string): boolean => {
    const bare = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    const inHead = prefix !== '' && !name.startsWith(prefix);
    return ignored.some((pattern) => pattern.test(bare)) || (inHead && headless);
  };
  const extra = unread.filter((name) => !known(name));
  if (extra.length === 0) return;
  const more = extra.length > 3 ? ` and ${extra.length - 3} more` : '';
  throw importError(
    `the safetensors hold ${extra.slice(0, 3).join(', ')}${more}, which ${configFile} ${unaccounted(config)}`,
  );
};

/** Front matter ends long before. */
const CARD_BYTES = 64 * 1024;

const beginningOf = (path: string): string => {
  const bytes = Buffer.alloc(Math.min(fileSize(path, { called: readme, refuse: importError }), CARD_BYTES));
  const file = openSync(path, 'r');
  try {
    return bytes.toString('utf8', 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
};

/** Licence in the front matter of the model card. */
const licenceOf = (folder: string): string | undefined => {
  const path = join(folder, readme);
  if (!existsSync(path)) return undefined;
  const [, front = ''] = /^---\r?\n([\s\S]*?)\r?\n---/.exec(beginningOf(path)) ?? [];
  return /^license:\s*['"]?([\w.+-]+)/m.exec(front)?.[1];
};

/** Where a model in a folder comes from, as reports say it. */
export const originOf = (folder: string, name: string, modelType: string): string => {
  const licence = licenceOf(folder);
  return `${name} (Hugging Face, ${modelType}${licence === undefined ? '' : `, ${licence}`})`;
};
