import { describe, expect, it } from 'vitest';
import { textGeneration } from '../../engine/tasks/text-generation.ts';
import { train } from '../../engine/train.ts';
import { sitesOf } from '../../graph/sites.ts';
import { hiddenStatesOf } from '../../models/anatomy/hidden-states.ts';
import { layerUnits } from '../../models/anatomy/units.ts';
import { anatomyOf } from '../../models/anatomy.ts';
import { reinitialize } from '../../models/reinitialize.ts';
import { encodeExamples } from '../../stages/train/examples.ts';
import { tinyOptions, tinyRequest } from '../engine/rig.ts';
import { dataset, tinyDecoder } from './tiny.ts';

const settings = { hard: 1, temperature: 1, labelSmoothing: 0 };
const options = { ...tinyOptions, tokenDropout: 0, learningRate: 1e-2, headLearningRate: 1e-2, batch: 8, epochs: 12 };

describe('a decoder from random weights', () => {
  it('learns what comes next', async () => {
    const model = reinitialize(tinyDecoder(), 1);
    const reading = { model, task: textGeneration, dataset };
    const trained = await train(
      tinyRequest({
        ...{ model, task: textGeneration, options },
        phases: [{ losses: textGeneration.targetLosses(settings), until: 1 }],
        examples: await encodeExamples('training', dataset.train, reading),
        validation: await encodeExamples('validation', dataset.validation, reading),
      }),
    );
    // Ten words in a circle, the first of a text and its end left to chance: 2.3 nats without reading.
    expect(trained.summary.best?.score).toBeLessThan(0.8);
  });

  it('shows its layers, heads in groups and gated neurons to whoever cuts it', () => {
    const { graph, info } = tinyDecoder();
    const anatomy = anatomyOf(graph);
    expect(anatomy.layers).toHaveLength(2);
    for (const layer of anatomy.layers) {
      const wanted = { heads: 4, kvHeads: 2, headWidth: 8, ffn: 48, gated: true };
      expect(layerUnits(graph, anatomy, layer)).toMatchObject(wanted);
    }
    expect(anatomy).toMatchObject({ vocabulary: info.dimensions.vocabulary, embeddingWidth: 32 });
    expect(hiddenStatesOf(tinyDecoder())).toHaveLength(2);
    // Of a layer four matrices of attention, three of the neurons and two norms; the table twice, and the last norm.
    expect(sitesOf(graph).filter(({ use }) => use.kind !== 'fixed')).toHaveLength(2 * 9 + 3);
  });
});
