import { describe, expect, it } from 'vitest';
import { Outliving } from '../../engine/engines/onnxruntime/outliving.ts';

const counted = () => {
  const releases: number[] = [];
  const session = new Outliving(async () => void releases.push(1));
  return { session, releases };
};

describe('a session', () => {
  it('is released at once where nothing is held that it made', async () => {
    const { session, releases } = counted();
    session.hold()();
    expect(session.isEnded).toBe(false);
    await session.end();
    await session.end();
    expect([session.isEnded, releases.length]).toEqual([true, 1]);
  });

  it('is released with the last thing that is held', async () => {
    const { session, releases } = counted();
    const [first, second] = [session.hold(), session.hold()];
    await session.end();
    expect([session.isEnded, releases.length]).toEqual([true, 0]);
    first();
    expect(releases.length).toBe(0);
    second();
    expect(releases.length).toBe(1);
  });
});
