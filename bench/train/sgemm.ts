import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { ours } from './sides.ts';
import { evenTexts, flops, subjects } from './subject.ts';

const SIZE = 2048;
const STEPS = 6;

/** Floating-point operations a second of training on the first subject over those of one large product, in this process. */
export const sgemmRatio = async (options: {
  readonly threads: number;
  readonly rounds: number;
  readonly dropout: number;
  readonly say: (line: string) => void;
}): Promise<{ readonly sgemmRatio: number } | Record<string, never>> => {
  const { threads, rounds, dropout, say } = options;
  const [subject] = subjects;
  if (subject === undefined) return {};
  const builder = new GraphBuilder('product');
  const [a, b] = ['a', 'b'].map((name) => builder.input(name, 'float32', [SIZE, SIZE]));
  if (a === undefined || b === undefined) return {};
  const program = await cpuEngine.compile(builder.freeze([builder.op('MatMul', [a, b])]), { threads });
  const square = { dtype: 'float32', dims: [SIZE, SIZE], data: new Float32Array(SIZE * SIZE).fill(0.5) } as const;
  const side = ours({ subject, texts: evenTexts(subject), dropout, threads });
  const product = async (): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < STEPS; i++) await program.run({ a: square, b: square });
    return (STEPS * 2 * SIZE ** 3) / (performance.now() - start);
  };
  const training = async (): Promise<number> => (STEPS * flops(subject)) / ((await side.run(STEPS)).seconds * 1000);
  try {
    await product();
    await training();
    const ratios: number[] = [];
    const speeds: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const [step, matmul] = [await training(), await product()];
      speeds.push(matmul / 1e6);
      ratios.push(step / matmul);
    }
    const [ratio, speed] = [ratios, speeds].map(
      (list) => list.toSorted((x, y) => x - y)[list.length >> 1] ?? Number.NaN,
    );
    if (ratio === undefined || speed === undefined) return {};
    say(`training against one ${SIZE}-cubed MatMul (${speed.toFixed(0)} GFLOP/s): ratio ${ratio.toFixed(3)}`);
    return { sgemmRatio: ratio };
  } finally {
    await program.release();
    await side.close();
  }
};
