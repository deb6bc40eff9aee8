import { manyLines } from '../../reports/text.ts';
import { plainView } from './plain.ts';
import type { View } from './view.ts';

export interface ViewOptions {
  readonly plain: boolean;
  /** Standard output belongs to a document: progress goes to standard error. */
  readonly json: boolean;
}

const NARROWEST = 40;

/** Moving lines need a terminal that someone looks at. */
const isLive = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY === true &&
  (stream.columns ?? 0) >= NARROWEST &&
  process.env.CI === undefined &&
  process.env.TERM !== 'dumb';

/** On a terminal, unless somebody says otherwise: FORCE_COLOR is heard before NO_COLOR, as Node does. */
export const wantsColor = (stream: NodeJS.WriteStream): boolean => {
  const { FORCE_COLOR: forced, NO_COLOR: none, TERM: terminal } = process.env;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && !none && terminal !== 'dumb';
};

/** The live view on a terminal, plain lines everywhere else. */
export const viewFor = async ({ plain, json }: ViewOptions): Promise<View> => {
  // Messages of stages quote files of strangers.
  if (json) return plainView((line) => void process.stderr.write(`${manyLines(line)}\n`));
  if (plain || !isLive(process.stdout)) return plainView((line) => void process.stdout.write(`${manyLines(line)}\n`));
  const { liveView } = await import('./live.ts');
  return liveView(wantsColor(process.stdout));
};
