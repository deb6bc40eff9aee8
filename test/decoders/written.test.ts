import { describe, expect, it } from 'vitest';
import { lengthsOf } from '../../data/lengths.ts';
import { tokensOf } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { chooser } from '../../engine/generation/choose.ts';
import { openWriter, written } from '../../engine/generation/generate.ts';
import { OwnTexts } from '../../engine/generation/own-texts.ts';
import { imitate } from '../../engine/losses/index.ts';
import { textGeneration } from '../../engine/tasks/text-generation.ts';
import { train } from '../../engine/train.ts';
import type { TrainRequest } from '../../engine/train-request.ts';
import { planTraining } from '../../engine/training-plan.ts';
import { openUpdater } from '../../engine/updaters/index.ts';
import { digestOfJson } from '../../ground/digest.ts';
import { readModelArtifact } from '../../models/files.ts';
import { endTokenOf } from '../../models/special-tokens.ts';
import { distill } from '../../stages/distill/index.ts';
import { unwritable } from '../../stages/distill/written.ts';
import type { Outlook } from '../../stages/expected.ts';
import { newDecoder } from '../../stages/train/architectures/new-decoder.ts';
import { encodeExamples } from '../../stages/train/examples.ts';
import { bytesOfModel, memoryCheckpoints, tinyOptions, tinyRequest } from '../engine/rig.ts';
import { workspace } from '../rig/workspace.ts';
import { datasetArtifact, modelArtifact, runStage } from '../stages/training-rig.ts';
import { dataset, tinyDecoder } from './tiny.ts';

/** So cold that the most probable token is drawn. */
const COLD = 1e-3;

const shape = { hidden: 16, layers: 1, heads: 2, kvHeads: 1, ffn: 24, vocabulary: 300 };
const teacher = tinyDecoder();
const texts = { ...dataset, train: dataset.train.slice(0, 12) };

const requestOf = async (model: TrainRequest['model'], more: Partial<TrainRequest> = {}): Promise<TrainRequest> => {
  const reading = { model, task: textGeneration, dataset: texts };
  const context = { answer: 'token', hard: 0, temperature: 1, beside: { model: teacher } } as const;
  return tinyRequest({
    ...{ model, task: textGeneration, seed: 4 },
    options: { ...tinyOptions, tokenDropout: 0, batch: 4, epochs: 2, keep: 'last' },
    phases: [{ losses: [imitate({ uses: 'reverse-kl', weight: 1, until: 1 }, context)], until: 1 }],
    examples: await encodeExamples('training', texts.train, reading),
    validation: await encodeExamples('validation', [], reading),
    ...more,
  });
};

const student = () => newDecoder({ uses: 'llama', ...shape, ropeTheta: 10_000, tied: true, dropout: 0 }, dataset, 5);

describe('texts that a student writes while it is taught', () => {
  it('go on with the beginnings of the texts as decant writes, up to their length or their end', async () => {
    const request = await requestOf(teacher);
    const plan = planTraining(lengthsOf(request.examples.encoded), request.options, request.seed);
    const updater = openUpdater(request, plan);
    await updater.enter(0);
    const own = new OwnTexts(request, plan, { share: 1, prompt: 5, temperature: COLD });
    const found = await own.of(0, updater);
    expect(found.size).toBe(4);
    const writer = await openWriter(teacher, cpuEngine, 1);
    const end = endTokenOf(teacher)?.id;
    for (const [row, example] of found) {
      const { encoded } = request.examples;
      const given = encoded[row];
      if (given === undefined) throw new Error('a text of another training');
      const prompt = tokensOf(given).subarray(0, 5);
      const all = [...prompt];
      const most = given.length - prompt.length;
      for await (const id of written(writer, { prompt, most, choose: chooser({}, 0), end }))
        if (id !== end) all.push(id);
      expect([...tokensOf(example)]).toEqual(all);
      expect(example.places?.length).toBe(given.places?.length);
      expect(example.places?.filter((place) => place >= 0).length).toBe(all.length);
    }
    await Promise.all([own.release(), updater.release(), writer.program.release()]);
  });

  it('are those of its weights at that update: another end than without, and the same again after an interruption', async () => {
    const on = { share: 0.5, prompt: 4, temperature: 1 } as const;
    const ends = async (more: Partial<TrainRequest>): Promise<string> =>
      digestOfJson(bytesOfModel((await train(await requestOf(student(), more))).model));
    const whole = await ends({ written: on });
    expect(await ends({})).not.toBe(whole);
    const checkpoints = memoryCheckpoints();
    const stop = new AbortController();
    let left = 3;
    const hook = { afterUpdate: () => void (--left === 0 && stop.abort(new Error('interrupted'))) };
    await expect(ends({ written: on, checkpoints, signal: stop.signal, hook })).rejects.toThrow('interrupted');
    expect(checkpoints.saves()).toBeGreaterThan(0);
    expect(await ends({ written: on, checkpoints })).toBe(whole);
  });

  it('are asked for by distill, on the CPU and where anything is left to be written', async () => {
    using space = workspace();
    const inputs = {
      dataset: await datasetArtifact(space, texts),
      model: await modelArtifact(space, 'student', student()),
      teacher: await modelArtifact(space, 'teacher', teacher),
    };
    const options = { teacher: 'teacher', steps: 2, batch: 4, learningRate: 1e-3, hard: 0 };
    const ends = async (name: string, more: object): Promise<string> => {
      const { output } = await runStage(space, distill, inputs, { ...options, ...more }, { name });
      return bytesOfModel(await readModelArtifact(output.path));
    };
    const written = { share: 1, prompt: 4 };
    expect((await ends('own', { written })) === (await ends('given', {}))).toBe(false);
    const problemsOf = (engine: Outlook['engine'], prompt: number) =>
      unwritable(
        { teacher: 'teacher', written: { ...written, prompt, temperature: 1 } },
        {
          engine,
          data: { task: 'text-generation', maxLength: 32, classes: [], whole: true },
        },
      );
    expect(problemsOf(undefined, 31)).toEqual([]);
    expect(problemsOf('chosen', 32)).toEqual([
      {
        path: ['written', 'prompt'],
        message: '32 tokens of texts would stay that are read 32 at a time: nothing would be written; expected fewer',
      },
      {
        path: ['written'],
        message:
          'the student writes on the CPU, and the engine is chosen by trying; leave written out, or write engine: cpu',
      },
    ]);
  });
});
