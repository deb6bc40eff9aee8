import { type Graph, type Value, value } from '../graph.ts';
import { type BlockChoice, type Choice, type Choices, leftAlone } from './choose.ts';
import type { Format } from './format.ts';
import { blocksOf } from './grid.ts';

/** What happened to one float weight. */
interface WeightReport {
  readonly name: string;
  readonly dims: readonly number[];
  /** 'int8', bits in blocks, or 'float32' with the reason. */
  readonly storage: 'int8' | 'int4' | 'int2' | 'float32';
  readonly reason?: string;
  readonly bytesBefore: number;
  /** Integers, steps and zero points together. */
  readonly bytesAfter: number;
}

export interface QuantizeReport {
  readonly weights: readonly WeightReport[];
  readonly quantized: number;
  readonly kept: number;
  /** Bytes of all float weights before, and of what stands for them after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

const [FLOAT_BYTES, HALF_BYTES] = [4, 2];

/** Whole numbers, a float a block and a zero point a block, in whole bytes a row: products are filled up to whole blocks. */
const blockBytes = (
  [rows, width]: readonly [number, number],
  { grid, use }: BlockChoice,
  floatBytes: number,
): number => {
  const blocks = blocksOf(width, grid);
  const codes = ((use === 'product' ? blocks * grid.block : width) * grid.bits) / 8;
  return rows * (codes + floatBytes * blocks + (grid.zeroPoint ? Math.ceil((blocks * grid.bits) / 8) : 0));
};

/** Bytes of a weight as a choice stores it. */
export const bytesAfter = (
  choice: Choice,
  dims: readonly number[],
  before: number,
  floatBytes = FLOAT_BYTES,
): number => {
  if (!('form' in choice)) return before;
  const [rows = 0, columns = 0] = dims;
  if (choice.form !== 'blocks') return rows * columns + FLOAT_BYTES * columns;
  return blockBytes(choice.layout === 'turned' ? [columns, rows] : [rows, columns], choice, floatBytes);
};

const storageOf = (choice: Choice): WeightReport['storage'] => {
  if (!('form' in choice)) return 'float32';
  return choice.form === 'blocks' ? `int${choice.grid.bits}` : 'int8';
};

/** What became of each float weight of a graph. */
export const reportOf = (graph: Graph, choices: Choices): QuantizeReport => {
  const weights = [...choices].map(([name, choice]): WeightReport => {
    const tensor = graph.weights.get(name);
    const dims = tensor?.dims ?? [];
    const before = tensor?.bytes.length ?? 0;
    const common = { name, dims, bytesBefore: before, bytesAfter: bytesAfter(choice, dims, before) };
    return { ...common, storage: storageOf(choice), ...('kept' in choice ? { reason: choice.kept } : {}) };
  });
  const sum = (of: (weight: WeightReport) => number): number => weights.reduce((total, w) => total + of(w), 0);
  const kept = weights.filter((weight) => weight.storage === 'float32').length;
  return {
    weights,
    quantized: weights.length - kept,
    kept,
    bytesBefore: sum((weight) => weight.bytesBefore),
    bytesAfter: sum((weight) => weight.bytesAfter),
  };
};

/** A matrix and what became of it. */
export interface StoredMatrix extends Omit<WeightReport, 'storage'> {
  readonly storage: WeightReport['storage'] | 'float16';
}

/** Matrices and what became of them; of floats, what is left of their width. */
export const storedMatrices = (
  { report, choices }: { readonly report: QuantizeReport; readonly choices: Choices },
  { floats }: Pick<Format, 'floats'>,
): readonly StoredMatrix[] => {
  const alone: ReadonlySet<string> = new Set<Value>(leftAlone(choices));
  return report.weights
    .filter(({ dims }) => dims.length === 2)
    .map((matrix) => {
      if (floats === 'float32' || alone.has(matrix.name)) return matrix;
      const { reason: _, ...stored } = matrix;
      const choice = choices.get(value(matrix.name));
      const isFloat = matrix.storage === 'float32' || choice === undefined;
      const after = isFloat ? matrix.bytesBefore / 2 : bytesAfter(choice, matrix.dims, matrix.bytesBefore, HALF_BYTES);
      return { ...stored, storage: isFloat ? 'float16' : matrix.storage, bytesAfter: after };
    });
};

/** Reasons why matrices stay as they are, each with how many it keeps. */
export const whyKept = (weights: readonly Pick<WeightReport, 'dims' | 'reason'>[]): string => {
  const counts = new Map<string, number>();
  for (const { dims, reason } of weights) {
    if (dims.length === 2 && reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
};
