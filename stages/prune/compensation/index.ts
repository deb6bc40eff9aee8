import { cpuEngine } from '../../../engine/engines/cpu/engine.ts';
import { gramBytes } from '../../../engine/layerwise/grams.ts';
import { passesOf } from '../../../engine/layerwise/passes.ts';
import type { Graph } from '../../../graph/graph.ts';
import type { Part } from '../../../models/anatomy.ts';
import type { Subject } from '../criteria/criterion.ts';
import { isRefittable, leastSquares } from './least-squares.ts';
import { meansInBiases } from './means.ts';
import type { Compensation } from './names.ts';
import { type Chosen, type Compensate, type Reader, readersOf } from './readers.ts';

export type { Compensation } from './names.ts';
export type { Chosen, Compensate } from './readers.ts';

/** What sums over texts may take of memory at once. */
const MOST_BYTES = 512e6;

/** Readers in groups whose sums fit into memory together. */
const lotsOf = (readers: readonly Reader[]): readonly (readonly Reader[])[] =>
  passesOf(
    readers.map((reader) => ({ reader, input: reader.gate.value })),
    ({ reader }) => gramBytes({ width: reader.gate.owner.length }),
    MOST_BYTES,
  ).map((lot) => lot.map(({ reader }) => reader));

const readingOf = async ({ graph, model, threads, signal, examples, progress }: Subject) => ({
  ...{ graph, info: model.info, engine: cpuEngine, threads, signal },
  examples: await examples(),
  onText: progress,
});

/** Changes the graph before units of some of its parts go; runs texts once for each lot of parts that memory holds. */
export const compensated = async (subject: Subject, how: Compensation, chosen: Chosen): Promise<Graph> => {
  const { graph } = subject;
  const readers = how === 'none' ? [] : [...chosen.keys()].flatMap((part) => readersOf(graph, part));
  if (how !== 'least-squares') return (await meansInBiases(subject, readers))(graph, chosen);
  const fitting = readers.filter((reader) => isRefittable(graph, reader));
  const others = readers.filter((reader) => !isRefittable(graph, reader));
  let current = (await meansInBiases(subject, others))(graph, chosen);
  const reading = await readingOf(subject);
  for (const lot of lotsOf(fitting)) current = (await leastSquares(reading, lot))(current, chosen);
  return current;
};

/** The same for many choices about one lot of parts: texts run once. */
export const compensatorFor = async (
  subject: Subject,
  how: Compensation,
  parts: readonly Part[],
): Promise<Compensate> => {
  const { graph } = subject;
  const readers = how === 'none' ? [] : parts.flatMap((part) => readersOf(graph, part));
  if (how !== 'least-squares') return meansInBiases(subject, readers);
  const [refitted, shifted] = [
    await leastSquares(
      await readingOf(subject),
      readers.filter((reader) => isRefittable(graph, reader)),
    ),
    await meansInBiases(
      subject,
      readers.filter((reader) => !isRefittable(graph, reader)),
    ),
  ];
  return (given, chosen) => refitted(shifted(given, chosen), chosen);
};
