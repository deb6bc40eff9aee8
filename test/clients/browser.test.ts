import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deployFiles, type Precision } from '../../models/files.ts';
import type { TaskName } from '../../models/model.ts';
import { browserTitle, hasBrowser, launchBrowser, listen } from '../rig/browser.ts';
import { workspace } from '../rig/workspace.ts';
import { bestOf, clientModel, exportInto, labels, ownOutputs, tasks, texts, TIE } from './rig.ts';
import { type Served, serve } from './server.ts';

/** Other kernels than those of Node, and 8-bit products on their own code paths. */
const KERNELS = 0.01;

interface Said {
  readonly label: string;
  readonly score: number;
}

const space = workspace();
let browser: Browser;
let served: Served;

beforeAll(async () => {
  if (!hasBrowser) return;
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
  const said = listen(page, (url) => url.startsWith(served.url) || /^(?:data|blob):/.test(url));
  await page.goto(`${served.url}${path}`);
  return { page, said };
};

/** Runs a pipeline in a page of its own: one load that fails spoils a page for all that follow. */
const runPipeline = async (task: string, name: TaskName, dtype: Precision, given: readonly string[]) => {
  // Any document of the server gives its scripts the right origin.
  const { page, said } = await open('style.css');
  const results = await page.evaluate<readonly unknown[]>(`(async () => {
    const { env, pipeline } = await import('/node_modules/@huggingface/transformers/dist/transformers.min.js');
    Object.assign(env, { allowRemoteModels: false, allowLocalModels: true, localModelPath: '/models/', useWasmCache: false });
    env.backends.onnx.wasm.numThreads = 1;
    env.backends.onnx.wasm.wasmPaths = {
      mjs: '/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs',
      wasm: '/node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm',
    };
    const run = await pipeline(${JSON.stringify(task)}, ${JSON.stringify(name)}, { dtype: ${JSON.stringify(dtype)} });
    const results = [];
    for (const text of ${JSON.stringify(given)}) {
      const said = await run(text, { top_k: 1, ignore_labels: [] });
      results.push(said.data === undefined ? said : [...said.data]);
    }
    return results;
  })()`);
  await page.close();
  expect(said).toEqual([]);
  return results.map((result) => [result].flat(2));
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

const given: Readonly<Record<TaskName, readonly string[]>> = {
  'text-classification': texts,
  'token-classification': texts,
  'fill-mask': ['the [MASK] sleeps quietly'],
  features: texts.slice(0, 2),
};

const pipelines: Readonly<Record<TaskName, string>> = {
  'text-classification': 'text-classification',
  'token-classification': 'token-classification',
  'fill-mask': 'fill-mask',
  features: 'feature-extraction',
};

const ids = Array.from({ length: 1000 }, (_, id) => String(id));

/** Rows of decant's own output that a pipeline reports: all, those of real tokens, or that of the mask. */
const reported = (task: TaskName, rows: readonly (readonly number[])[]): readonly (readonly number[])[] => {
  if (task === 'text-classification') return rows;
  return task === 'fill-mask' ? rows.slice(2, 3) : rows.slice(1, -1);
};

describe.skipIf(!hasBrowser)(browserTitle('transformers.js'), () => {
  const cases = tasks.flatMap((task) => (['fp32', 'q8'] as const).map((dtype) => [task, dtype] as const));

  it.each(cases)('says what decant says: %s, %s', async (task, dtype) => {
    const found = await runPipeline(pipelines[task], task, dtype, given[task]);
    const own = await ownOutputs(join(space.folder, task), dtype, given[task]);
    for (const [i, rows] of own.entries()) {
      if (task !== 'features') {
        expectClose(saidOf(found[i] ?? []), reported(task, rows), task === 'fill-mask' ? ids : labels);
        continue;
      }
      const [expected, numbers] = [rows.flat(), (found[i] ?? []).map(Number)];
      const cosine = (a: readonly number[], b: readonly number[]) => {
        const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, z, j) => sum + z * (y[j] ?? 0), 0);
        return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
      };
      expect(numbers.length).toBe(expected.length);
      expect(cosine(expected, numbers)).toBeGreaterThan(1 - KERNELS);
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
      expect(await panel.locator('h2').innerText()).toBe(role === name ? role : `${role} (${name})`);
      const { size } = statSync(join(space.folder, name, deployFiles[dtype]));
      expect(await panel.locator('.size').innerText()).toBe(`${(size / 1e6).toFixed(2)} MB (${dtype})`);
      expect(await panel.locator('.latency').innerText()).toMatch(/^\d+\.\d\d ms$/);
      const [[row = []] = []] = await ownOutputs(join(space.folder, name), dtype, [text]);
      expect(await panel.locator('.labels li').count()).toBe(3);
      const first = await panel.locator('.labels li span').first().innerText();
      if (bestOf(row).margin > TIE) expect(first).toBe(labels[bestOf(row).index]);
    }
    expect(said).toEqual([]);
    await page.close();
  });

  it('says which model is not there, and goes on with the other', async () => {
    const { page } = await open('?teacher=nobody');
    await page.locator('#status', { hasText: 'Ready' }).waitFor();
    expect(await page.locator('#teacher .problem').innerText()).toBe(
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
    for (const path of ['models/../secret.txt', 'models/%2e%2e/secret.txt', 'models/..%2fsecret.txt', 'models/', '%', 'models/%00']) {
      expect(await get(path)).toEqual([404, 'text/plain']);
    }
    rmSync(inner);
    expect(await get('models/a/config.json')).toEqual([404, 'text/plain']);
    process.kill();
  });
});
