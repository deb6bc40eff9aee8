import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { openAnswerWriter, releaseAnswerWriter, scoresAlong } from '../../engine/generation/answer.ts';
import { joinedFloats } from '../../ground/joined.ts';
import type { Model } from '../../models/model.ts';
import { batchingOf } from '../../models/quantized.ts';
import { expectSame } from './remembered.ts';

/**
 * Refuses an encoder-decoder that says something else where it writes token by token than where it is told an answer at once, or
 * beside a longer source than alone.
 */
export const expectAnswering = async (model: Model, sources: readonly Int32Array[], threads: number): Promise<void> => {
  // A scale that is found over a pass is another for each piece.
  if (batchingOf(model.graph) === 'single') return;
  const writer = await openAnswerWriter(model, cpuEngine, threads);
  try {
    const answer = (sources.at(-1) ?? new Int32Array(1)).subarray(0, 8);
    const along = (of: readonly Int32Array[], pieces: number) =>
      scoresAlong(
        writer,
        of,
        of.map(() => answer),
        pieces,
      );
    const alone: Float32Array[] = [];
    for (const source of sources) alone.push(await along([source], 1));
    expectSame('sources beside each other are not answered as alone', await along(sources, 1), joinedFloats(alone));
    const [first = new Int32Array(1)] = sources;
    expectSame(
      'an answer that is written token by token is not the same as at once',
      await along([first], answer.length),
      await along([first], 1),
    );
  } finally {
    await releaseAnswerWriter(writer);
  }
};
