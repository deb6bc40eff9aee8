import { basename } from 'node:path';
import { firstFew } from '../../ground/names.ts';
import type { Plan } from '../plan/plan.ts';

/** Keys of the data section that say where the texts are, the one that names all of them first. */
const places = ['file', 'folder', 'train'] as const;

const MOST_NAMES = 3;

const named = (value: unknown): readonly string[] => {
  const paths = Array.isArray(value) ? value : [value];
  return paths
    .filter((path) => typeof path === 'string' && !path.startsWith('!'))
    .map((path) => basename(String(path)));
};

/** What people call the data of a plan: its files or folders, or what decant reads it with. */
export const dataNameOf = ({ steps, dataset, data }: Pick<Plan, 'steps' | 'dataset' | 'data'>): string => {
  const config: unknown = steps.find(({ id }) => id === dataset)?.config;
  const names = places.map((key) => named(Object(config)[key])).find(({ length }) => length > 0) ?? [];
  return firstFew(names, MOST_NAMES) || data;
};
