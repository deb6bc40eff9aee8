import { spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formats } from '../../graph/quantize/formats/index.ts';
import { modelTask, type TaskName } from '../../ground/tasks.ts';
import { readModel } from '../../models/files.ts';
import { importFolder } from '../../models/importers/folder/index.ts';
import { clientOptions, onnxFile, type Precision } from '../../models/precision.ts';
import { tinyDecoder } from '../decoders/tiny.ts';
import { browserTitle, hasBrowser, launchBrowser, listen, PATIENCE_MS } from '../rig/browser.ts';
import { root } from '../rig/build.ts';
import { workspace } from '../rig/workspace.ts';
import {
  bestOf,
  clientModel,
  encoderFamilies,
  exportInto,
  golden,
  labels,
  ownOutputs,
  type TextTask,
  TIE,
  tasks,
  texts,
} from './rig.ts';
import { type Served, serve } from './server.ts';
import { greedy, NEW_TOKENS, newTokens, ownTokens, prompts, shortfall } from './writing.ts';

/** Other kernels than those of Node, and 8-bit products on their own code paths. */
const KERNELS = 0.01;

/** Activations that products in blocks round to 8 bits are rounded by other kernels there, too. */
const ROUNDED = 0.02;

/** What Chromium says where transformers.js looks for a GPU and there is none. */
const withoutGpu = 'No available adapters.';

interface Said {
  readonly label: string;
  readonly score: number;
}

const space = workspace();
let browser: Browser;
let served: Served;

beforeAll(async () => {
  if (!hasBrowser) return;
  // Any document of the server gives its scripts the right origin; this one asks for no picture.
  space.write('blank.html', '<!doctype html><link rel="icon" href="data:,">');
  for (const task of tasks) await exportInto(space.folder, task, clientModel(task));
  await exportInto(space.folder, 'deploy', clientModel('text-classification'));
  await exportInto(space.folder, 'teacher', clientModel('text-classification'), ['fp32']);
  [browser, served] = await Promise.all([launchBrowser(), serve(space.folder)]);
});
afterAll(async () => {
  await browser?.close();
  served?.process.kill();
  space[Symbol.dispose]();
});

const open = async (path: string): Promise<{ readonly page: Page; readonly said: string[] }> => {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const said = listen(page, (url) => url.startsWith(served.url) || /^(?:data|blob):/.test(url));
  await page.goto(`${served.url}${path}`);
  return { page, said };
};

const precisions = ['fp32', 'q8'] as const;

const given: Readonly<Record<TextTask, readonly string[]>> = {
  'text-classification': texts,
  'token-classification': texts,
  'named-entities': texts,
  'multi-label': texts,
  'fill-mask': ['the [MASK] sleeps quietly'],
  'text-generation': texts,
  features: texts.slice(0, 2),
  score: texts,
};

const pipelines: Readonly<Record<TextTask, string>> = {
  'text-classification': 'text-classification',
  'token-classification': 'token-classification',
  'named-entities': 'token-classification',
  'multi-label': 'text-classification',
  'fill-mask': 'fill-mask',
  'text-generation': 'text-generation',
  features: 'feature-extraction',
  // The pipeline gives 1 for whatever text.
  score: 'text-classification',
};

interface Asked {
  readonly task: string;
  /** The folder below /models/. */
  readonly model: string;
  readonly dtype: Precision;
  readonly texts: readonly string[];
  /** All classes instead of the best one. */
  readonly all: boolean;
}

/** The library with the files that the server has. */
const LIBRARY = `
    const library = await import('/node_modules/@huggingface/transformers/dist/transformers.min.js');
    const { env } = library;
    Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: '/models/', useWasmCache: false });
    env.backends.onnx.wasm.numThreads = 1;
    env.backends.onnx.wasm.wasmPaths = {
      mjs: '/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs',
      wasm: '/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm',
    };`;

