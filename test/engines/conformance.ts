import { beforeAll, describe, expect, it } from 'vitest';
import type { CompileOptions, Engine, Feeds, Program } from '../../engine/engine.ts';
import { cpuEngine } from '../../engine/engines/cpu/engine.ts';
import type { Graph } from '../../graph/graph.ts';
import { messageOf } from '../../ground/errors.ts';
import { describeBuffers } from './buffers.ts';
import { farthest, type Tolerance } from './compare.ts';
import { type SampleCase, sampleCases } from './sample-cases.ts';
import { type WholeGraph, wholeGraphs } from './whole-graphs.ts';

export interface Conformant {
  readonly name: string;
  open(): Promise<Engine>;
  readonly tolerance: Tolerance;
  /**
   * What it cannot do: names of samples and whole graphs, or of records with all their samples. What works after all must go
   * from the list.
   */
  readonly lacks: readonly string[];
  /** 'refused' where nothing is said. */
  readonly fallback?: Fallback;
  /** Whole graphs that are run; all of them where nothing is said. Slow devices run few, and compile the others. */
  runs?(graph: WholeGraph): boolean;
}

/** Whether the CPU may take over what has no kernel on the device. */
type Fallback = NonNullable<CompileOptions['fallback']>;

const compiledOn = (engine: Engine, graph: Graph, fallback: Fallback): Promise<Program> =>
  engine.compile(graph, { threads: 1, optimization: 'all', fallback });

/** As written, on the CPU: what every engine is measured against. */
const expectedOf = async (graph: Graph, feeds: Feeds): Promise<Feeds> => {
  const program = await cpuEngine.compile(graph, { threads: 1, optimization: 'none' });
  try {
    return await program.run(feeds);
  } finally {
    await program.release();
  }
};

const RIGHT = 'right';

/** How verdicts begin on graphs that an engine does not take, and on runs that fail. */
const [REFUSED, FAILED] = ['refused: ', 'failed: '];

const outcomeOf = async (program: Program, feeds: Feeds, expected: Feeds, tolerance: number): Promise<string> => {
  try {
    const { name, by } = farthest(await program.run(feeds), expected);
    return by <= tolerance ? RIGHT : `'${name}' is off by ${by.toExponential(1)}`;
  } catch (error) {
    return `${FAILED}${messageOf(error)}`;
  } finally {
    await program.release();
  }
};

/** 'right', or what is wrong with a graph on an engine. */
export const verdictOn = async (
  engine: Engine,
  { graph, feeds }: Pick<SampleCase, 'graph' | 'feeds'>,
  tolerance: number,
  fallback: Fallback = 'refused',
): Promise<string> => {
  const expected = await expectedOf(graph, feeds);
  try {
    return await outcomeOf(await compiledOn(engine, graph, fallback), feeds, expected, tolerance);
  } catch (error) {
    return `${REFUSED}${messageOf(error)}`;
  }
};

const recordOf = ({ name }: SampleCase): string => name.slice(0, name.indexOf(': '));

const records: readonly string[] = [...new Set(sampleCases.map(recordOf))];

const LISTED = 'it is listed as lacking, and works';

/** A target says that it lacks an operator exactly where it refuses the graph. */
const expectLacking = ({ target }: Engine, { name, graph }: SampleCase, verdict: string): void => {
  const refused = verdict.startsWith(REFUSED);
  expect({ name, refused, lacks: target.lacking(graph).length > 0 }).toEqual({ name, refused, lacks: refused });
};

const describeSamples = ({ open, lacks, tolerance, fallback }: Conformant): void => {
  describe('samples of', () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await open();
    });
    for (const record of records) {
      it(record, async () => {
        for (const one of sampleCases.filter((each) => recordOf(each) === record)) {
          const { name } = one;
          const verdict = await verdictOn(engine, one, tolerance.sample, fallback);
          const isListed = lacks.includes(name) || lacks.includes(record);
          if (isListed) expect({ name, verdict }, LISTED).not.toEqual({ name, verdict: RIGHT });
          else expect({ name, verdict }).toEqual({ name, verdict: RIGHT });
          if (fallback !== 'allowed') expectLacking(engine, one, verdict);
        }
      });
    }
  });
};

/** 'right' where all of a graph has kernels on the device, or what is wrong. */
const compiled = async (engine: Engine, graph: Graph, fallback: Fallback): Promise<string> => {
  try {
    await (await compiledOn(engine, graph, fallback)).release();
    return RIGHT;
  } catch (error) {
    return `${REFUSED}${messageOf(error)}`;
  }
};

const describeGraphs = ({ open, lacks, tolerance, fallback = 'refused', runs = () => true }: Conformant): void => {
  describe('of whole graphs', () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await open();
    });
    const expectVerdict = (name: string, verdict: string): void => {
      if (lacks.includes(name)) expect(verdict, LISTED).not.toBe(RIGHT);
      else expect(verdict).toBe(RIGHT);
    };
    it.each(wholeGraphs.filter((graph) => !runs(graph)))('compiles $name', async ({ name, make }) => {
      const { graph } = await make();
      expectVerdict(name, await compiled(engine, graph, fallback));
    });
    it.each(wholeGraphs.filter(runs))('gives what the CPU gives for $name', async ({ name, make }) => {
      expectVerdict(name, await verdictOn(engine, await make(), tolerance.graph, fallback));
    });
  });
};

/** Everything that an engine is asked: a test file of one calls this, and no more. */
export const describeConformance = (conformant: Conformant): void => {
  describe(`the engine ${conformant.name}`, () => {
    it('lists as lacking only what is asked', () => {
      const names = new Set([
        ...sampleCases.flatMap((one) => [one.name, recordOf(one)]),
        ...wholeGraphs.map(({ name }) => name),
      ]);
      expect(conformant.lacks.filter((name) => !names.has(name))).toEqual([]);
    });
    describeBuffers(conformant.open);
    describeSamples(conformant);
    describeGraphs(conformant);
  });
};

/** What concerns the reference itself: its buffers. */
export const describeReference = (name: string, open: () => Promise<Engine>): void => {
  describe(`the engine ${name}`, () => describeBuffers(open));
};
