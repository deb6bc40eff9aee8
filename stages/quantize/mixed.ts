import { withCorrections } from '../../engine/layerwise/corrections.ts';
import { encodedBytes } from '../../graph/codec/index.ts';
import type { Graph, Value } from '../../graph/graph.ts';
import { blockwise } from '../../graph/quantize/blockwise.ts';
import { chooseWeights, type QuantizeOptions, type Storage } from '../../graph/quantize/choose.ts';
import { type Quantized, quantizeWeights } from '../../graph/quantize/index.ts';
import { type Assigned, costOf, harmOf, pathOf, standing, stepsWithin } from '../knapsack.ts';
import type { RoundedProducts } from './blocks.ts';
import { type Budget, expectReachable, unreachable } from './budget.ts';
import type { Drop, DropJudge } from './drops.ts';
import { type Rung, type Site, type Step, throughBlocks } from './knapsack.ts';
import { laddersOf } from './ladders.ts';
import { fewestHolding } from './search.ts';
import type { Harms } from './sensitivity.ts';

export interface MixedRequest {
  readonly graph: Graph;
  readonly options: QuantizeOptions;
  readonly budget: Budget;
  readonly harms: Harms;
  /** Judges whole files, where a loss is asked for. */
  readonly drops?: DropJudge | undefined;
  /** Rounds what is stored in few bits. */
  round(options: QuantizeOptions): Promise<RoundedProducts>;
  /** The graph as it is written. */
  stored(quantized: Quantized): Graph;
  onWeight(done: number, total: number): void;
}

/** A place on the path from the fewest bytes to the least harm. */
interface Point {
  /** Of the file: by what each weight takes, or as it was made. */
  readonly bytes: number;
  /** By the sum of what each weight loses alone. */
  readonly predicted: number;
  /** On held-out texts, where it was verified. */
  readonly drop?: Drop;
}

/** Which weights are stored how, and why. */
export interface Mixed {
  readonly sites: readonly Site[];
  readonly assigned: Assigned<Value>;
  /** What all weights in the fewest bits lose together. */
  readonly whole: number;
  readonly predicted: number;
  readonly reached: number;
  readonly bytes: number;
  readonly curve: readonly Point[];
  readonly drop?: Drop;
}

/** Every weight in blocks, by the rung that it stands on. */
class Stock {
  readonly #request: MixedRequest;
  readonly ladders: ReadonlyMap<Value, readonly Storage[]>;
  readonly #rungs: readonly RoundedProducts[];

  private constructor(request: MixedRequest, ladders: Stock['ladders'], rungs: readonly RoundedProducts[]) {
    this.#request = request;
    this.ladders = ladders;
    this.#rungs = rungs;
  }

  static async of(request: MixedRequest): Promise<Stock> {
    const { graph, options } = request;
    const ladders = laddersOf(graph, options);
    const rungs: RoundedProducts[] = [];
    const most = Math.max(0, ...[...ladders.values()].map(({ length }) => length));
    for (let rung = 0; rung < most; rung++) rungs.push(await Stock.#rounded(request, ladders, rung));
    return new Stock(request, ladders, rungs);
  }

  /** Few bits are rounded by what they are multiplied by; 8 are near enough. */
  static async #rounded(request: MixedRequest, ladders: Stock['ladders'], rung: number): Promise<RoundedProducts> {
    const { graph, options, round } = request;
    const storages = new Map([...ladders].map(([name, ladder]) => [name, ladder[rung] ?? 'float'] as const));
    const at = { ...options, storages };
    const isFine = [...storages.values()].every((storage) => storage === 'float' || storage.bits === 8);
    const found = isFine ? { packings: new Map(), corrections: new Map() } : await round(at);
    const all = blockwise(graph, chooseWeights(graph, at), found.packings);
    return { ...found, packings: new Map([...found.packings, ...all]) };
  }

  storageOf(name: Value, rung: number): Storage {
    return this.ladders.get(name)?.[rung] ?? 'float';
  }

  /** The graph with its weights on some rungs; those that are not named stay as they are. */
  at(assigned: Assigned<Value>): Quantized {
    const { graph, options } = this.#request;
    const of = <T>(pick: (rung: RoundedProducts) => ReadonlyMap<Value, T>): Map<Value, T> =>
      new Map(
        [...assigned].flatMap(([name, rung]) => {
          const own = this.#rungs[rung];
          const found = own === undefined ? undefined : pick(own).get(name);
          return found === undefined ? [] : [[name, found] as const];
        }),
      );
    const products = { packings: of(({ packings }) => packings), corrections: of(({ corrections }) => corrections) };
    const storages = new Map([...assigned].map(([name, rung]) => [name, this.storageOf(name, rung)] as const));
    const alone = assigned.size < this.ladders.size ? { only: new Set(assigned.keys()) } : {};
    const corrected = withCorrections(graph, products, products.packings.keys());
    return quantizeWeights(corrected, { ...options, ...alone, storages }, products.packings);
  }
}