/** What pipelines say, text by text, in a page of their own: a load that fails spoils a page for all that follow. */
const runPipelines = async (asked: readonly Asked[]): Promise<readonly (readonly unknown[][])[]> => {
  const { page, said } = await open('models/blank.html');
  const withOptions = asked.map((one) => ({ ...one, options: clientOptions(one.dtype) }));
  const found = await page.evaluate<readonly unknown[][]>(`(async () => {
    ${LIBRARY}
    const { pipeline } = library;
    const results = [];
    for (const { task, model, options, texts, all } of ${JSON.stringify(withOptions)}) {
      const run = await pipeline(task, model, options);
      const answers = [];
      for (const text of texts) {
        const said = await run(text, { top_k: all ? null : 1, ignore_labels: [] });
        answers.push(said.data === undefined ? said : [...said.data]);
      }
      results.push(answers);
      await run.dispose();
    }
    return results;
  })()`);
  await page.close();
  expect(said.filter((line) => line !== withoutGpu)).toEqual([]);
  return found.map((answers) => answers.map((answer) => [answer].flat(2)));
};

const saidOf = (results: readonly unknown[]): readonly Said[] =>
  results.map((one) => {
    const { label, entity, token, score } = Object(one);
    return { label: String(label ?? entity ?? token), score: Number(score) };
  });

const expectClose = (found: readonly Said[], rows: readonly (readonly number[])[], names: readonly string[]): void => {
  expect(found.length).toBe(rows.length);
  rows.map(bestOf).forEach(({ index, score, margin }, i) => {
    if (margin > TIE) expect(found[i]?.label).toBe(names[index]);
    expect(Math.abs((found[i]?.score ?? 0) - score)).toBeLessThan(KERNELS);
  });
};

/** Every class by itself: sigmoids, which need not add up to one. */
const expectProbabilities = (found: readonly Said[], logits: readonly number[]): void => {
  expect(found.map(({ label }) => label).sort()).toEqual([...labels].sort());
  for (const { label, score } of found) {
    const logit = logits[labels.indexOf(label)] ?? Number.NaN;
    expect(Math.abs(score - 1 / (1 + Math.exp(-logit)))).toBeLessThan(KERNELS);
  }
};

const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, z, i) => sum + z * (y[i] ?? 0), 0);

const expectSameDirection = (found: readonly number[], own: readonly number[]): void => {
  expect(found.length).toBe(own.length);
  expect(dot(own, found) / Math.sqrt(dot(own, own) * dot(found, found))).toBeGreaterThan(1 - KERNELS);
};

const ids = Array.from({ length: 1000 }, (_, id) => String(id));

/** Rows of decant's own output that a pipeline reports: all, those of real tokens, or that of the mask. */
const reported = (task: TaskName, rows: readonly (readonly number[])[]): readonly (readonly number[])[] => {
  if (task === 'text-classification') return rows;
  return task === 'fill-mask' ? rows.slice(2, 3) : rows.slice(1, -1);
};

