import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { browserTitle, hasBrowser, launchBrowser, listen, PATIENCE_MS } from '../rig/browser.ts';
import { decant, tinyCsv } from '../rig/cli.ts';
import { workspace } from '../rig/workspace.ts';
import { type OpenPage, openPage } from './page.ts';

/** WCAG 2.2, 1.4.3: text of ordinary size. */
const LEAST_TEXT_CONTRAST = 4.5;

const contrasts = readFileSync(new URL('../reports/contrast.js', import.meta.url), 'utf8');
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const pipeline = (name: string, steps: number): string => `name: ${name}
data: { uses: csv, file: tiny.csv, maxLength: 16, labelled: 200 }
measure: { rounds: 3, processes: 2, loads: 0, profile: false }
stages:
  - { id: encoder, uses: train, steps: ${steps}, batch: 16, architecture: { hidden: 32, layers: 1, heads: 2, ffn: 64, vocabulary: 300 } }
  - { id: int8, uses: quantize }
`;

describe.skipIf(!hasBrowser)(browserTitle('the page of all runs'), () => {
  const space = workspace();
  let browser: Browser;
  let served: OpenPage;
  let page: Page;
  let said: readonly string[];

  const run = async (name: string, steps: number, onChild?: (child: ChildProcess) => void): Promise<void> => {
    space.write(`${name}.yaml`, pipeline(name, steps));
    let seen = false;
    const onText = (_: string, child: ChildProcess): void => {
      if (!seen) onChild?.(child);
      seen = true;
    };
    const { code, stderr } = await decant(['run', `${name}.yaml`], { cwd: space.folder, onText });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  };

  const eventsOf = (name: string): string => {
    const file = space.path('runs', name, 'events.jsonl');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };

  /** A run that stands still once it has told how good it is on validation texts: how far it is depends on no clock. `goOn` lets it come to its end. */
  const heldRun = async (name: string): Promise<{ goOn(): Promise<void> }> => {
    let held: ChildProcess | undefined;
    const ended = run(name, 200, (child) => {
      const look = setInterval(() => {
        if (!eventsOf(name).includes('"validation"')) return;
        clearInterval(look);
        child.kill('SIGSTOP');
        held = child;
      }, 10);
    });
    await expect.poll(() => held, { timeout: PATIENCE_MS }).toBeDefined();
    return {
      goOn: async () => {
        held?.kill('SIGCONT');
        await ended;
      },
    };
  };

  beforeAll(async () => {
    space.write('tiny.csv', tinyCsv());
    await run('first', 4);
    served = await openPage(space.path('runs'));
    browser = await launchBrowser();
    page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    page.setDefaultTimeout(PATIENCE_MS);
    const own = [`http://127.0.0.1:${served.port}/`, 'data:'];
    said = listen(page, (url) => own.some((start) => url.startsWith(start)));
    await page.goto(served.address);
    await page.waitForSelector('#runs-table[data-ready]');
  });
  afterAll(async () => {
    await browser?.close();
    await served?.close();
    space[Symbol.dispose]();
  });

  it('shows a run from its beginning to its end, compares it with another by clicking, and asks its model', async () => {
    await page.waitForSelector('#stages tr.strong');
    expect(new URL(page.url()).search).toBe('');
    const held = await heldRun('second');
    const row = page.locator('#runs-table tbody tr', { has: page.locator('a', { hasText: 'second' }) });
    await row.locator('.state-running').waitFor();
    await row.locator('a').click();
    await page.locator('#live-title', { hasText: /^second: \d of \d done$/ }).waitFor();
    await page.locator('#live-rows li', { hasText: 'encoder' }).waitFor();
    await page.locator('#live-left', { hasText: /^The whole run: about .* left\.$/ }).waitFor();
    await page.locator('#curves .chart-title', { hasText: 'Training loss' }).waitFor();
    await page.locator('#curves .chart-title', { hasText: 'Validation accuracy' }).waitFor();
    await held.goOn();
    await row.locator('.state-complete').waitFor();
    await page.locator('#stages tr.strong').waitFor();
    expect(await page.locator('#stages th[scope=row]').allTextContents()).toEqual(
      expect.arrayContaining(['encoder', 'int8']),
    );
    await page.locator('#live').waitFor({ state: 'hidden' });
    expect(await page.locator('#run-verdict').textContent()).toMatch(/int8/);

    for (const name of ['first', 'second']) await page.getByLabel(`compare ${name}`).check();
    await page.locator('#comparison tbody tr').first().waitFor();
    const { stdout } = await decant(['diff', 'runs/first', 'runs/second'], { cwd: space.folder });
    const changes = await page.locator('#comparison tbody tr td:nth-child(5)').allTextContents();
    expect(changes.length).toBeGreaterThan(1);
    for (const change of changes) expect(stdout).toContain(change);
    await page.getByLabel('compare first').uncheck();
    await page.locator('#comparison').waitFor({ state: 'hidden' });
    const dots = await page.locator('#tradeoff circle').count();
    expect(dots).toBeGreaterThanOrEqual(4);
    expect(await page.locator('#tradeoff line.interval').count()).toBe(dots);
    const picture = await page.locator('#tradeoff [role=img]').first().getAttribute('aria-label');
    const column = await page.locator('#stages thead th').nth(1).textContent();
    expect(picture).toContain(`${column} against size`);
    expect(picture).toContain(`second, int8: ${await page.locator('#stages tr.strong td').first().textContent()}, `);

    await page.getByLabel('Model', { exact: true }).selectOption({ label: 'int8' });
    await page.getByLabel('Text', { exact: true }).fill('the cat\neats <b>bread</b> today');
    await page.getByRole('button', { name: 'Ask' }).click();
    const answer = page.locator('#ask-said pre');
    await answer.waitFor();
    const predicted = await decant(
      ['predict', 'runs/second/models/int8', 'the cat eats <b>bread</b> today', '--top', '5'],
      { cwd: space.folder },
    );
    expect(await answer.textContent()).toBe(predicted.stdout.trimEnd());

    // The address says what is shown.
    await page.reload();
    await page.locator('#run-title', { hasText: 'second' }).waitFor();
    const [report] = await Promise.all([
      page.context().waitForEvent('page'),
      page.getByRole('link', { name: 'The whole report' }).click(),
    ]);
    await report.locator('#stages').waitFor();
    await report.close();
    expect(said).toEqual([]);
  });

  it('breaks no rule of axe, and neither does what a click opens', async () => {
    await page.locator('#stages tr.strong').waitFor();
    const boxes = page.locator('#runs-table input');
    for (let i = 0; i < 2; i++) await boxes.nth(i).check();
    await page.locator('#comparison tbody tr').first().waitFor();
    await page.evaluate(`for (const id of ['live', 'lost']) document.getElementById(id).hidden = false`);
    await page.evaluate(
      `document.getElementById('live-title').textContent = 'a run: 1 of 2 done'; document.getElementById('lost').textContent = 'lost'`,
    );
    await page.evaluate(axe);
    const violations = await page.evaluate<readonly { id: string; nodes: readonly { html: string }[] }[]>(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => ({ html })) })))`,
    );
    expect(violations).toEqual([]);
  });

  it.each([
    [320, 'light'],
    [800, 'dark'],
    [1920, 'light'],
  ] as const)('at %i pixels in %s needs no sideways scrolling and has no faint text', async (width, theme) => {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: theme });
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
    expect(wide).toBeLessThanOrEqual(width);
    const { texts } = await page.evaluate<{ texts: readonly { what: string; contrast: number }[] }>(contrasts);
    expect(texts.length).toBeGreaterThan(40);
    expect(texts.filter(({ contrast }) => contrast < LEAST_TEXT_CONTRAST)).toEqual([]);
  });

  it('does with the keyboard what clicks do', async () => {
    await page.locator('#runs-table a').nth(1).focus();
    const name = await page.locator('#runs-table a').nth(1).textContent();
    await page.keyboard.press('Enter');
    await page.locator('#run-title', { hasText: name ?? '' }).waitFor();
    await page.locator('#runs-table a[aria-current]', { hasText: name ?? '' }).waitFor();
    expect(await page.evaluate<string>('document.activeElement.textContent')).toBe(name);
    await page.keyboard.press('Tab');
    const isTicked = (): Promise<boolean> => page.evaluate<boolean>('document.activeElement.checked');
    const before = await isTicked();
    await page.keyboard.press('Space');
    expect(await isTicked()).toBe(!before);
  });

  it('is closed to a browser without the token', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const answer = await page.goto(`http://127.0.0.1:${served.port}${served.room}`);
    expect([answer?.status(), await page.locator('body').textContent()]).toEqual([403, 'no token\n']);
    await context.close();
  });
});
