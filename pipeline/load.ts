import { dirname, resolve } from 'node:path';
import type { Document, Node } from 'yaml';
import type { Catalogue } from './catalogue.ts';
import { type Diagnostic, requestProblems, type Source } from './diagnostic.ts';
import { looksOutside } from './outside.ts';
import { lineagesOf } from './plan/members.ts';
import { isReserved, type Plan } from './plan/plan.ts';
import { planOf } from './plan/wire.ts';
import { checkFile } from './yaml/check.ts';
import { type Located, locate, parseYaml } from './yaml/document.ts';
import { applyOverrides, applySettings } from './yaml/overrides.ts';
import { readSource } from './yaml/source.ts';
import { overridesOf, settingsOf, type Variant, variantsIn } from './yaml/variants.ts';

/** Problems after which the rest of the file still means what it says. */
const harmless = ({ code }: Diagnostic): boolean => code === 'duplicate-key' || code === 'unknown-tag';

/** What plans are made from. */
interface Request {
  readonly source: Source;
  readonly settings: readonly string[];
  readonly base: string;
  readonly catalogue: Catalogue;
}

interface Read {
  readonly document: Document.Parsed;
  readonly origins: Map<Node, Source>;
  readonly problems: readonly Diagnostic[];
}

/** The file with the --set values; throws where it is no YAML. */
const readWith = ({ source, settings }: Request): Read => {
  const { document, problems: syntax } = parseYaml(source);
  if (syntax.some((problem) => !harmless(problem))) throw requestProblems(syntax);
  const origins = new Map<Node, Source>();
  return { document, origins, problems: [...syntax, ...applyOverrides(document, settings, origins)] };
};

/** A plan as far as the file alone tells it, and what is wrong with that. */
interface Draft {
  readonly plan: Plan;
  readonly located: Located;
  readonly problems: readonly Diagnostic[];
}

const located = ({ document, origins, problems }: Read, { source }: Request): Omit<Draft, 'plan'> => {
  const { located: at, problems: unfolding } = locate(document, source, origins);
  if (unfolding.length > 0) throw requestProblems([...problems, ...unfolding]);
  return { located: at, problems };
};

const draftOf = (read: Read, request: Request, overrides: readonly string[]): Draft => {
  const { source, base, catalogue } = request;
  const { located: at, problems: early } = located(read, request);
  const checked = checkFile(at, catalogue);
  const { plan, problems: wiring } = planOf(checked, at, catalogue, base);
  const problems = [...early, ...checked.problems, ...wiring];
  return { plan: { ...plan, yaml: source.text, overrides }, located: at, problems };
};

/** A recipe of the file: --set values hold in all of them, also where a recipe has another one. */
const draftOfVariant = (variant: Variant, variants: readonly string[], request: Request): Draft => {
  const { settings } = request;
  const read = readWith(request);
  const { document, origins } = read;
  const own = applySettings(document, settingsOf(variant, document, request.source, origins), origins);
  const again = applyOverrides(document, settings, origins);
  const draft = draftOf({ ...read, problems: [...read.problems, ...own, ...again] }, request, [
    ...overridesOf(variant),
    ...settings,
  ]);
  return { ...draft, plan: { ...draft.plan, variant: variant.id, variants } };
};

const placeOf = ({ code, message, span }: Diagnostic): string =>
  JSON.stringify([code, message, span.source.name, span.start]);

/** Each problem once; one that only some recipes have names the first of them. */
const ofAll = (drafts: readonly Draft[]): readonly Diagnostic[] => {
  const first = new Map<string, { readonly problem: Diagnostic; readonly variant: string; count: number }>();
  for (const { plan, problems } of drafts) {
    for (const [key, problem] of new Map(problems.map((one) => [placeOf(one), one]))) {
      const known = first.get(key);
      if (known === undefined) first.set(key, { problem, variant: plan.variant ?? '', count: 1 });
      else known.count++;
    }
  }
  return [...first.values()].map(({ problem, variant, count }) =>
    count === drafts.length ? problem : { ...problem, hints: [...problem.hints, `in the variant "${variant}"`] },
  );
};

const stageIds = ({ plan }: Draft): readonly string[] => plan.stages.map(({ id }) => id);

