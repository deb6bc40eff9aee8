import { stageError, type UserError } from '../../ground/errors.ts';
import type { Anatomy, Part, PartKind } from '../../models/anatomy.ts';
import type { PruneOptions } from './config.ts';
import { type Count, type Target, targetOf } from './counts.ts';

export type Keep = NonNullable<PruneOptions['keep']>;

/** A part that shrinks, and to how many units. */
export interface Goal extends Target {
  readonly part: Part;
}

const unitNames: Readonly<Record<PartKind, string>> = {
  heads: 'heads',
  ffn: 'feed-forward neurons',
  hidden: 'channels',
  embedding: 'channels',
};

const absent = (key: keyof Keep): UserError =>
  stageError(
    `keep.${key}: the model has nothing of that kind that decant can find; ` +
      `prune before quantizing or fusing, and see decant inspect for what the model is made of`,
  );

const goalOf = (key: keyof Keep, part: Part, count: Count, available = part.count): Goal => {
  const target = targetOf(count, available);
  if (target.kept > part.count) {
    throw stageError(
      `keep.${key}: ${target.kept} ${unitNames[part.kind]} were to be kept in ${part.name}, which has ${part.count}; ` +
        `give at most ${part.count}`,
    );
  }
  if (part.refused !== undefined && target.kept < part.count) {
    throw stageError(`keep.${key}: ${part.name} cannot be cut: ${part.refused}`);
  }
  return { part, ...target };
};

/** Heads and neurons: the count holds in each layer. */
const perLayer = (key: 'heads' | 'ffn', parts: readonly Part[], count: Count | undefined): readonly Goal[] => {
  if (count === undefined) return [];
  if (parts.length === 0) throw absent(key);
  return parts.map((part) => goalOf(key, part, count));
};

/** A width caps what is wider and leaves what is narrower; a share holds for each width. */
const widths = (key: 'hidden' | 'embedding', parts: readonly Part[], count: Count | undefined): readonly Goal[] => {
  if (count === undefined) return [];
  const widest = Math.max(0, ...parts.map((part) => part.count));
  if (parts.length === 0) throw absent(key);
  if (typeof count === 'number' && count > widest) {
    throw stageError(`keep.${key}: ${count} was to be kept, but the widest is ${widest}; give at most ${widest}`);
  }
  return parts.map((part) => goalOf(key, part, typeof count === 'number' ? Math.min(count, part.count) : count));
};

/** Whether the width of the token embeddings is a width of the stream: it cannot be cut alone, only factorised. */
const sharesWidth = ({ embedding, table }: Anatomy): boolean => embedding === undefined && table !== undefined;

/** The rank of two factors that are to stand for the token table, where its width cannot be cut alone. */
export const rankGoal = (anatomy: Anatomy, keep: Keep): number | undefined => {
  const { embeddingWidth: width = 0 } = anatomy;
  if (keep.embedding === undefined || !sharesWidth(anatomy)) return undefined;
  const { kept } = targetOf(keep.embedding, width);
  if (kept <= width) return kept;
  throw stageError(`keep.embedding: ${kept} was to be kept, but the token embeddings are ${width} wide`);
};

/** What every part of a graph is to be cut to. */
export const goalsOf = (anatomy: Anatomy, keep: Keep): readonly Goal[] => {
  const embedding = anatomy.embedding === undefined ? [] : [anatomy.embedding];
  const residual = keep.embedding === undefined ? [...embedding, ...anatomy.hidden] : anatomy.hidden;
  return [
    ...widths('hidden', residual, keep.hidden),
    ...widths('embedding', embedding, sharesWidth(anatomy) ? undefined : keep.embedding),
    ...perLayer(
      'heads',
      anatomy.layers.flatMap((layer) => layer.heads),
      keep.heads,
    ),
    ...perLayer(
      'ffn',
      anatomy.layers.flatMap((layer) => layer.ffn),
      keep.ffn,
    ),
  ];
};

const expectThere = (named: readonly number[], available: number): void => {
  const missing = named.find((layer) => layer >= available);
  if (missing === undefined) return;
  throw stageError(`keep.layers: layer ${missing} was to be kept of a model whose layers are 0 to ${available - 1}`);
};

/** How many layers to keep, or which ones. */
export const layersGoal = (anatomy: Anatomy, keep: Keep): number | readonly number[] => {
  const available = anatomy.layers.length;
  if (keep.layers === undefined) return available;
  if (available === 0) throw absent('layers');
  if (typeof keep.layers === 'object') {
    expectThere(keep.layers, available);
    return keep.layers;
  }
  const share = typeof keep.layers === 'number' ? keep.layers : Math.round(targetOf(keep.layers, available).exact ?? 0);
  const kept = Math.max(1, share);
  if (kept > available) {
    throw stageError(`keep.layers: ${kept} layers were to be kept of a model that has ${available}`);
  }
  return kept;
};
