import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine, Feeds } from '../../engine/engine.ts';
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
  /** Whole graphs that are run; all of them where nothing is said. Slow devices run few, and compile the others. */
  runs?(graph: WholeGraph): boolean;
}

const resultsOf = async (engine: Engine, graph: Graph, feeds: Feeds): Promise<Feeds> => {
  const program = await engine.compile(graph, { threads: 1, optimization: 'all', fallback: 'refused' });
  try {
    return await program.run(feeds);
  } finally {
    await program.release();
  }
};

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

/** 'right', or what is wrong. */
export const verdictOn = async (engine: Engine, graph: Graph, feeds: Feeds, tolerance: number): Promise<string> => {
  const expected = await expectedOf(graph, feeds);
  try {
    const { name, by } = farthest(await resultsOf(engine, graph, feeds), expected);
    return by <= tolerance ? RIGHT : `'${name}' is off by ${by.toExponential(1)}`;
  } catch (error) {
    return `refused: ${messageOf(error)}`;
  }
};

const recordOf = ({ name }: SampleCase): string => name.slice(0, name.indexOf(': '));

const records: readonly string[] = [...new Set(sampleCases.map(recordOf))];

const describeSamples = ({ open, lacks, tolerance }: Conformant): void => {
  describe('samples of', () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await open();
    });
    for (const record of records) {
      it(record, async () => {
        for (const { name, graph, feeds } of sampleCases.filter((one) => recordOf(one) === record)) {
          const verdict = await verdictOn(engine, graph, feeds, tolerance.sample);
          const listed = lacks.includes(name) || lacks.includes(record);
          if (listed)
            expect({ name, verdict }, 'it is listed as lacking, and works').not.toEqual({ name, verdict: RIGHT });
          else expect({ name, verdict }).toEqual({ name, verdict: RIGHT });
        }
      });
    }
  });
};

/** 'right' where all of a graph has kernels on the device, or what is wrong. */
const compiled = async (engine: Engine, graph: Graph): Promise<string> => {
  try {
    await (await engine.compile(graph, { threads: 1, optimization: 'all', fallback: 'refused' })).release();
    return RIGHT;
  } catch (error) {
    return `refused: ${messageOf(error)}`;
  }
};

const describeGraphs = ({ open, lacks, tolerance, runs = () => true }: Conformant): void => {
  describe('of whole graphs', () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await open();
    });
    const expectVerdict = (name: string, verdict: string): void => {
      if (lacks.includes(name)) expect(verdict, 'it is listed as lacking, and works').not.toBe(RIGHT);
      else expect(verdict).toBe(RIGHT);
    };
    it.each(wholeGraphs.filter((graph) => !runs(graph)))('compiles $name', async ({ name, make }) => {
      const { graph } = await make();
      expectVerdict(name, await compiled(engine, graph));
    });
    it.each(wholeGraphs.filter(runs))('gives what the CPU gives for $name', async ({ name, make }) => {
      const { graph, feeds } = await make();
      expectVerdict(name, await verdictOn(engine, graph, feeds, tolerance.graph));
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
