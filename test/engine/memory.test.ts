import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explained as explainedByOnnx } from '../../engine/engines/onnxruntime/memory.ts';
import type { Loss } from '../../engine/losses/index.ts';
import { lackOf, memoryError } from '../../engine/memory/lack.ts';
import { fittingSplit } from '../../engine/memory/split.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import type { Need } from '../../ground/memory.ts';
import { deviceEngine } from '../engines/device.ts';
import { plainRequest } from '../engines/training.ts';
import { bytesOfModel, memoryCheckpoints, tinyOptions, tinyRequest } from './rig.ts';

describe('the split of a batch that fits', () => {
  const size = fc.integer({ min: 1, max: 512 });
  const bytesOf = (batch: number): number => 100 + 10 * batch;

  it('has the same texts, fits, and is the largest that does', () => {
    fc.assert(
      fc.property(
        size,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 100, max: 5000 }),
        (batch, accumulate, room) => {
          const search = { need: bytesOf, room, most: batch / 2 };
          const split = fittingSplit({ batch, accumulate }, search);
          const texts = batch * accumulate;
          const fits = (one: number): boolean => one <= batch / 2 && texts % one === 0 && bytesOf(one) <= 0.9 * room;
          const all = Array.from({ length: batch }, (_, i) => i + 1).filter(fits);
          expect(split?.batch).toBe(all.at(-1));
          if (split !== undefined) expect(split.batch * split.accumulate).toBe(texts);
        },
      ),
    );
  });

  it('is half where nobody knows how much there is, and less where more was asked for than twice as much', () => {
    const search = { need: bytesOf, room: undefined };
    expect(fittingSplit({ batch: 64, accumulate: 1 }, { ...search, most: 32 })).toEqual({ batch: 32, accumulate: 2 });
    expect(fittingSplit({ batch: 64, accumulate: 2 }, { ...search, most: 64 / 5.9 })).toEqual({
      batch: 8,
      accumulate: 16,
    });
    expect(fittingSplit({ batch: 7, accumulate: 1 }, { ...search, most: 3.5 })).toEqual({ batch: 1, accumulate: 7 });
    expect(fittingSplit({ batch: 1, accumulate: 1 }, { ...search, most: 0.5 })).toBeUndefined();
  });
});

describe('a lack of memory', () => {
  const arena =
    "Non-zero status code returned while running Mul node. Name:'Mul_4' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 160000000000\n";

  it.each([
    ['of the arena', arena, 'ONNX Runtime got no 160000 MB in one piece'],
    ['of the system', 'std::bad_alloc', 'ONNX Runtime ran out of memory: std::bad_alloc'],
    [
      'of CUDA',
      'CUDA failure 2: out of memory ; GPU=0 ; hostname=a',
      'ONNX Runtime ran out of memory: CUDA failure 2: out of memory ; GPU=0 ; hostname=a',
    ],
    [
      'of a library of CUDA',
      'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0',
      'ONNX Runtime ran out of memory: CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0',
    ],
  ])('%s is told apart', (_, text, reason) => {
    expect(lackOf(explainedByOnnx(new Error(text)))).toEqual({ reason, times: 1 });
  });

  it('is none where something else failed', () => {
    const error = new Error('Non-zero status code returned while running Add node: invalid dimensions');
    expect(explainedByOnnx(error)).toBe(error);
    for (const other of [error, new RangeError('index out of range'), 'out of memory']) {
      expect(lackOf(other)).toBeUndefined();
    }
  });

  it('of JavaScript is one, too', () => {
    expect(() => new ArrayBuffer(2 ** 46)).toThrow(RangeError);
    for (const length of [2 ** 46, 2 ** 60]) {
      const error: unknown = (() => {
        try {
          return new Float32Array(length);
        } catch (thrown) {
          return thrown;
        }
      })();
      expect(lackOf(error)?.times).toBe(1);
    }
  });

  it('tells whoever cannot split a batch what helps', () => {
    const error = memoryError('the adapter is full', { advice: 'take --engine cpu', times: 3 });
    expect(error.message).toBe('the adapter is full; take --engine cpu');
    expect(lackOf(error)).toEqual({ reason: 'the adapter is full', times: 3 });
  });
});

