import type { Report } from './report.ts';
import { oneLine } from './text.ts';

/** What a run was asked for besides its file, as options of the command; undefined where it was the file as it stands. */
export const askedBesides = ({ pipeline: { overrides, until } }: Pick<Report, 'pipeline'>): string | undefined => {
  const options = [
    ...overrides.map((setting) => `--set ${setting}`),
    ...(until === undefined ? [] : [`--until ${until}`]),
  ];
  return options.length === 0 ? undefined : oneLine(options.join(' '));
};
