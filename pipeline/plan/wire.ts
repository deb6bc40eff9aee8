import { anyEngine, defaultEngine } from '../../engine/engines/index.ts';
import type { Json } from '../../ground/json.ts';
import { isRecord } from '../../ground/records.ts';
import type { Place } from '../../stages/place.ts';
import type { AnyStage, ModelRole, Ref, Wiring } from '../../stages/stage.ts';
import { type Catalogue, stageOf } from '../catalogue.ts';
import type { Diagnostic } from '../diagnostic.ts';
import { type Checked, type CheckedStage, unknownStage } from '../yaml/check.ts';
import type { Located, Path } from '../yaml/document.ts';
import { describeValue } from '../yaml/values.ts';
import { outOfOrder, type Reference } from './order.ts';
import type { Plan, PlannedStage, Step } from './plan.ts';

/** A configuration as plain JSON: what YAML gives already is, apart from values that JSON does not have. */
const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? {}));

const makesDataset = ({ makes }: Pick<AnyStage, 'makes'>): boolean => makes === 'dataset';

/** Id of the step that reads the data. */
const datasetStep = ({ stages }: Catalogue): string =>
  stages.find((stage) => stage.place === 'data' && makesDataset(stage))?.uses ?? '';

/** An engine by name, or the step that will choose one. */
type Engine = NonNullable<Step['engine']>;

/** What a step's graphs run on, where its stage heeds that and it is not the CPU. */
const engineOf = (stage: AnyStage, engine: Engine): Pick<Step, 'engine'> =>
  stage.choosesEngine === true && engine !== defaultEngine ? { engine } : {};

/** Who asks for steps. */
interface Surroundings {
  readonly helpers: string[];
  readonly before: (() => Ref) | undefined;
  readonly id?: string;
  readonly engine: Engine;
}

/** Connects stages: resolves names, collects steps that stages ask for once, and keeps every problem. */
class Planner {
  readonly steps: Step[] = [];
  readonly stages: PlannedStage[] = [];
  readonly problems: Diagnostic[] = [];
  private readonly references: Reference[] = [];
  private readonly shared = new Map<string, Step>();
  private readonly checked: Checked;
  private readonly located: Located;
  private readonly catalogue: Catalogue;

  constructor(checked: Checked, located: Located, catalogue: Catalogue) {
    this.checked = checked;
    this.located = located;
    this.catalogue = catalogue;
  }

  plan(): void {
    // Whoever asks for the dataset finds it in the plan, before other steps over the data.
    for (const stage of this.at('data').toSorted((a, b) => Number(makesDataset(b)) - Number(makesDataset(a)))) {
      this.automatic(stage, stage.uses, {});
    }
    for (const stage of this.checked.stages) this.addStage(stage);
    this.problems.push(...outOfOrder(this.references, this.checked.stages, this.located));
    const models = this.checked.stages.filter(({ stage }) => stage.makes === 'model').map(({ id }) => id);
    const inputs = Object.fromEntries(models.map((id) => [id, { step: id, output: 'model' }]));
    if (models.length > 0) for (const stage of this.at('all-models')) this.automatic(stage, stage.uses, inputs);
  }

  private at(place: Place): readonly AnyStage[] {
    return this.catalogue.stages.filter((stage) => stage.place === place);
  }

  /** The step of a stage that nobody wrote down, where the file does not leave it out. */
  private automatic(
    stage: AnyStage,
    id: string,
    inputs: Step['inputs'],
    model: ModelRole = { meetsClients: false },
    engine: Engine = defaultEngine,
  ): readonly string[] {
    const options = stage.automatic?.options(this.checked.sections, model);
    return options === undefined ? [] : [this.internal(stage, id, toJson(options), inputs, engine).id];
  }

  /** Adds a step that no one wrote down; its stage wires what else it needs. */
  private internal(stage: AnyStage, id: string, config: Json, inputs: Step['inputs'], engine: Engine): Step {
    const { uses, place } = stage;
    const wiring = this.wiring([], { helpers: [], before: undefined, engine });
    // A section with wrong options is a problem of the file already.
    const wired = stage.config.safeParse(config).success ? stage.wire(config, wiring) : {};
    const step = { id, uses, place, config, inputs: { ...wired, ...inputs }, ...engineOf(stage, engine) };
    this.steps.push(step);
    return step;
  }

