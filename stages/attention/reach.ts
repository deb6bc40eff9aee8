import type { Encoded } from '../../engine/encoded.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { filledFeeds } from '../../engine/feeds.ts';
import { fuseForInference } from '../../graph/rewrite/index.ts';
import { isRefusal, messageOf, stageError } from '../../ground/errors.ts';
import type { Model } from '../../models/model.ts';

/** A text of one token, again and again. */
const text: Encoded = { length: 1, byRole: { tokens: Int32Array.of(0) } };

/** Runs a model once on a text as long as it says to take: tables of distances, say, end where those of positions do not. */
export const expectReach = async ({ graph, info }: Model, threads: number): Promise<void> => {
  const program = await cpuEngine.compile(fuseForInference(graph), { threads });
  try {
    await program.run(filledFeeds(info, [text], { batch: 1, length: info.maxLength }));
  } catch (cause) {
    if (!isRefusal(cause)) throw cause;
    const why = `positions.to: the model does not take a text of ${info.maxLength} tokens, since it knows places in other ways, too`;
    throw stageError(`${why} (relative positions, most likely): ${messageOf(cause)}`, { cause });
  } finally {
    await program.release();
  }
};