/** A stage that only some recipes have has nothing to stand beside; and recipes that are equal are no two. */
const comparedWith = (
  drafts: readonly Draft[],
  variants: readonly Variant[],
  { catalogue }: Request,
): readonly Diagnostic[] => {
  const sums = drafts.map(({ plan }) => [...lineagesOf(plan, catalogue).values()].toSorted().join());
  return drafts.flatMap((draft, i): readonly Diagnostic[] => {
    const [first, at] = [drafts[0], variants[i]?.at ?? []];
    const problem = (code: string, message: string, hint: string): Diagnostic => ({
      ...{ code, message, span: draft.located.at(at), hints: [hint] },
    });
    const [mine, theirs] = [stageIds(draft), first === undefined ? [] : stageIds(first)];
    const lacking = theirs.find((id) => !mine.includes(id));
    const more = mine.find((id) => !theirs.includes(id));
    const [own, other] = [draft.plan.variant, first?.plan.variant];
    if (lacking !== undefined || more !== undefined) {
      const [without, having] = lacking === undefined ? [other, own] : [own, other];
      const message = `variant "${without}" has no stage "${lacking ?? more}", which "${having}" has`;
      return [problem('other-stages', message, 'give all variants the same stages, and leave one out with from')];
    }
    const same = sums.indexOf(sums[i] ?? '');
    if (same === i) return [];
    const message = `variant "${own}" comes to the same as "${drafts[same]?.plan.variant}"`;
    return [problem('same-variant', message, 'expected values that differ: some may be the defaults')];
  });
};

type Drafts = readonly [Draft, ...Draft[]];

/** What the file comes to: one draft, or one a variant. Throws every problem that it shows by itself. */
const draftsOf = (request: Request): Drafts => {
  const read = readWith(request);
  const { located: at } = located(read, request);
  const whole = (): Draft => draftOf(read, request, request.settings);
  const taken = new Set(whole().plan.stages.map(({ id }) => id));
  const { variants, problems } = variantsIn(at, (id) => taken.has(id) || isReserved(id, request.catalogue));
  const ids = variants.map(({ id }) => id);
  const [first, ...others] = problems.length > 0 ? [] : variants.map((one) => draftOfVariant(one, ids, request));
  const drafts: Drafts = first === undefined ? [whole()] : [first, ...others];
  const found = [...problems, ...ofAll(drafts)];
  const all = found.length > 0 ? found : comparedWith(first === undefined ? [] : drafts, variants, request);
  if (all.length > 0) throw requestProblems(all);
  return drafts;
};

/** Answers a question about the data once, however many recipes ask it. */
const askedOnce = (catalogue: Catalogue): Catalogue => {
  const known = new Map<string, unknown>();
  const once =
    <Answer>(name: string, ask: (config: unknown, base: string) => Answer) =>
    (config: unknown, base: string): Answer => {
      const key = JSON.stringify([name, config, base]);
      if (!known.has(key)) known.set(key, ask(config, base));
      return known.get(key) as Answer;
    };
  const { checkData, lookAtData } = catalogue;
  return {
    ...catalogue,
    checkData: once('check', checkData),
    ...(lookAtData === undefined ? {} : { lookAtData: once('look', lookAtData) }),
  };
};

export type Plans = readonly [Plan, ...Plan[]];

/**
 * Reads a pipeline file with `--set` overrides into a plan, or one for each of its variants; throws every problem at once;
 * `remark` hears what is none.
 */
export const loadPipelines = async (
  file: string,
  settings: readonly string[],
  catalogue: Catalogue,
  remark: (text: string) => void = () => {},
): Promise<Plans> => {
  const request = { source: await readSource(file), settings, base: dirname(resolve(file)), catalogue };
  const [first, ...others] = draftsOf(request);
  const outside: Draft[] = [];
  const said = new Set<string>();
  const once = askedOnce(catalogue);
  for (const draft of [first, ...others]) {
    const problems = await looksOutside(draft.plan, draft.located, once, (text) => void said.add(text));
    outside.push({ ...draft, problems });
  }
  for (const text of said) remark(text);
  const problems = ofAll(outside);
  if (problems.length > 0) throw requestProblems(problems);
  return [first.plan, ...others.map(({ plan }) => plan)];
};

/** The plan of a file; the first, where it has variants. */
export const loadPipeline = async (...given: Parameters<typeof loadPipelines>): Promise<Plan> =>
  (await loadPipelines(...given))[0];