  private addStage(item: CheckedStage): void {
    const { id, stage, config } = item;
    const helpers: string[] = [];
    const base: Path = ['stages', item.index];
    let used = false;
    const before = (): Ref => {
      used = true;
      return this.single(item);
    };
    const wiring = this.wiring(base, { helpers, before, id, engine: item.engine });
    const wired = config === undefined ? {} : stage.wire(config, wiring);
    const inputs = { ...wired, ...this.fromInputs(item, wired, before) };
    // A stage with wrong options is not wired; what it names is checked all the same.
    if (config === undefined && typeof item.from === 'string' && !used) before();
    if (item.from !== undefined && stage.from?.length === 0 && !used && config !== undefined) {
      const message = `stage "${id}" (${stage.uses}) takes no model with these options; "from" has no meaning`;
      this.problem('needless-from', message, this.located.key([...base, 'from']));
    }
    for (const [name, { step }] of Object.entries(inputs)) this.checkStored(item, name, step);
    const engine = this.engineFor(item, inputs, helpers);
    const step = { id, uses: stage.uses, place: stage.place, config: toJson(config), inputs };
    this.steps.push({ ...step, ...engineOf(stage, engine) });
    const about = stage.makes === 'model' ? this.stepsAbout(item, inputs, engine) : [];
    this.stages.push({ id, uses: stage.uses, inputs: this.stageIds(inputs), helpers, about });
  }

  /** The engine that a stage names; of any engine the one that a step before it chooses, where it trains. */
  private engineFor({ id, stage, config, engine }: CheckedStage, inputs: Step['inputs'], helpers: string[]): Engine {
    if (engine !== anyEngine) return engine;
    const chooser = this.at('asked').find(({ makes }) => makes === 'choice');
    if (chooser === undefined || config === undefined || stage.trains?.when(config) !== true) return defaultEngine;
    const options = { stage: stage.uses, options: toJson(config) };
    const step = this.internal(chooser, `${id}/${chooser.uses}`, options, inputs, defaultEngine);
    helpers.push(step.id);
    return { step: step.id, output: chooser.makes };
  }

  /** Where a model is asked of which nothing is said: where it was trained. */
  private placeOf({ model }: Step['inputs']): Engine {
    return this.steps.find(({ id }) => id === model?.step)?.engine ?? defaultEngine;
  }

  /** What every model is put through. */
  private stepsAbout(item: CheckedStage, inputs: Step['inputs'], runsOn: Engine): readonly string[] {
    const model = { step: item.id, output: 'model' };
    const role = { meetsClients: this.meetsClients(item, inputs) };
    // Kernels of integers are the CPU's.
    const engine = item.stage.stores === 'fewer bits' ? defaultEngine : runsOn;
    return this.at('each-model').flatMap((stage) =>
      this.automatic(stage, `${item.id}/${stage.uses}`, { model }, role, engine),
    );
  }

  /** Models that a chain begins with, and those that are exported; between them lies nothing that a client reads. */
  private meetsClients({ id }: CheckedStage, inputs: Step['inputs']): boolean {
    const { stages } = this.checked;
    const isExported = stages.some(({ stage: { makes }, from }, i) => {
      const named = isRecord(from) ? Object.values(from) : [from ?? stages[i - 1]?.id];
      return makes !== 'model' && named.includes(id);
    });
    return isExported || !('model' in inputs);
  }

  /** Whether weights are floats or integers is known from the stages alone, long before a step would refuse them. */
  private checkStored({ id, stage, from, index }: CheckedStage, name: string, source: string): void {
    const wanted = stage.takes?.[name];
    const maker = this.checked.stages.find((candidate) => candidate.id === source)?.stage;
    const stored = maker?.stores ?? 'floats';
    if (wanted === undefined || maker === undefined || stored === wanted) return;
    const path = from === undefined ? [] : isRecord(from) ? ['from', name] : ['from'];
    const input = isRecord(from) ? `"${id}" (${stage.uses}) as ${name}` : `"${id}" (${stage.uses})`;
    const message = `stage "${source}" (${maker.uses}) stores its weights in ${stored}; ${input} takes ${wanted}`;
    const hint = wanted === 'floats' ? 'name the stage before it with from' : 'name a quantize stage';
    this.problem('wrong-weights', message, this.located.at(['stages', index, ...path]), [hint]);
  }

