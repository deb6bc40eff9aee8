import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { stream } from '../../data/random.ts';
import { fullReport } from '../../test/reports/sample.ts';
import { settingsBombs } from '../../test/rig/hostile/bombs-settings.ts';
import { mixedBomb, tokenizerBombs } from '../../test/rig/hostile/bombs-tokenizers.ts';
import { goldenCheckpoints, hostileCheckpoints } from '../../test/rig/hostile/checkpoints.ts';
import { hostileCommands } from '../../test/rig/hostile/commands.ts';
import { replaceFiles, soundFolder } from '../../test/rig/hostile/folder.ts';
import { hostileGraphs } from '../../test/rig/hostile/graphs.ts';
import { spoiledJson } from '../../test/rig/hostile/json.ts';
import { checkpointMutations, type Mutation, modelMutations } from '../../test/rig/hostile/mutations.ts';
import { tryTable } from '../../test/rig/hostile/on-tables.ts';
import { type Ended, faultsOf, runWatched } from '../../test/rig/hostile/run.ts';
import { oddTables, spoiledTables } from '../../test/rig/hostile/tables.ts';

/** What one command may take of a file that is not worth it. */
const MOST_SECONDS = 3;
const MOST_BYTES = 500e6;

const sets = ['graphs', 'checkpoints', 'mutations', 'bombs'] as const;

/** A folder that a stranger could send, and the commands that read it. */
interface Attack {
  readonly name: string;
  readonly set: (typeof sets)[number];
  /** A sound folder to start from. */
  readonly from: string;
  readonly spoil: (folder: string) => void;
  readonly commands: (folder: string, out: string) => readonly (readonly string[])[];
}

const onModel = (folder: string, out: string) => [
  ['inspect', folder],
  ['predict', folder, 'a text of some words', '--json'],
  ['export', folder, out],
];
const onCheckpoint = (folder: string, out: string) => [['export', folder, out]];

const mutated = (from: string, mutations: readonly Mutation[], commands: Attack['commands']): readonly Attack[] =>
  mutations.map(({ name, file, damage }) => ({
    name,
    set: 'mutations',
    from,
    spoil: (folder) => replaceFiles(folder, { [file]: damage(readFileSync(join(folder, file))) }),
    commands,
  }));

const MIXED = 200;

/** No class speaks of this tokenizer, so that all of it counts. */
const plainClass = JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', model_max_length: 64 });

const bombsOn = (sound: string): readonly Attack[] => {
  const bert = join(goldenCheckpoints, 'bert');
  const tokenizers = [...tokenizerBombs, ...Array.from({ length: MIXED }, (_, seed) => mixedBomb(seed))];
  const spoilTokenizer = (folder: string, bomb: (typeof tokenizers)[number]): void => {
    const text = readFileSync(join(folder, 'tokenizer.json'), 'utf8');
    replaceFiles(folder, { 'tokenizer.json': JSON.stringify(bomb.spoil(JSON.parse(text))) });
  };
  return [
    ...tokenizers.flatMap((bomb): readonly Attack[] => [
      {
        ...{ name: bomb.name, set: 'bombs', from: sound, commands: onModel },
        spoil: (folder) => spoilTokenizer(folder, bomb),
      },
      {
        ...{ name: bomb.name, set: 'bombs', from: bert, commands: onCheckpoint },
        spoil: (folder) => {
          spoilTokenizer(folder, bomb);
          replaceFiles(folder, { 'tokenizer_config.json': plainClass });
        },
      },
    ]),
    ...settingsBombs.map(
      ({ name, golden, file, spoil }): Attack => ({
        ...{ name, set: 'bombs', from: golden === 'sound' ? sound : join(goldenCheckpoints, golden) },
        spoil: (folder) => {
          const path = join(folder, file);
          replaceFiles(folder, { [file]: spoil(existsSync(path) ? readFileSync(path, 'utf8') : undefined) });
        },
        commands: golden === 'sound' ? onModel : onCheckpoint,
      }),
    ),
  ];
};

const attacksOn = (sound: string): readonly Attack[] => [
  ...hostileGraphs.map(({ name, bytes, beside = {} }) => ({
    name,
    set: 'graphs' as const,
    from: sound,
    spoil: (folder: string) => replaceFiles(folder, { 'model.onnx': bytes(), ...beside }),
    commands: onModel,
  })),
  ...hostileCheckpoints.map(({ name, golden, spoil }) => ({
    name,
    set: 'checkpoints' as const,
    from: join(goldenCheckpoints, golden),
    spoil,
    commands: onCheckpoint,
  })),
  ...mutated(sound, modelMutations, onModel),
  ...mutated(join(goldenCheckpoints, 'bert'), checkpointMutations, onCheckpoint),
  ...bombsOn(sound),
];

/** Time of the processors, where the system tells it: the machine has other work, too. */
const secondsOf = ({ cpuSeconds, seconds }: Ended): number => cpuSeconds || seconds;

