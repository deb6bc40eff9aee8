import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { writeGraph } from '../../graph/codec/index.ts';
import { quantizeWeights } from '../../graph/quantize/index.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { readModel } from '../../models/files.ts';
import type { Model } from '../../models/model.ts';

/** One ONNX file that stands for the float weights of a model. */
export interface Contender {
  readonly maker: 'decant' | 'onnxruntime';
  readonly precision: 'fp32' | 'int8';
  /** How it was made. */
  readonly recipe: string;
  readonly path: string;
  readonly bytes: number;
}

/** A float model of a run and every file made from it. */
export interface Subject {
  readonly id: string;
  readonly model: Model;
  readonly contenders: readonly Contender[];
}

const contender = async (entry: Omit<Contender, 'bytes'>): Promise<Contender> => ({
  ...entry,
  bytes: (await stat(entry.path)).size,
});

/** What export and quantize write. */
const ownFiles = async (model: Model, folder: string): Promise<readonly Contender[]> => {
  const fused = fuseForInference(model.graph);
  const fp32 = join(folder, 'decant-fp32.onnx');
  const int8 = join(folder, 'decant-int8.onnx');
  await writeGraph(fp32, fused);
  await writeGraph(int8, quantizeWeights(fused).graph);
  return [
    await contender({ maker: 'decant', precision: 'fp32', recipe: 'export', path: fp32 }),
    await contender({ maker: 'decant', precision: 'int8', recipe: 'quantize', path: int8 }),
  ];
};

const recipeOf = (line: string): { file: string; int8: boolean; recipe: string } => {
  const { file, int8, recipe } = Object(JSON.parse(line));
  return { file: String(file), int8: int8 === true, recipe: String(recipe) };
};

/** What Python's onnxruntime makes of the unfused file. */
const rivalFiles = async (python: string, source: string, folder: string): Promise<readonly Contender[]> => {
  const script = join(import.meta.dirname, 'rival.py');
  const { stdout } = await promisify(execFile)(python, [script, source, folder, '0', '0']);
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return Promise.all(
    lines
      .map(recipeOf)
      .map(({ file, int8, recipe }) =>
        contender({ maker: 'onnxruntime', precision: int8 ? 'int8' : 'fp32', recipe, path: file }),
      ),
  );
};

/** Writes all files of one model of a run into a folder. Without Python there are decant's own only. */
export const makeFiles = async (
  run: string,
  id: string,
  options: { readonly folder: string; readonly python: string | undefined },
): Promise<Subject> => {
  const source = join(run, 'models', id);
  if (!existsSync(source)) {
    throw new Error(`${source} does not exist; --run names the folder of a finished run and --models its float models`);
  }
  const folder = join(options.folder, id);
  await mkdir(folder, { recursive: true });
  const model = await readModel(source);
  const own = await ownFiles(model, folder);
  const rivals =
    options.python === undefined ? [] : await rivalFiles(options.python, join(source, 'model.onnx'), folder);
  return { id, model, contenders: [...own, ...rivals] };
};
