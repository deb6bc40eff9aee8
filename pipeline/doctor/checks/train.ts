import { adamwStep, defaultAdamW, type Moments } from '../../../engine/adamw.ts';
import type { Feeds, Program } from '../../../engine/engine.ts';
import { askedFor } from '../../../engine/gradient-step.ts';
import { bytesFor, KernelMemory } from '../../../engine/kernels/memory.ts';
import { elementCount } from '../../../graph/tensor.ts';
import { type CheckRecord, found } from '../check.ts';
import { dataOf, type Learning, learningOf, normals, spread, weightsFor } from '../learning.ts';

const STEPS = 20;
/** How far a weight moves in a step: smaller ones are tried where a loss rises, as it does in models of large numbers. */
const RATES = [1e-3, 1e-4, 1e-5];

interface Moving {
  readonly name: string;
  readonly gradient: string;
  readonly dims: readonly number[];
  readonly w: Float32Array<ArrayBuffer>;
  readonly g: Float32Array<ArrayBuffer>;
  readonly moments: Moments;
}

/** Weights with their gradients and moments in one memory, as the graph has them. */
const movingIn = ({ step, graph }: Learning, memory: KernelMemory): readonly Moving[] => {
  memory.reset();
  const weights = weightsFor(step.graph, graph);
  return step.parameters.map(({ name, dims, gradient }) => {
    const [w, g, first, second] = [0, 1, 2, 3].map(() => memory.floats(elementCount(dims)).fill(0)) as [
      Float32Array<ArrayBuffer>,
      Float32Array<ArrayBuffer>,
      Float32Array<ArrayBuffer>,
      Float32Array<ArrayBuffer>,
    ];
    w.set(dataOf(name, weights));
    return { name, gradient, dims, w, g, moments: { first, second } };
  });
};

const feedsOf = (learning: Learning, moving: readonly Moving[], targets: Float32Array): Feeds => {
  const { step, graph, feeds, answer } = learning;
  const fixed = weightsFor(step.graph, graph);
  const own = Object.fromEntries(
    moving.map(({ name, dims, w }) => [name, { dtype: 'float32' as const, dims, data: w }]),
  );
  return askedFor(step.graph, { ...feeds, ...fixed, ...own, [step.given]: { ...answer, data: targets } });
};

/** The loss before each step, and behind the last. */
const losses = async (
  learning: Learning,
  program: Program,
  memory: KernelMemory,
  rate: number,
): Promise<readonly number[]> => {
  const { step, answer } = learning;
  const moving = movingIn(learning, memory);
  const size = Math.max(spread(answer.data), 1e-3);
  const targets = normals('targets', answer.data.length).map((x) => size * x);
  const feeds = feedsOf(learning, moving, targets);
  const seen: number[] = [];
  for (let at = 1; at <= STEPS + 1; at++) {
    const outputs = await program.run(feeds);
    seen.push(dataOf(step.loss, outputs)[0] ?? Number.NaN);
    for (const { gradient, w, g, moments } of moving) {
      g.set(dataOf(gradient, outputs));
      adamwStep(memory, w, moments, g, { ...defaultAdamW, rate, decay: 0, step: at, scale: 1 });
    }
  }
  return seen;
};

/** Whether a small regression to random targets comes nearer to them. */
export const train: CheckRecord = {
  name: 'train',
  needs: ['differentiate'],
  run: async (patient) => {
    const learning = await learningOf(patient, 'squares');
    const memory = new KernelMemory(
      bytesFor(learning.step.parameters.flatMap(({ dims }) => Array.from({ length: 4 }, () => elementCount(dims)))),
    );
    const program = await learning.compile(learning.step.graph);
    try {
      let why = '';
      for (const rate of RATES) {
        const seen = await losses(learning, program, memory, rate);
        const [first = Number.NaN, last = Number.NaN] = [seen[0], seen.at(-1)];
        why = `loss ${first.toPrecision(4)}, ${last.toPrecision(4)} after ${STEPS} steps at ${rate}`;
        const share = last / first;
        if (share < 1) return { value: share, limit: 1, ok: true, why };
      }
      return found(false, why);
    } finally {
      await program.release();
    }
  },
};
