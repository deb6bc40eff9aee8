import { describe, expect, it } from 'vitest';
import { type Encoded, encodedText, tokensOf } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { crossEntropy } from '../../engine/losses/index.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest, WeightArrays, WeightHook } from '../../engine/train-request.ts';
import { GraphBuilder } from '../../graph/builder.ts';
import { value } from '../../graph/graph.ts';
import { tensorOf } from '../../graph/tensor.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import type { Model } from '../../models/model.ts';
import { answering, answerName, expectInput, textPort } from '../../models/signature.ts';
import { deviceEngine } from '../engines/device.ts';
import { distillation, hiddenStates, layerPairs } from './imitating.ts';
import { CLASSES, memoryCheckpoints, tinyExamples, tinyModel, tinyOptions, tinyRequest, tinySettings } from './rig.ts';

/** A number that floats hold, and twice of which they do not. */
const HUGE = 3e38;
const VOCABULARY = 40;
/** Only texts that are given it have this token. */
const RARE = VOCABULARY - 1;

/** To logits and the last hidden state the square (or root) of what each text looks up is added: nothing, or of the rare token too much. */
const poisoned = (how: 'square' | 'root' = 'square'): Model => {
  const model = tinyModel();
  const { graph, info } = model;
  const builder = GraphBuilder.from(graph);
  const table = Float32Array.from({ length: VOCABULARY }, (_, id) => (id === RARE ? HUGE : 0));
  const rows = builder.weight('odd.weight', tensorOf('float32', [VOCABULARY, 1], table));
  const looked = builder.op('Gather', [rows, expectInput(info.signature, 'tokens')]); // (batch, sequence, 1)
  const added = how === 'root' ? builder.op('Sqrt', [looked]) : builder.op('Mul', [looked, looked]);
  const sum = builder.op('ReduceSum', [added, builder.ints([1])], { keepdims: 0 }); // (batch, 1)
  const logits = builder.op('Add', [answerName(info.signature), sum], {}, 'odd_logits');
  const states = hiddenStatesOf(model);
  const hidden = builder.op('Add', [states.at(-1) ?? value(''), added], {}, 'odd_hidden');
  const odd = {
    signature: answering(info.signature, textPort(logits)),
    hiddenStates: [...states.slice(0, -1), hidden],
  };
  return { ...model, graph: builder.freeze([logits, hidden]), info: { ...info, ...odd } };
};

const plain = tinyExamples(150, 'train');
const idsOf = (one: Encoded) => Int32Array.from(tokensOf(one));
const common = {
  ...plain,
  encoded: plain.encoded.map((one) => encodedText({ ids: idsOf(one).map((id) => Math.min(id, RARE - 1)) })),
};
/** The rare token stands in these texts alone. */
const withRare = (...rows: readonly number[]) => ({
  ...common,
  encoded: common.encoded.map((one, i) =>
    rows.includes(i) ? encodedText({ ids: Int32Array.of(...idsOf(one).subarray(1), RARE) }) : one,
  ),
});

const still = { ...tinyOptions, tokenDropout: 0, dropout: 0 };
const at = (step: number, write: (weights: WeightArrays) => void): WeightHook => ({
  afterUpdate: (now, _, weights) => {
    if (now === step) write(weights);
  },
});

/** Weights of the classifier that are numbers, and whose products with anything are not. */
const tooFar = (weights: WeightArrays): void => {
  weights.get('classifier.weight')?.forEach((_, i, data) => {
    data[i] = i % 2 === 0 ? HUGE : -HUGE;
  });
};

