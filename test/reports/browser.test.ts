import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderComparisonHtml } from '../../reports/comparison/html.ts';
import { renderHtml } from '../../reports/html/page.ts';
import { browserTitle, hasBrowser, launchBrowser, listen, PATIENCE_MS } from '../rig/browser.ts';
import { workspace } from '../rig/workspace.ts';
import { recipesSideBySide } from './recipes.ts';
import { fullReport, hostile } from './sample.ts';

/** WCAG 2.2, 1.4.3 and 1.4.11: text of ordinary size, and marks of pictures. */
const LEAST_TEXT_CONTRAST = 4.5;
const LEAST_MARK_CONTRAST = 3;

interface Found {
  readonly what: string;
  readonly contrast: number;
}

interface Contrasts {
  readonly texts: readonly Found[];
  readonly marks: readonly Found[];
}

const contrasts = readFileSync(new URL('contrast.js', import.meta.url), 'utf8');

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

describe.skipIf(!hasBrowser)(browserTitle('report.html'), () => {
  const space = workspace();
  let browser: Browser;

  beforeAll(async () => {
    space.write(
      'report.html',
      await renderHtml(fullReport(['act', hostile.markup, hostile.attribute, 'a'.repeat(80), 'food'], hostile.markup)),
    );
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    space[Symbol.dispose]();
  });

  const open = async (width: number, colorScheme: 'light' | 'dark'): Promise<{ page: Page; said: string[] }> => {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    page.setDefaultTimeout(PATIENCE_MS);
    const said = listen(page, (url) => /^(?:file|data):/.test(url));
    await page.goto(pathToFileURL(space.path('report.html')).href);
    return { page, said };
  };

  it.each([
    [320, 'light'],
    [400, 'dark'],
    [800, 'light'],
    [1920, 'dark'],
  ] as const)('at %i pixels in %s shows all without overflow, errors, requests or faint text', async (width, theme) => {
    const { page, said } = await open(width, theme);
    await page.evaluate(`for (const details of document.querySelectorAll('details')) details.open = true`);
    const opened = await page.evaluate<{ wide: number; seen: number }>(
      `({ wide: document.documentElement.scrollWidth, seen: innerWidth })`,
    );
    expect(opened.wide).toBeLessThanOrEqual(opened.seen);
    const { texts, marks } = await page.evaluate<Contrasts>(contrasts);
    expect(texts.length).toBeGreaterThan(300);
    expect(texts.filter(({ contrast }) => contrast < LEAST_TEXT_CONTRAST)).toEqual([]);
    expect(marks.length).toBeGreaterThan(20);
    expect(marks.filter(({ contrast }) => contrast < LEAST_MARK_CONTRAST)).toEqual([]);
    expect(said).toEqual([]);
    await page.close();
  });

  it('has a table in reach of every picture, and pictures that are seen', async () => {
    const { page } = await open(1400, 'light');
    const figures = await page.evaluate<readonly { rows: number; words: number; smallest: number }[]>(`
      [...document.querySelectorAll('figure')].map((figure) => ({
        rows: figure.querySelectorAll('table tbody tr').length,
        words: figure.querySelector('[role=img]').getAttribute('aria-label').length,
        smallest: Math.min(...[...figure.querySelectorAll('svg')].map((svg) => svg.getBoundingClientRect().width)),
      }))`);
    expect(figures.length).toBe(await page.locator('figure').count());
    expect(figures.filter(({ rows, words, smallest }) => rows === 0 || words < 20 || smallest < 300)).toEqual([]);
    expect(await page.locator('svg').count()).toBe(await page.locator('figure svg').count());
    await page.close();
  });

  it('lets the keyboard reach everything that opens or scrolls', async () => {
    const { page } = await open(400, 'light');
    const stops = await page.locator('a[href], button, summary, [tabindex="0"]').count();
    const seen = new Set<string>();
    for (let i = 0; i < stops; i++) {
      await page.keyboard.press('Tab');
      seen.add(await page.evaluate<string>('document.activeElement.tagName'));
    }
    expect([...seen].sort()).toEqual(expect.arrayContaining(['A', 'BUTTON', 'DIV', 'PRE', 'SUMMARY']));
    await page.close();
  });

  it('breaks no rule of axe, all that folds unfolded', async () => {
    const { page } = await open(1000, 'light');
    await page.evaluate(`for (const details of document.querySelectorAll('details')) details.open = true`);
    await page.evaluate(axe);
    const violations = await page.evaluate<readonly { id: string; nodes: readonly { html: string }[] }[]>(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => ({ html })) })))`,
    );
    expect(violations).toEqual([]);
    // Rules do find something in a page that breaks one.
    await page.evaluate(`document.querySelector('th').insertAdjacentHTML('beforeend', '<button></button>')`);
    const found = await page.evaluate<number>(`axe.run().then(({ violations }) => violations.length)`);
    expect(found).toBeGreaterThan(0);
    await page.close();
  });

  it('breaks none where recipes stand side by side, at any width and in the dark', async () => {
    space.write('comparison.html', renderComparisonHtml(recipesSideBySide()));
    const page = await browser.newPage({ viewport: { width: 320, height: 900 }, colorScheme: 'dark' });
    page.setDefaultTimeout(PATIENCE_MS);
    const said = listen(page, (url) => /^(?:file|data):/.test(url));
    await page.goto(pathToFileURL(space.path('comparison.html')).href);
    expect(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    const { texts } = await page.evaluate<Contrasts>(contrasts);
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.filter(({ contrast }) => contrast < LEAST_TEXT_CONTRAST)).toEqual([]);
    await page.evaluate(axe);
    expect(await page.evaluate(`axe.run().then(({ violations }) => violations.map(({ id }) => id))`)).toEqual([]);
    expect(said).toEqual([]);
    await page.close();
  });

  it('explains a word where it stands, at a click or a key, without a script', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 320, height: 700 } });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(pathToFileURL(space.path('report.html')).href);
    const means = page.locator('#term-speed-up');
    expect(await means.isVisible()).toBe(false);
    await page.locator('[popovertarget=term-speed-up]').first().press('Enter');
    expect(await means.isVisible()).toBe(true);
    const box = await means.boundingBox();
    expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 999) <= 320).toBe(true);
    await page.keyboard.press('Escape');
    expect(await means.isVisible()).toBe(false);
    await context.close();
  });

  it('keeps the first column of a table in view while the table scrolls', async () => {
    const { page } = await open(400, 'light');
    const left = await page.evaluate<readonly number[]>(`(() => {
      const area = document.querySelector('#stages .scroll');
      area.scrollLeft = 200;
      const names = [...area.querySelectorAll('tbody th')];
      return [area.scrollLeft, ...names.map((name) => name.getBoundingClientRect().left - area.getBoundingClientRect().left)];
    })()`);
    const [scrolled, ...names] = left;
    expect([scrolled, names.every((at) => Math.abs(at) < 1)]).toEqual([200, true]);
    await page.close();
  });

  it('shows the same without scripts', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(pathToFileURL(space.path('report.html')).href);
    expect(await page.locator('h2').count()).toBe(20);
    await context.close();
  });
});
