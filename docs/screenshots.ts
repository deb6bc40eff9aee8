import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { renderHtml } from '../reports/html/page.ts';
import { loadReport } from '../reports/load.ts';

/** Widths of a phone, a tablet and a desk, each with as much of the page as keeps the picture small. */
const views = [
  { width: 400, height: 820 },
  { width: 800, height: 1000 },
  { width: 1400, height: 790 },
] as const;

const LARGEST_BYTES = 150_000;

const folder = fileURLToPath(new URL('images/', import.meta.url));

const shoot = async (browser: Browser, html: string): Promise<void> => {
  for (const viewport of views) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ viewport, colorScheme });
      await page.setContent(html);
      const path = `${folder}report-${viewport.width}-${colorScheme}.png`;
      await page.screenshot({ path });
      await page.close();
      const { size } = await stat(path);
      if (size > LARGEST_BYTES)
        throw new Error(`${path} has ${size} bytes, more than ${LARGEST_BYTES}: show less of the page`);
      process.stdout.write(`${path} ${size} bytes\n`);
    }
  }
};

// npm run screenshots -- runs/wordnet-supersense: the first view of its report, in every width and theme.
const report = await loadReport(process.argv[2] ?? 'runs/wordnet-supersense');
await mkdir(folder, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  await shoot(browser, await renderHtml(report));
} finally {
  await browser.close();
}