/** On the host, and where weights stay on a device: the same is found out and told. */
describe.each([cpuEngine, deviceEngine])('numbers that are none, on $target.name', (engine) => {
  const failure = (request: Partial<TrainRequest>): Promise<string> =>
    train(tinyRequest({ examples: common, options: still, engine, ...request })).then(
      () => 'was trained',
      (error) => {
        expect(error).toMatchObject({ kind: 'stage', code: 'diverged' });
        return error.message;
      },
    );

  describe('a loss that is no number', () => {
    it('blames the learning rate where training moved finite weights too far', async () => {
      const checkpoints = memoryCheckpoints();
      const far = at(5, tooFar);
      expect(await failure({ checkpoints, hook: far })).toMatch(
        /^the loss became NaN \(cross-entropy\) at step 6 of 30, epoch 1, with a learning rate of 0\.00463\. The weights that training began with give finite numbers for the same texts, those of now do not for several texts of that step, train text \d+ among them: training moved them too far\. Lower learningRate, or lengthen warmup\. The weights before that step are kept in \/checkpoints$/,
      );
      expect(checkpoints.saves()).toBe(1);
      expect((await checkpoints.load())?.meta).toMatchObject({ progress: { step: 5 } });
    });

    it('names a weight that is none, and neither blames the learning rate nor keeps such a state', async () => {
      const checkpoints = memoryCheckpoints();
      const broken = at(5, (weights) => {
        const weight = weights.get('classifier.weight');
        if (weight !== undefined) weight[7] = Number.NaN;
      });
      const message = await failure({ checkpoints, hook: broken });
      expect(message).toBe(
        "the loss became NaN (cross-entropy) at step 6 of 30, epoch 1, since the weight 'classifier.weight' (float32 [16, 3]) holds NaN " +
          'at [2, 1]. The step before left it so, though its loss and gradient were finite: whether the learning rate has a part in it ' +
          'is not known. That state is not kept',
      );
      expect(checkpoints.saves()).toBe(0);
    });

    it('at the first step is the fault of the model, and names the text', async () => {
      const all = withRare(...common.encoded.keys());
      expect(await failure({ model: poisoned(), examples: all })).toMatch(
        /^the loss became NaN \(cross-entropy\) at step 1 of 30, epoch 1, before any weight was moved: the learning rate has no part in it\. The weights are finite, so what the model computes of several texts of that step, train text \d+ among them, grows beyond what floats hold: start from another model$/,
      );
    });

    it.each([0, 17, 149])(
      'at a later step is the fault of one text, %i, whatever the weights have become',
      async (row) => {
        // Whatever step meets it: the first weights fail on it, too.
        expect(await failure({ model: poisoned(), examples: withRare(row) })).toMatch(
          new RegExp(
            `^the loss became NaN \\(cross-entropy\\) at step \\d+ of 30, epoch 1, (and so it does with the weights that training began with|before any weight was moved): the learning rate has no part in it\\. The weights are finite, so what the model computes of train text ${row} grows beyond what floats hold: leave that text out, or start from another model$`,
          ),
        );
      },
    );

    it('finds the text among several batches of one update, whatever dropout draws', async () => {
      const options = { ...still, accumulate: 3, tokenDropout: 0.02, dropout: 0.1 };
      expect(await failure({ model: poisoned(), examples: withRare(77), options })).toContain(
        'what the model computes of train text 77 grows beyond',
      );
    });

    it('says which of several losses it is', async () => {
      const student = tinyModel();
      const teacher = poisoned();
      const rows = common.encoded.length;
      const data = new Float32Array(rows * CLASSES).fill(0.5);
      const answers = { width: CLASSES, columns: CLASSES, data, unread: new Uint8Array(rows) };
      const examples = { ...withRare(42), teacher: answers };
      const half = { ...tinySettings, hard: 0.5 };
      const hidden = hiddenStates(student, { model: teacher }, { pairs: layerPairs(2, 2, 'uniform'), weight: 1 });
      const phases = [{ losses: [distillation(half), crossEntropy(half), hidden], until: 1 }];
      expect(await failure({ model: student, examples, phases })).toMatch(
        /^the loss became (?:NaN|Infinity) \(hidden; kl and cross-entropy stayed finite\) at step \d+ of 30, .* what the model computes of train text 42 grows beyond/,
      );
    });

    it('may be a gradient whose loss is finite', async () => {
      // The root of 0 is 0, its slope is none.
      expect(await failure({ model: poisoned('root') })).toMatch(
        /^the gradient became (NaN|Infinity), while the loss is 1\.\d+, at step 1 of 30, epoch 1, before any weight was moved: /,
      );
    });
  });

  describe('an answer about a validation text that is no number', () => {
    const validation = withRare(3);

    it('names the text and the step, and blames the model where the first weights give it, too', async () => {
      expect(await failure({ model: poisoned(), validation })).toBe(
        'after step 10 of 30 the model gives Infinity about train text 3; expected finite numbers: with the weights that training began ' +
          'with they are none either: leave that text out, or start from another model',
      );
    });

    it('blames training where it does not', async () => {
      const far = at(10, tooFar);
      expect(await failure({ hook: far, validation: common })).toMatch(
        /^after step 10 of 30 the model gives (NaN|-?Infinity) about train text \d+; expected finite numbers: with the weights that training began with they are finite, so training moved them too far: lower learningRate, or lengthen warmup$/,
      );
    });

    it('names a weight that is none', async () => {
      const broken = at(10, (weights) => weights.get('classifier.bias')?.fill(Number.POSITIVE_INFINITY));
      expect(await failure({ hook: broken, validation: common })).toMatch(
        /^after step 10 of 30 the model gives Infinity about train text \d+; expected finite numbers: the weight 'classifier\.bias' \(float32 \[3\]\) holds Infinity at \[0\], so the step before that left it so$/,
      );
    });
  });
});
