import type { DataProblem } from '../errors.ts';
import { sourceErrors } from '../split-errors.ts';
import type { Part } from './parts.ts';
import { realPathOf } from './source-files.ts';

/** Of one kind of texts, files whose columns are those of their first. */
const groupsOf = (parts: readonly Part[]): readonly (readonly Part[])[] => {
  const groups = new Map<string, Part[]>();
  for (const part of parts.filter(({ reader }) => reader.isRagged !== true)) {
    groups.set(part.key, [...(groups.get(part.key) ?? []), part]);
  }
  return [...groups.values()].filter(({ length }) => length > 1);
};

const without = (names: readonly string[], others: readonly string[]): readonly string[] =>
  names.filter((name) => !others.includes(name));

/** Files that are read together have the same columns, in whatever order: another table among them is a mistake. */
export const expectTogether = async (parts: readonly Part[]): Promise<void> => {
  for (const [first, ...others] of groupsOf(parts)) {
    if (first === undefined) continue;
    const columns = (await first.reader.columns(first.file)) ?? [];
    for (const { file, reader, key } of others) {
      const own = (await reader.columns(file)) ?? [];
      const [lacking, more] = [without(columns, own), without(own, columns)];
      if (lacking.length + more.length > 0)
        throw sourceErrors.otherColumns(file.shown, first.file.shown, key, lacking, more);
    }
  }
};

/** Files that patterns brought into two splits. */
export const twiceRead = async (parts: readonly Part[]): Promise<readonly DataProblem[]> => {
  const read = new Map<string, Part>();
  for (const part of parts.filter(({ key }) => key !== 'unlabelled')) {
    const { key, file } = part;
    const place = await realPathOf(file);
    const other = read.get(place);
    if (other !== undefined && other.key !== key) {
      const { code, message } = sourceErrors.readTwice(file.shown, key, other.key);
      return [{ code, path: [key], message }];
    }
    read.set(place, part);
  }
  return [];
};
