import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenCheckpoints } from './checkpoints.ts';
import type { hostileCommands } from './commands.ts';
import { type Ended, faultsOf } from './run.ts';
import type { HostileTable } from './tables.ts';

/** What init and validate said of a file of texts. */
export interface TableTried {
  readonly command: 'init' | 'validate';
  readonly ended: Ended;
  readonly faults: readonly string[];
}

/** A pipeline of init's with a model that is there: what has to be known is whether the data is read. */
const withGoldenModel = (yaml: string): string =>
  yaml.replace(/model: npm:\S+/, `model: ${join(goldenCheckpoints, 'bert')}`);

/** What is said of the data; the model is too small for what init wants to prune. */
const ofData = ({ stderr, stdout }: Ended, file: string): boolean => `${stdout}${stderr}`.includes(file);

/** Has a pipeline written for a file, and asks whether that pipeline is accepted: one reader must say the same twice. */
export const tryTable = async (
  { extension, bytes }: Pick<HostileTable, 'extension' | 'bytes'>,
  commands: Pick<ReturnType<typeof hostileCommands>, 'run'>,
  folder: string,
): Promise<readonly TableTried[]> => {
  const [file, out] = [`table.${extension}`, join(folder, 'out.yaml')];
  writeFileSync(join(folder, file), bytes());
  rmSync(out, { force: true });
  const init = await commands.run(['init', '--data', file, '--out', 'out.yaml'], folder);
  const first: TableTried = { command: 'init', ended: init, faults: faultsOf(init) };
  if (init.code !== 0) return [first];
  writeFileSync(out, withGoldenModel(readFileSync(out, 'utf8')));
  const validate = await commands.run(['validate', 'out.yaml'], folder);
  const refused = validate.code !== 0 && ofData(validate, file);
  const faults = [...faultsOf(validate), ...(refused ? ['what init wrote is refused'] : [])];
  return [first, { command: 'validate', ended: validate, faults }];
};
