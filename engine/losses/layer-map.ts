import { z } from 'zod';

/** Student layer and the teacher layer that it imitates, both counted from 0. */
export type LayerPair = readonly [student: number, teacher: number];

/** Which layers meet: by a rule, by the layers' distance of the moment, or as they are given. */
export type LayerMap = 'uniform' | 'last' | 'dynamic' | Readonly<Record<string, number>>;

/** Layers of the student and of the teacher. */
export interface Depths {
  readonly student: number;
  readonly teacher: number;
}

/** A map that somebody wrote: student layers, counted from 0, to teacher layers. */
export const givenLayers = z
  .record(z.string().regex(/^\d+$/, 'expected the number of a student layer, counted from 0'), z.int().min(0))
  .refine((map) => Object.keys(map).length > 0, 'expected at least one layer');

/** Which teacher layer each student layer imitates: spread evenly (the last meets the last), or the last alone. */
export const layerPairs = (student: number, teacher: number, layers: 'uniform' | 'last'): readonly LayerPair[] =>
  layers === 'last'
    ? [[student - 1, teacher - 1]]
    : Array.from({ length: student }, (_, i): LayerPair => [i, Math.round(((i + 1) * teacher) / student) - 1]);

/**
 * Pairs of layers in groups of which the nearest pair counts. dynamic (CoFi, Xia et al. 2022, arXiv 2204.00408): the teacher's layers
 * that uniform would choose, each beside every layer of the student.
 */
export const pairGroups = (layers: LayerMap, { student, teacher }: Depths): readonly (readonly LayerPair[])[] => {
  if (typeof layers === 'object') return Object.entries(layers).map(([from, to]) => [[Number(from), to]]);
  if (layers !== 'dynamic') return layerPairs(student, teacher, layers).map((pair) => [pair]);
  const chosen = [...new Set(layerPairs(student, teacher, 'uniform').map(([, to]) => Math.max(0, to)))];
  return chosen.map((to) => Array.from({ length: student }, (_, from): LayerPair => [from, to]));
};

/** What is wrong with a written map, by the student layer that it stands at; what is not known of a model is not wrong. */
export const missingLayers = (
  layers: LayerMap,
  { student, teacher }: { readonly [model in keyof Depths]: number | undefined },
): readonly { readonly at: string; readonly message: string }[] =>
  typeof layers !== 'object'
    ? []
    : Object.entries(layers).flatMap(([from, to]) => {
        if (student !== undefined && Number(from) >= student)
          return [{ at: from, message: `the student's layers are 0 to ${student - 1}; found ${from}` }];
        if (teacher !== undefined && to >= teacher)
          return [{ at: from, message: `the teacher's layers are 0 to ${teacher - 1}; found ${to}` }];
        return [];
      });