describe.skipIf(!hasBrowser)(browserTitle('transformers.js'), () => {
  it.each(tasks)('says what decant says: %s', async (task) => {
    const all = modelTask(task).answer === 'set';
    const asked = precisions.map((dtype) => ({ task: pipelines[task], model: task, dtype, texts: given[task], all }));
    const found = await runPipelines(asked);
    for (const [i, dtype] of precisions.entries()) {
      const own = await ownOutputs(join(space.folder, task), dtype, given[task]);
      for (const [j, rows] of own.entries()) {
        const said = found[i]?.[j] ?? [];
        if (all) expectProbabilities(saidOf(said), rows.flat());
        else if (task === 'features') expectSameDirection(said.map(Number), rows.flat());
        else expectClose(saidOf(said), reported(task, rows), task === 'fill-mask' ? ids : labels);
      }
    }
  });

  it.each(formats)('answers as decant does from a file in $name', async ({ dtype }) => {
    const name = `in-${dtype}`;
    await exportInto(space.folder, name, clientModel('text-classification'), [dtype]);
    const [found = []] = await runPipelines([
      { task: 'text-classification', model: name, dtype, texts: given['text-classification'], all: false },
    ]);
    const own = await ownOutputs(join(space.folder, name), dtype, given['text-classification']);
    for (const [j, rows] of own.entries()) expectClose(saidOf(found[j] ?? []), rows, labels);
  });

  it('says the number that decant says, of texts and of pairs', async () => {
    await exportInto(space.folder, 'score', clientModel('score'));
    const inputs = [{ text: 'a small bird sings' }, { text: 'the old dog', pair: 'sleeps quietly near' }];
    const { page, said } = await open('models/blank.html');
    const found = await page.evaluate<number[][]>(`(async () => {
      ${LIBRARY}
      const { AutoModelForSequenceClassification, AutoTokenizer } = library;
      const results = [];
      for (const dtype of ${JSON.stringify(precisions)}) {
        const tokenizer = await AutoTokenizer.from_pretrained('score');
        const model = await AutoModelForSequenceClassification.from_pretrained('score', { dtype });
        const numbers = [];
        for (const { text, pair } of ${JSON.stringify(inputs)}) {
          const { logits } = await model(tokenizer(text, { text_pair: pair ?? null, truncation: true }));
          numbers.push(...logits.data);
        }
        results.push(numbers);
      }
      return results;
    })()`);
    await page.close();
    expect(said.filter((line) => line !== withoutGpu)).toEqual([]);
    for (const [i, dtype] of precisions.entries()) {
      const own = (await ownOutputs(join(space.folder, 'score'), dtype, inputs)).flat(2);
      expect(found[i]?.length).toBe(own.length);
      own.forEach((number, j) => {
        expect(Math.abs(number - (found[i]?.[j] ?? Number.NaN))).toBeLessThan(KERNELS);
      });
    }
  });

  it('writes the tokens that decant writes, all prompts at once', async () => {
    const stored = ['fp32', 'q4', 'q8'] as const;
    const folder = await exportInto(space.folder, 'writer', tinyDecoder(), stored);
    const { page, said } = await open('models/blank.html');
    const asked = stored.map((dtype) => ({ options: clientOptions(dtype) }));
    const found = await page.evaluate<{ readonly ids: number[]; readonly width: number }[]>(`(async () => {
      ${LIBRARY}
      const { AutoModelForCausalLM, AutoTokenizer } = library;
      const tokenizer = await AutoTokenizer.from_pretrained('writer');
      const results = [];
      for (const { options } of ${JSON.stringify(asked)}) {
        const model = await AutoModelForCausalLM.from_pretrained('writer', options);
        const inputs = tokenizer(${JSON.stringify(prompts)}, { padding: true });
        const made = await model.generate({ ...inputs, ...${JSON.stringify(greedy)} });
        results.push({ ids: [...made.data].map(Number), width: made.dims[1] });
        await model.dispose();
      }
      return results;
    })()`);
    await page.close();
    expect(said.filter((line) => line !== withoutGpu)).toEqual([]);
    for (const [i, dtype] of stored.entries()) {
      const { ids: all = [], width = 0 } = found[i] ?? {};
      const taken = newTokens(all, width);
      expect(taken.flat()).toHaveLength(prompts.length * NEW_TOKENS);
      expect(await shortfall(folder, dtype, taken)).toBeLessThan(ROUNDED);
      expect(await shortfall(folder, dtype, taken.toReversed())).toBeGreaterThan(ROUNDED);
      if (dtype !== 'q4') expect([dtype, taken]).toEqual([dtype, await ownTokens(folder, dtype)]);
    }
  });

  it('runs every architecture that classifies texts, float and INT8', async () => {
    const asked: Asked[] = [];
    for (const [model] of encoderFamilies) {
      await exportInto(space.folder, model, await importFolder(join(golden, model), { head: 'keep' }));
      const classifier = {
        task: 'text-classification',
        model,
        all: false,
        texts: ['Old dogs sleep near the café.', 'Is it late?'],
      };
      asked.push(...precisions.map((dtype) => ({ ...classifier, dtype })));
    }
    const found = await runPipelines(asked);
    for (const [i, { model, dtype, texts: asks }] of asked.entries()) {
      const own = (await ownOutputs(join(space.folder, model), dtype, asks)).flat();
      const names = (await readModel(join(space.folder, model))).info.labels;
      expectClose(saidOf(found[i]?.flat() ?? []), own, names);
    }
  });
});

