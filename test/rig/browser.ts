import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Debian, Ubuntu and macOS put a browser; CHROMIUM names another. */
const candidates = [
  process.env.CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const executable = candidates.find((path) => path !== '' && existsSync(path));

/** Without a browser its tests are skipped, under a name that says so. */
export const hasBrowser = executable !== undefined;

export const browserTitle = (title: string): string =>
  hasBrowser
    ? `${title} in Chromium`
    : `${title} in a browser: SKIPPED, none at ${candidates.filter((path) => path !== '').join(', ')}`;

/** What a browser is waited for until it has started: the library's own three minutes are too few for a busy machine. */
const LAUNCH_MS = 900_000;

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: executable ?? '', args: ['--no-sandbox'], timeout: LAUNCH_MS });

/** What a page is waited for: on a machine with other work on it many times as long as on an idle one. */
export const PATIENCE_MS = 240_000;

/** What a page said that it should not have: words on the console, errors, dialogs, and requests to elsewhere. */
export const listen = (page: Page, isOwn: (url: string) => boolean): string[] => {
  const said: string[] = [];
  page.on('console', (message) => said.push(message.text()));
  page.on('pageerror', (error) => said.push(String(error)));
  page.on('dialog', (dialog) => {
    said.push(dialog.message());
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!isOwn(request.url())) said.push(request.url());
  });
  return said;
};
