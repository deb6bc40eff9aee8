import type { Feeds, Program } from './engine.ts';

/** Milliseconds of one run, the way from JavaScript into the runtime and back included. */
export const timed = async (program: Program, feeds: Feeds): Promise<number> => {
  const start = performance.now();
  await program.run(feeds);
  return performance.now() - start;
};