  /** Stage ids behind inputs; the model behind an internal step stands for it. */
  private stageIds(inputs: Step['inputs']): Record<string, string> {
    const ids = new Set(this.checked.stages.map(({ id }) => id));
    const behind = ({ step }: Ref): string | undefined => {
      if (ids.has(step)) return step;
      const model = this.steps.find(({ id }) => id === step)?.inputs.model;
      return model !== undefined && ids.has(model.step) ? model.step : undefined;
    };
    const found = Object.entries(inputs).map(([name, ref]) => [name, behind(ref)] as const);
    return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== undefined));
  }

  /** The inputs that `from` names. */
  private fromInputs(item: CheckedStage, wired: Step['inputs'], before: () => Ref): Step['inputs'] {
    const names = item.stage.from ?? ['model'];
    const [first] = names;
    if (first === undefined) return {};
    if (!isRecord(item.from)) return names.some((name) => name in wired) ? {} : { [first]: before() };
    const base: Path = ['stages', item.index, 'from'];
    if (names.length === 1) {
      this.problem(
        'wrong-type',
        `from is a mapping; expected a stage id: "${item.id}" takes one model`,
        this.located.at(base),
      );
      return {};
    }
    const entries = Object.entries(item.from).flatMap(([name, id]) => {
      const path = [...base, name];
      if (!names.includes(name)) {
        const hints = [`inputs: ${names.join(', ')}`];
        const message = `stage "${item.id}" (${item.stage.uses}) has no input "${name}"`;
        this.problem('unknown-key', message, this.located.key(path), hints);
        return [];
      }
      return [[name, this.model(item.id, id, path)] as const];
    });
    if (Object.keys(item.from).length === 0) {
      this.problem('missing-key', 'from names no input', this.located.at(base), [`inputs: ${names.join(', ')}`]);
    }
    return Object.fromEntries(entries);
  }

  /** The model of `from: id`, or of the stage before. */
  private single(item: CheckedStage): Ref {
    const base: Path = ['stages', item.index];
    if (item.from !== undefined) return this.model(item.id, item.from, [...base, 'from']);
    const earlier = this.checked.stages.filter(({ index, stage }) => index < item.index && stage.makes === 'model');
    const previous = earlier.at(-1);
    if (previous === undefined) {
      const message = `stage "${item.id}" (${item.stage.uses}) needs a model and no stage before it makes one`;
      this.problem('missing-from', message, this.located.at(base), [
        'start with a stage that makes a model, such as import',
      ]);
    }
    return { step: previous?.id ?? '', output: 'model' };
  }

  private model(from: string, id: unknown, path: Path): Ref {
    const span = this.located.at(path);
    const target = this.checked.stages.find((stage) => stage.id === id);
    if (typeof id !== 'string') {
      this.problem('wrong-type', `${String(path.at(-1))} is ${describeValue(id)}; expected a stage id`, span);
    } else if (target === undefined) {
      // A stage whose own kind is unknown exists all the same.
      const at = this.checked.stages.find((stage) => stage.id === from)?.index ?? 0;
      const written = this.located.value;
      const items = isRecord(written) && Array.isArray(written.stages) ? written.stages : [];
      const ids = items.map((item, i) => (isRecord(item) && i < at ? item.id : undefined));
      if (!ids.includes(id)) {
        const known = ids.filter((known): known is string => typeof known === 'string');
        this.problems.push(unknownStage(id, known, span));
      }
    } else if (target.stage.makes !== 'model') {
      this.problem('not-a-model', `stage "${id}" (${target.stage.uses}) makes no model`, span);
    } else {
      this.references.push({ from, to: id, path });
    }
    return { step: typeof id === 'string' ? id : '', output: 'model' };
  }

  private wiring(base: Path, { helpers, before, id = '', engine }: Surroundings): Wiring {
    return {
      model: (target, path) => this.model(id, target, [...base, ...path]),
      previous: () => before?.() ?? { step: '', output: 'model' },
      dataset: () => ({ step: datasetStep(this.catalogue), output: 'dataset' }),
      task: this.checked.task,
      step: (uses, config, inputs) => {
        const step = this.helper(id, uses, config, inputs, engine);
        helpers.push(step.id);
        return { step: step.id, output: stageOf(this.catalogue, uses)?.makes ?? 'model' };
      },
      problem: (path, message) => this.problem('bad-value', message, this.located.at([...base, ...path])),
    };
  }

  private helper(stage: string, uses: string, config: Json, inputs: Step['inputs'], asked: Engine): Step {
    const engine = asked === anyEngine ? this.placeOf(inputs) : asked;
    const key = JSON.stringify([uses, config, inputs, engine]);
    const known = this.shared.get(key);
    if (known !== undefined) return known;
    const same = this.steps.filter(({ id }) => id.startsWith(`${stage}/${uses}`)).length;
    const id = same === 0 ? `${stage}/${uses}` : `${stage}/${uses}-${same + 1}`;
    const maker = stageOf(this.catalogue, uses);
    if (maker === undefined) throw new Error(`no step is called "${uses}"`);
    const step = this.internal(maker, id, config, inputs, engine);
    this.shared.set(key, step);
    return step;
  }

  private problem(code: string, message: string, span: Diagnostic['span'], hints: readonly string[] = []): void {
    this.problems.push({ code, message, span, hints });
  }
}

/** The steps of a checked file, and every problem of connecting them. */
export const planOf = (
  checked: Checked,
  located: Located,
  catalogue: Catalogue,
  base: string,
): { readonly plan: Omit<Plan, 'yaml' | 'overrides'>; readonly problems: readonly Diagnostic[] } => {
  const planner = new Planner(checked, located, catalogue);
  planner.plan();
  const data = isRecord(checked.data) ? String(checked.data.uses ?? '') : '';
  const { steps, stages, problems } = planner;
  const { name, seeds, gates, log } = checked;
  const dataset = datasetStep(catalogue);
  const file = { name, seed: seeds[0], seeds, data, dataset, base, steps, stages, gates };
  return { plan: log === undefined ? file : { ...file, log }, problems };
};
