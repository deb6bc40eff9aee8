import type { Feeds } from '../../engine/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import type { OpDef } from '../../graph/op.ts';
import { ops } from '../../graph/ops/index.ts';
import { sampleFeeds, sampleGraph } from '../rig/samples.ts';

const DEFAULT_OPSET = 20;

/** A graph of one node, and what it is fed. */
export interface SampleCase {
  /** As lists of an engine write it. */
  readonly name: string;
  readonly graph: Graph;
  readonly feeds: Feeds;
}

/** The operator set that decant's own graphs have where the record stands for it, else the nearest. */
const opsetOf = (record: OpDef): number => {
  if (record.domain !== '') return DEFAULT_OPSET;
  const later = ops.filter(({ op, domain, since }) => op === record.op && domain === '' && since > record.since);
  return Math.max(record.since, Math.min(DEFAULT_OPSET, ...later.map(({ since }) => since - 1)));
};

const titleOf = ({ domain, op, since }: OpDef): string => `${domain === '' ? '' : `${domain}:`}${op} since ${since}`;

/** Every sample of every operator's record. */
export const sampleCases: readonly SampleCase[] = ops.flatMap((record) =>
  record.samples.map((sample) => ({
    name: `${titleOf(record)}: ${sample.name}`,
    graph: sampleGraph(record, sample, { opset: opsetOf(record) }),
    feeds: sampleFeeds(sample, 1),
  })),
);