/** More elements a text than any machine has addresses for. */
const BEYOND_ADDRESSES = 2 ** 23;

/** The mean of answers, by way of a matrix that nobody can hold. */
const immense: Loss = {
  name: 'immense',
  emit: ({ builder, answers }) => {
    const sum = builder.op('ReduceSum', [answers, builder.ints([-1])], { keepdims: 1 }); // (batch, 1)
    const wide = builder.op('Expand', [sum, builder.ints([1, BEYOND_ADDRESSES])]);
    const tall = builder.op('Unsqueeze', [wide, builder.ints([1])]); // (batch, 1, many)
    const square = builder.op('Expand', [tall, builder.ints([1, BEYOND_ADDRESSES, 1])]);
    return builder.op('ReduceMean', [square], { keepdims: 0 });
  },
};

const failureOf = async (request: TrainRequest): Promise<unknown> => {
  try {
    await train(request);
  } catch (error) {
    return error;
  }
  throw new Error('it was to fail');
};

describe.each([
  ['host', undefined],
  ['device', deviceEngine],
] as const)('training for which there is not enough memory, weights moved by the %s', (_, engine) => {
  const asked = (more: Partial<TrainRequest>, options = {}): TrainRequest =>
    plainRequest({ batch: 12, ...options }, { engine, ...more });

  it('fails where the runtime gets none, and says what would need less', async () => {
    const error = await failureOf(asked({ phases: [{ losses: [immense], until: 1 }] }, { accumulate: 2 }));
    expect(error).toMatchObject({ name: 'UserError', kind: 'stage', code: 'memory' });
    expect(error).toMatchObject({
      message: expect.stringMatching(
        /^training does not fit into memory \(ONNX Runtime got no \d+ MB in one piece\): a batch of 12 texts of up to \d+ tokens needs about \d+ MB; write batch: 6 and accumulate: 4, which needs about \d+ MB and trains the same; halve the batch again where that is still too much$/,
      ),
    });
  });

  it('is not begun where there is far too little, and says what fits', async () => {
    const told: Need[] = [];
    const memory = { bytes: 1e6, asked: true, foresee: (need: Need) => void told.push(need) };
    const error = await failureOf(asked({ memory }));
    expect(error).toMatchObject({
      code: 'memory',
      message: expect.stringMatching(
        /^training does not fit into memory \(it was not begun; --memory allows 1\.00 MB\): a batch of 12 texts of up to \d+ tokens needs about [\d.]+ MB, a single text about [\d.]+ MB: take shorter texts/,
      ),
    });
    expect(told).toHaveLength(1);
  });

  it('is told its need before each phase, and trains as without that where it suffices', async () => {
    const told: Need[] = [];
    const memory = { bytes: 1e11, asked: false, foresee: (need: Need) => void told.push(need) };
    const [first] = plainRequest().phases;
    const phases = [{ ...first, losses: first?.losses ?? [], until: 0.5 }, ...plainRequest().phases];
    const request = asked({ phases }, { steps: 6, batch: 12 });
    const { model } = await train({ ...request, memory, checkpoints: memoryCheckpoints() });
    expect(bytesOfModel(model)).toBe(
      bytesOfModel((await train({ ...request, checkpoints: memoryCheckpoints() })).model),
    );
    expect(told).toHaveLength(2);
    expect(told[0]?.advice).toMatch(/^a batch of 12 texts .* write batch: 6 and accumulate: 2, which needs about/);
  });
});

it('what was trained before memory did not suffice is kept', async () => {
  const checkpoints = memoryCheckpoints();
  const phases = [...tinyRequest().phases.map((phase) => ({ ...phase, until: 0.5 })), { losses: [immense], until: 1 }];
  const request = tinyRequest({ phases, checkpoints, options: { ...tinyOptions, steps: 8 } });
  expect(await failureOf(request)).toMatchObject({ code: 'memory' });
  expect((await checkpoints.load())?.meta).toMatchObject({ progress: { step: 4 } });
});
