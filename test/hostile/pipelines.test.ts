import { describe, expect, it } from 'vitest';
import { isUserError } from '../../ground/errors.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import { effort, isLate } from '../rig/effort.ts';
import { hostilePipelines } from '../rig/hostile/pipelines.ts';
import { workspace } from '../rig/workspace.ts';

/** Three seconds on an idle machine; tests share theirs with others. */
const SOON_SECONDS = 6;
/** Each problem shows a line and a marker besides its message. */
const LONGEST_PROBLEM = 4000;

describe('a pipeline file that is made to do harm', () => {
  it.each(hostilePipelines)('is refused in one message: $name', async ({ bytes }) => {
    using space = workspace();
    const file = space.write('pipeline.yaml', bytes());
    const spent = effort();
    const error = await loadPipeline(file, [], decantCatalogue).then(
      () => 'it was taken',
      (reason: unknown) => reason,
    );
    expect(isUserError(error) ? 'one message' : error).toBe('one message');
    expect(isLate(spent(), SOON_SECONDS)).toBe(false);
    const problems = isUserError(error) && Array.isArray(error.facts.problems) ? error.facts.problems.length : 1;
    expect(error).toMatchObject({ message: expect.stringMatching(/\S/) });
    expect(isUserError(error) ? error.message.length / problems : 0).toBeLessThan(LONGEST_PROBLEM);
  });
});
