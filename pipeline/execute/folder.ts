import { copyFile, link, mkdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InputArtifact } from '../../ground/artifact.ts';
import { readText } from '../../ground/whole-file.ts';
import type { Placed } from '../../reports/placed.ts';
import type { RunSummary, StepSummary } from '../../reports/record.ts';
import { recordFiles, recordText } from '../../reports/records.ts';
import type { Report } from '../../reports/report.ts';
import { RESULTS_PLACEHOLDER } from '../../stages/export/placeholder.ts';
import type { Plan } from '../plan/plan.ts';
import { replaceFile, writeWhole } from '../store/atomic.ts';
import { listFiles } from '../store/hash.ts';
import { notePlaced } from './placed.ts';

const sameFile = async (a: string, b: string): Promise<boolean> => {
  const [first, second] = await Promise.all([stat(a), stat(b)].map((promise) => promise.catch(() => undefined)));
  return first !== undefined && first.ino === second?.ino && first.dev === second.dev;
};

/** A hard link, or a copy where the file system has none; replaces what was there at once. */
const place = async (from: string, to: string, copy: boolean): Promise<void> => {
  await mkdir(dirname(to), { recursive: true });
  if (!copy && (await sameFile(from, to))) return;
  await replaceFile(to, async (temporary) => {
    if (copy) await copyFile(from, temporary);
    else await link(from, temporary).catch(() => copyFile(from, temporary));
  });
};

/** Makes a folder hold exactly the files of an artifact. */
const materialize = async (folder: string, { artifact, path }: InputArtifact, copy: boolean): Promise<void> => {
  await mkdir(folder, { recursive: true });
  const files = Object.keys(artifact.files);
  for (const file of files) await place(path(file), join(folder, file), copy);
  for (const file of await listFiles(folder)) {
    if (!files.includes(file)) await rm(join(folder, file), { force: true });
  }
};

/** The card of an exported folder gets figures, and is a text that its owner may write on. */
const CARD = 'README.md';

const filesOf = ({ artifact }: InputArtifact): Placed[string] =>
  Object.fromEntries(Object.entries(artifact.files).filter(([file]) => file !== CARD));

/** Puts every finished stage's result into the run's folder: models as links to the store, deploy folders as copies. */
export const placeResults = async (out: string, plan: Plan, steps: ReadonlyMap<string, StepSummary>): Promise<void> => {
  const placed: Record<string, Placed[string]> = {};
  for (const { id } of plan.stages) {
    for (const output of Object.values(steps.get(id)?.outputs ?? {})) {
      const { kind } = output.artifact;
      if (kind !== 'model' && kind !== 'folder') continue;
      const folder = kind === 'model' ? `models/${id}` : id;
      await materialize(join(out, folder), output, kind === 'folder');
      placed[folder] = filesOf(output);
    }
  }
  await notePlaced(out, placed);
};

/** Puts what the report was made from beside it, as links to the store. */
export const placeRecords = async (out: string, run: RunSummary): Promise<void> => {
  for (const { from, to } of recordFiles(run)) await place(from, join(out, to), false);
};

const writeSummary = async (out: string, run: RunSummary): Promise<void> => {
  const { file, text } = recordText(run);
  await mkdir(dirname(join(out, file)), { recursive: true });
  await writeWhole(join(out, file), text);
};

/** The card of an exported folder was stored before anything was measured: its copy in the run gets the figures. */
export const writeCards = async (out: string, report: Report): Promise<void> => {
  for (const stage of report.stages) {
    const file = join(out, stage.id, CARD);
    const card = stage.model === null ? await readText(file).catch(() => undefined) : undefined;
    if (card === undefined) continue;
    const { cardWithFigures } = await import('../../reports/card.ts');
    await writeWhole(file, cardWithFigures(card, RESULTS_PLACEHOLDER, report, stage));
  }
};

/** Writes the report in all its forms, and the summary that it was made from. */
export const writeReports = async (out: string, run: RunSummary, report: Report): Promise<void> => {
  await writeSummary(out, run);
  const { reportJson } = await import('../../reports/schema/index.ts');
  await writeWhole(join(out, 'report.json'), `${JSON.stringify(reportJson(report), null, 2)}\n`);
  const { renderMarkdown } = await import('../../reports/markdown.ts');
  await writeWhole(join(out, 'report.md'), renderMarkdown(report));
  const { renderHtml } = await import('../../reports/html/page.ts');
  await writeWhole(join(out, 'report.html'), await renderHtml(report));
};