const costsOf = (ended: Ended): readonly string[] => [
  ...(secondsOf(ended) > MOST_SECONDS ? [`${secondsOf(ended).toFixed(1)} s`] : []),
  ...(ended.peakBytes > MOST_BYTES ? [`${Math.round(ended.peakBytes / 1e6)} MB`] : []),
];

interface Tally {
  commands: number;
  seconds: number;
  peakBytes: number;
  readonly faults: string[];
}

/** Counts a command; what was wrong with it in one line, if anything. */
const count = (tally: Tally, called: string, ended: Ended, faults: readonly string[]): string | undefined => {
  tally.commands++;
  tally.seconds = Math.max(tally.seconds, secondsOf(ended));
  tally.peakBytes = Math.max(tally.peakBytes, ended.peakBytes);
  const all = [...faults, ...costsOf(ended)];
  if (all.length === 0) return undefined;
  const fault = `${called}: ${all.join(', ')}`;
  tally.faults.push(fault);
  return fault;
};

const attack = async ({ name, from, spoil, commands }: Attack, space: string, tally: Tally): Promise<void> => {
  const [folder, out] = [join(space, 'folder'), join(space, 'out')];
  rmSync(folder, { recursive: true, force: true });
  cpSync(from, folder, { recursive: true });
  spoil(folder);
  for (const args of commands(folder, out)) {
    rmSync(out, { recursive: true, force: true });
    const ended = await runWatched(args, space);
    const fault = count(tally, `${name}, ${args[0]}`, ended, faultsOf(ended));
    if (fault !== undefined) console.log(`${fault}\n  ${JSON.stringify((ended.stderr || ended.stdout).slice(0, 300))}`);
  }
};

const report = (set: string, attacks: number, { commands, seconds, peakBytes, faults }: Tally): void => {
  const worst = `slowest ${seconds.toFixed(1)} s, largest ${Math.round(peakBytes / 1e6)} MB`;
  console.log(`${set}: ${attacks} attacks, ${commands} commands, ${worst}, ${faults.length} faults`);
};

const REPORTS = 300;
const reportCommands = [
  ['report', 'b.json'],
  ['report', 'b.json', '--format', 'html', '--out', 'page.html'],
  ['report', 'b.json', '--format', 'csv'],
  ['diff', 'a.json', 'b.json'],
  ['diff', 'b.json', 'a.json', '--format', 'md'],
] as const;

/** Reports with one value changed, and no checksum that would tell. Their documents have nulls where there is no figure. */
const attackReports = async (space: string): Promise<void> => {
  const commands = hostileCommands();
  const tally: Tally = { commands: 0, seconds: 0, peakBytes: 0, faults: [] };
  const sound = JSON.stringify(fullReport());
  writeFileSync(join(space, 'a.json'), sound);
  for (let seed = 0; seed < REPORTS; seed++) {
    writeFileSync(join(space, 'b.json'), spoiledJson(sound, stream(seed, 'report')));
    for (const args of reportCommands) {
      const ended = await commands.run(args, space);
      count(tally, `report ${seed}, ${args.join(' ')}`, ended, faultsOf(ended));
    }
  }
  await commands[Symbol.asyncDispose]();
  for (const fault of tally.faults) console.log(fault);
  report('reports', REPORTS, tally);
  if (tally.faults.length > 0) process.exitCode = 1;
};

const SPOILED_TABLES = 100;

/** Files of texts: init looks at each, and what it wrote is validated. */
const attackTables = async (space: string): Promise<void> => {
  const commands = hostileCommands();
  const tally: Tally = { commands: 0, seconds: 0, peakBytes: 0, faults: [] };
  const tables = [...oddTables, ...spoiledTables(SPOILED_TABLES)];
  for (const table of tables) {
    for (const { command, ended, faults } of await tryTable(table, commands, space)) {
      count(tally, `${table.name}, ${command}`, ended, faults);
    }
  }
  await commands[Symbol.asyncDispose]();
  for (const fault of tally.faults) console.log(fault);
  report('tables', tables.length, tally);
  if (tally.faults.length > 0) process.exitCode = 1;
};

/** Every hostile graph, checkpoint and mutation through the command line: no stack, no crash, no answer that is no number. */
export const benchHostile = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, from: { type: 'string', default: '0' } },
  });
  const space = mkdtempSync(join(tmpdir(), 'decant-hostile-'));
  try {
    const attacks = attacksOn(await soundFolder(join(space, 'sound')));
    for (const set of sets) {
      if (values.only !== undefined && values.only !== set) continue;
      const own = attacks.filter((one) => one.set === set).slice(Number(values.from));
      const tally: Tally = { commands: 0, seconds: 0, peakBytes: 0, faults: [] };
      for (const one of own) await attack(one, space, tally);
      report(set, own.length, tally);
      if (tally.faults.length > 0) process.exitCode = 1;
    }
    if (values.only === undefined || values.only === 'reports') await attackReports(space);
    if (values.only === undefined || values.only === 'tables') await attackTables(space);
  } finally {
    rmSync(space, { recursive: true, force: true });
  }
};
