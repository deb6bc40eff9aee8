import { describe, expect, it } from 'vitest';
import { openedParquet } from '../../data/datasets/parquet-rows.ts';
import type { Engine, Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import { predict } from '../../engine/predict.ts';
import { taskOf } from '../../engine/tasks/index.ts';
import { complete } from '../../graph/codec/complete.ts';
import { isRefusal, isUserError, refusal, refusalOf, refusedOr, reworded, stageError } from '../../ground/errors.ts';
import { tryTokenizer } from '../../models/importers/folder/try-tokenizer.ts';
import { smallEncoder, wordTokenizer } from '../models/support.ts';

const bug = (): TypeError => new TypeError('x is not a function');
const said = 'the runtime says no';

/** Work that meets an error on the way: what it ends in. */
const endOf = (work: () => unknown): Promise<unknown> =>
  Promise.resolve()
    .then(work)
    .then(
      () => undefined,
      (error: unknown) => error,
    );

const encoderThat = (rejects: Error) => ({
  encodeBatch: () => Promise.reject(rejects),
  encodeWords: () => Promise.reject(rejects),
  encode: () => Promise.reject(rejects),
  size: 10,
  token: () => undefined,
});

const programThat = (rejects: Error): Program => ({
  bind: () => undefined,
  renew: () => undefined,
  run: () => Promise.reject(rejects),
  release: async () => undefined,
});

const predicted = async (engine: Pick<Engine, 'compile'>): Promise<unknown> => {
  const model = smallEncoder();
  const { signal } = new AbortController();
  const encoded = await taskOf(model.info.task).encode(model, ['the cat sleeps'], 8);
  const asked: Engine = { ...cpuEngine, ...engine };
  return predict({ model, examples: encoded, batching: 'length', threads: 1, signal, engine: asked });
};

/** A graph over whose first node inference stumbles. */
const graphThat = (throws: Error) => {
  const { graph } = smallEncoder();
  const [first, ...nodes] = graph.nodes;
  if (first === undefined) throw new Error('no nodes');
  const attrs = new Proxy(first.attrs, {
    get: () => {
      throw throws;
    },
  });
  return { ...graph, nodes: [{ ...first, op: 'Concat', attrs }, ...nodes] };
};

/** Places that word for the user what they catch, each with what it meets on the way. */
const places: Readonly<Record<string, (error: Error) => Promise<unknown>>> = {
  'running a model': (error) => endOf(() => predicted({ compile: async () => programThat(error) })),
  'loading a model': (error) => endOf(() => predicted({ compile: () => Promise.reject(error) })),
  'trying a tokenizer': (error) =>
    endOf(() => tryTokenizer({ json: wordTokenizer, encoder: encoderThat(error) }, 10, 8)),
  'inferring types of a file': (error) => endOf(() => complete(graphThat(error))),
  'wording anything': (error) => endOf(() => Promise.reject(reworded(error, stageError))),
};

describe.each(Object.entries(places))('%s', (_, meets) => {
  it('lets a bug pass as it is', async () => {
    const error = bug();
    expect(await meets(error)).toBe(error);
  });

  it('lets a bug that is a plain error pass, too', async () => {
    const error = new Error('there are texts, so there is a batch');
    expect(await meets(error)).toBe(error);
  });

  it('words what was refused for the user', async () => {
    const error = await meets(refusal(said));
    expect(isUserError(error)).toBe(true);
    expect(String(error)).toContain(said);
  });
});

describe('a refusal', () => {
  it('is a plain error that a library throws, but no error of the user and none of those who misuse it', () => {
    expect(isRefusal(refusalOf(new Error(said)))).toBe(true);
    for (const error of [bug(), new RangeError(said), stageError(said)]) expect(refusalOf(error)).toBe(error);
    expect([isRefusal(bug()), isRefusal(new Error(said)), isUserError(refusal(said))]).toEqual([false, false, false]);
  });

  it('is whatever a library throws over bytes of the user, but for what the system says', async () => {
    expect(isRefusal(await endOf(() => refusedOr(() => Promise.reject(bug()))))).toBe(true);
    const full = Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    expect(await endOf(() => refusedOr(() => Promise.reject(full)))).toBe(full);
  });
});

it('reading Parquet tells a wrong path from a wrong file', async () => {
  const error = await endOf(() => openedParquet(Object({ shown: 'texts.parquet', path: undefined })));
  expect([error instanceof TypeError, isUserError(error)]).toEqual([true, false]);
});