describe.skipIf(!hasBrowser)(browserTitle('the page of examples/browser'), () => {
  it('classifies what is typed with teacher and student, with size and latency', async () => {
    const { page, said } = await open('');
    await page.locator('#status', { hasText: 'Ready' }).waitFor();
    const [text = ''] = texts;
    await page.locator('#text').fill(text);
    await page.locator('#status', { hasText: /answer|differ/ }).waitFor();
    for (const [role, name, dtype] of [
      ['teacher', 'teacher', 'fp32'],
      ['student', 'deploy', 'q8'],
    ] as const) {
      const panel = page.locator(`#${role}`);
      expect(await panel.locator('h2').textContent()).toBe(role === name ? role : `${role} (${name})`);
      const { size } = statSync(join(space.folder, name, onnxFile(dtype)));
      expect(await panel.locator('.size').textContent()).toBe(`${(size / 1e6).toFixed(2)} MB (${dtype})`);
      expect(await panel.locator('.latency').textContent()).toMatch(/^\d+\.\d\d ms$/);
      const [[row = []] = []] = await ownOutputs(join(space.folder, name), dtype, [text]);
      expect(await panel.locator('.labels li').count()).toBe(3);
      const first = await panel.locator('.labels li span').first().textContent();
      if (bestOf(row).margin > TIE) expect(first).toBe(labels[bestOf(row).index]);
    }
    expect(said.filter((line) => line !== withoutGpu)).toEqual([]);
    await page.close();
  });

  it('says which model is not there, and goes on with the other', async () => {
    const { page } = await open('?teacher=nobody');
    await page.locator('#status', { hasText: 'Ready' }).waitFor();
    expect(await page.locator('#teacher .problem').textContent()).toBe(
      'There is no exported model "nobody" in the folder that is served.',
    );
    await page.locator('#text').fill('the old dog runs!');
    await page.locator('#student .labels li').first().waitFor();
    await page.close();
  });
});

describe('the server of examples/browser', () => {
  it('answers with files of its folders and with nothing outside of them', async () => {
    const inner = space.write('inner/models/a/config.json', '{}');
    space.write('inner/secret.txt', 'secret');
    const { url, process } = await serve(space.path('inner/models'));
    const get = async (path: string) => {
      const response = await fetch(`${url}${path}`);
      return [response.status, response.headers.get('content-type')];
    };
    expect(await get('')).toEqual([200, 'text/html; charset=utf-8']);
    expect(await get('models/a/config.json')).toEqual([200, 'application/json']);
    expect(await get('node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs')).toEqual([200, 'text/javascript']);
    for (const path of [
      'models/../secret.txt',
      'models/%2e%2e/secret.txt',
      'models/..%2fsecret.txt',
      'models/',
      '%',
      'models/%00',
    ]) {
      expect(await get(path)).toEqual([404, 'text/plain']);
    }
    rmSync(inner);
    expect(await get('models/a/config.json')).toEqual([404, 'text/plain']);
    process.kill();
  });

  it.each(['abc', '70000', '-1', ''])('says what a port is where %j is given', (port) => {
    const { status, stderr } = spawnSync(process.execPath, [`${root}examples/browser/serve.mjs`, space.folder, port]);
    expect([status, stderr.toString()]).toEqual([2, `expected a port from 0 to 65535; found ${port}\n`]);
  });
});