/** What each weight alone loses on each rung, and the bytes that it takes there. */
const measuredSites = async ({ harms, stored, onWeight }: MixedRequest, stock: Stock): Promise<readonly Site[]> => {
  const sites: Site[] = [];
  for (const [weight, ladder] of stock.ladders) {
    const rungs: Rung[] = [];
    let least: number | undefined;
    for (const [rung, storage] of ladder.entries()) {
      const single = stock.at(new Map([[weight, rung]]));
      const bytes = encodedBytes(stored(single));
      least ??= bytes;
      rungs.push({ storage, cost: bytes - least, harm: storage === 'float' ? 0 : await harms.harmOf(single.graph) });
    }
    sites.push({ name: weight, rungs });
    onWeight(sites.length, stock.ladders.size);
  }
  return sites;
};

/** As many steps as bytes allow: what a weight takes is known to some bytes. */
const withinBytes = (
  { stored }: MixedRequest,
  stock: Stock,
  sites: readonly Site[],
  path: readonly Step[],
  { least, bytes }: { readonly least: number; readonly bytes: number },
): readonly Step[] => {
  const steps = [...stepsWithin(path, bytes - least)];
  while (steps.length > 0 && encodedBytes(stored(stock.at(standing(sites, steps)))) > bytes) steps.pop();
  return steps;
};

/** A file that was made and judged. */
interface Verified {
  readonly steps: readonly Step[];
  readonly bytes: number;
  readonly drop: Drop;
}

/** The path from the fewest bytes on, and what was verified of it or beside it. */
const curveOf = (
  sites: readonly Site[],
  path: readonly Step[],
  least: number,
  verified: readonly Verified[],
): readonly Point[] => {
  const isAt = ({ steps }: Verified, count: number): boolean =>
    steps.length === count && (count === 0 || steps[count - 1] === path[count - 1]);
  const onPath = Array.from({ length: path.length + 1 }, (_, count): Point => {
    const taken = standing(sites, path.slice(0, count));
    const known = verified.find((one) => isAt(one, count));
    return {
      bytes: known?.bytes ?? least + costOf(sites, taken),
      predicted: harmOf(sites, taken),
      ...(known === undefined ? {} : { drop: known.drop }),
    };
  });
  const beside = verified
    .filter((one) => !isAt(one, one.steps.length))
    .map(({ steps, bytes, drop }): Point => ({ bytes, predicted: harmOf(sites, standing(sites, steps)), drop }));
  return [...onPath, ...beside].toSorted((a, b) => a.bytes - b.bytes);
};

/** The fewest steps after which no more is lost than is asked for, and every file that was judged on the way. */
const verifiedSteps = async (
  { budget, stored, drops }: MixedRequest,
  stock: Stock,
  sites: readonly Site[],
  room: readonly Step[],
): Promise<{ readonly steps: readonly Step[]; readonly verified: readonly Verified[] }> => {
  const { maxDrop } = budget;
  if (maxDrop === undefined || drops === undefined) return { steps: room, verified: [] };
  const verified: Verified[] = [];
  const verify = async (count: number): Promise<Verified> => {
    const steps = room.slice(0, count);
    const graph = stored(stock.at(standing(sites, steps)));
    const found = { steps, bytes: encodedBytes(graph), drop: await drops.dropOf(graph) };
    verified.push(found);
    return found;
  };
  const holds = ({ drop }: Verified): boolean => drop.high <= maxDrop;
  const widest = await verify(room.length);
  if (!holds(widest)) throw unreachable({ ...budget, maxDrop }, widest, drops);
  const count = await fewestHolding(room.length, async (steps) => holds(await verify(steps)));
  return { steps: room.slice(0, count), verified };
};

/** Chooses how each weight is stored by what it loses alone, and judges whole files where a loss is asked for. */
export const mixedWithin = async (request: MixedRequest): Promise<{ quantized: Quantized; mixed: Mixed }> => {
  const { budget, harms, stored } = request;
  const stock = await Stock.of(request);
  const smallest = stock.at(new Map([...stock.ladders.keys()].map((name) => [name, 0])));
  const least = encodedBytes(stored(smallest));
  if (budget.bytes !== undefined) expectReachable(least, budget.bytes);
  const sites = await measuredSites(request, stock);
  const path = pathOf(sites);
  const blocks = path.slice(0, throughBlocks(sites, path));
  const room =
    budget.bytes === undefined ? blocks : withinBytes(request, stock, sites, path, { least, bytes: budget.bytes });
  const { steps, verified } = await verifiedSteps(request, stock, sites, room);
  const assigned = standing(sites, steps);
  const quantized = stock.at(assigned);
  const drop = verified.find((one) => one.steps.length === steps.length)?.drop;
  return {
    quantized,
    mixed: {
      ...{ sites, assigned, curve: curveOf(sites, blocks, least, verified) },
      whole: await harms.harmOf(smallest.graph),
      predicted: harmOf(sites, assigned),
      reached: await harms.harmOf(quantized.graph),
      bytes: encodedBytes(stored(quantized)),
      ...(drop === undefined ? {} : { drop }),
    },
  };
};
