import type { Profile, ProfiledNode } from '../data/profile.ts';
import type { StageReport } from './report.ts';

const byTime = (a: { readonly ms: number }, b: { readonly ms: number }): number => b.ms - a.ms;

const grouped = (
  nodes: readonly ProfiledNode[],
  key: (node: ProfiledNode) => string,
): readonly { readonly key: string; readonly ms: number; readonly count: number }[] => {
  const groups = new Map<string, { key: string; ms: number; count: number }>();
  for (const node of nodes) {
    const known = groups.get(key(node)) ?? { key: key(node), ms: 0, count: 0 };
    groups.set(known.key, { key: known.key, ms: known.ms + node.ms, count: known.count + 1 });
  }
  return [...groups.values()].sort(byTime);
};

/** Kernel time of one run by operator and by layer, the longest first. */
export const timeReport = (profile: Profile, id: string): StageReport['time'] => {
  const nodes = profile.models[id]?.nodes;
  if (nodes === undefined) return null;
  return {
    totalMs: nodes.reduce((sum, { ms }) => sum + ms, 0),
    operators: grouped(nodes, ({ op }) => op).map(({ key, ms, count }) => ({ op: key, ms, count })),
    layers: grouped(nodes, ({ layer }) => layer).map(({ key, ms }) => ({ layer: key, ms })),
  };
};
