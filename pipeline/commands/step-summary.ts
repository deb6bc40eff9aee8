import { appendFile } from 'node:fs/promises';
import { messageOf } from '../../ground/errors.ts';

/** What GitHub shows of a summary; it drops the whole of a longer one. */
const LARGEST = 1024 * 1024;

/** Adds Markdown to the summary of a step of GitHub Actions, where this is one. A summary that cannot be written fails nothing. */
export const addToStepSummary = async (markdown: () => Promise<string>): Promise<void> => {
  const { GITHUB_ACTIONS: actions, GITHUB_STEP_SUMMARY: file = '' } = process.env;
  if (actions !== 'true' || file === '') return;
  const text = `${await markdown()}\n`;
  const said = Buffer.byteLength(text) > LARGEST ? 'is longer than GitHub shows' : undefined;
  const problem = said ?? (await appendFile(file, text).then(() => undefined, messageOf));
  if (problem !== undefined) process.stderr.write(`The summary of this step was not written: ${problem}.\n`);
};
