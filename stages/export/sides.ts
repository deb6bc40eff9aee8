import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { outsideFile, writeGraph } from '../../graph/codec/index.ts';
import type { Graph } from '../../graph/graph.ts';
import type { Model } from '../../models/model.ts';
import { onnxFile, type Precision, sideFiles } from '../../models/precision.ts';
import { hasSides, sidesOf } from '../../models/sides.ts';

/** Every file that graphs of a precision may be written into. */
export const graphFiles = (precision: Precision): readonly string[] => {
  const { encoder, decoder } = sideFiles(precision);
  return [onnxFile(precision), encoder, decoder];
};

/** The graphs that clients load of a model, by file. */
const filesOf = (precision: Precision, model: Pick<Model, 'graph' | 'info'>): ReadonlyMap<string, Graph> => {
  if (!hasSides(model.info)) return new Map([[onnxFile(precision), model.graph]]);
  const [names, sides] = [sideFiles(precision), sidesOf(model)];
  return new Map([
    [names.encoder, sides.encoder],
    [names.decoder, sides.decoder],
  ]);
};

export const writeGraphs = async (
  folder: string,
  precision: Precision,
  model: Pick<Model, 'graph' | 'info'>,
): Promise<void> => {
  for (const [file, graph] of filesOf(precision, model)) await writeGraph(join(folder, file), graph);
};

/** Bytes of what was written, with the external data of graphs of more than two gigabytes. */
export const bytesWritten = async (
  folder: string,
  precision: Precision,
  { info }: Pick<Model, 'info'>,
): Promise<number> => {
  const { encoder, decoder } = sideFiles(precision);
  let bytes = 0;
  for (const name of hasSides(info) ? [encoder, decoder] : [onnxFile(precision)]) {
    const file = join(folder, name);
    const outside = await stat(outsideFile(file)).catch(() => ({ size: 0 }));
    bytes += (await stat(file)).size + outside.size;
  }
  return bytes;
};
