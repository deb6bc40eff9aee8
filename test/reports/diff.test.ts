import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choices } from '../../data/evidence.ts';
import { diffAnnotations } from '../../reports/diff/annotations.ts';
import { compareRuns, type DiffSide } from '../../reports/diff/compare.ts';
import type { Diff, StageDiff } from '../../reports/diff/diff.ts';
import { renderDiffHtml } from '../../reports/diff/html.ts';
import { renderDiffMarkdown } from '../../reports/diff/markdown.ts';
import { renderDiffText } from '../../reports/diff/terminal.ts';
import type { Gate } from '../../reports/gates/gate.ts';
import type { Report, StageReport } from '../../reports/report.ts';
import { parseReport } from '../../reports/schema/index.ts';
import { terminalWidth } from '../../reports/text.ts';
import { bare, bareStage, fullReport, hostile } from './sample.ts';
import { evaluated, judged, simulatedRun } from './simulate.ts';

const bands = { latency: 0.05, quality: 0 };

const sideOf = (report: Report, extra: Partial<DiffSide> = {}): DiffSide => ({
  report,
  scores: new Map(),
  examples: null,
  name: { where: 'runs/x', name: report.name, created: report.created },
  ...extra,
});

const diffOf = (before: DiffSide, after: DiffSide, gates: readonly Gate[] | null = null): Diff =>
  compareRuns({ before, after }, bands, gates);

const full = fullReport();
const withStages = (change: (stage: StageReport) => StageReport): DiffSide =>
  sideOf({ ...full, stages: full.stages.map(change) });
const stageOf = (diff: Diff, id: string): StageDiff | undefined => diff.stages.find((stage) => stage.id === id);

describe('a diff of a run with itself', () => {
  const diff = diffOf(sideOf(full), sideOf(full));

  it('reports no difference at all', () => {
    const { findings, changes, sizes, structure, causes } = {
      findings: diff.stages.flatMap((stage) => stage.findings).filter(({ verdict }) => verdict !== 'noise'),
      changes: [...diff.changes, ...diff.stages.flatMap((stage) => stage.changes)],
      sizes: diff.stages.flatMap((stage) => stage.sizes),
      structure: diff.stages.flatMap((stage) => stage.structure),
      causes: diff.stages.flatMap((stage) => [...stage.causes.appeared, ...stage.causes.vanished]),
    };
    expect({ findings, changes, sizes, structure, causes }).toEqual({
      ...{ findings: [], changes: [], sizes: [], structure: [], causes: [] },
    });
    expect(diff.stages.every(({ kind }) => kind === 'same')).toBe(true);
    expect(renderDiffText(diff, { columns: 80, color: false })).toContain(
      'No difference beyond noise in 9 comparisons.',
    );
  });

  it('needs no stage, no quality and no latency', () => {
    const empty = diffOf(sideOf(bare), sideOf(bare));
    expect(renderDiffText(empty, { columns: 80, color: false })).toBe(`No figure of the two runs could be compared.

A: runs/x, 2026-11-01
B: runs/x, 2026-11-01
`);
  });
});

describe('what changed', () => {
  it('matches stages by id, then by kind and order, and says which are new, gone or renamed', () => {
    const stages = [
      bareStage('a', { uses: 'train' }),
      bareStage('b', { uses: 'distill', inputs: { model: 'a' } }),
      bareStage('c', { uses: 'quantize' }),
    ];
    const later = [
      bareStage('a2', { uses: 'train' }),
      bareStage('b', { uses: 'distill', inputs: { model: 'a2' } }),
      bareStage('d', { uses: 'prune' }),
    ];
    const diff = diffOf(sideOf({ ...bare, stages }), sideOf({ ...bare, stages: later }));
    expect(diff.stages.map(({ id, was, kind, changes }) => [id, was, kind, changes])).toEqual([
      ['a2', 'a', 'renamed', []],
      ['b', 'b', 'same', []],
      ['d', null, 'added', []],
      ['c', 'c', 'removed', []],
    ]);
    const text = renderDiffText(diff, { columns: 80, color: false });
    expect(text).toContain('a is now called a2 (train)');
    expect(text).toContain('d (prune) was added');
    expect(text).toContain('c (quantize) was removed');
  });

  it('tells configuration key by key, version, data, environment, seed, sizes, structure and causes', () => {
    const model = full.stages[2]?.model ?? null;
    const after = withStages((stage) =>
      stage.id === 'int8' && model !== null
        ? {
            ...stage,
            version: 2,
            config: { keep: { heads: 4 }, targets: ['a'] },
            model: { ...model, bytes: 3_000_000, gzipBytes: model.gzipBytes + 1, dimensions: { layers: 3 } },
            causes: [{ name: 'no-vnni', finding: '', evidence: '', advice: '', about: 'time', share: null }],
          }
        : stage,
    );
    const before = withStages((stage) => (stage.id === 'int8' ? { ...stage, config: { keep: { heads: 2 } } } : stage));
    const moved = { ...after.report, seed: 2, data: { ...full.data, train: 10, classes: ['act', 'new'] } };
    const diff = diffOf(before, {
      ...after,
      report: { ...moved, environment: { ...full.environment, node: '22.0.0' } },
    });
    expect(diff.changes.map(({ key }) => key)).toEqual([
      'seed',
      'texts.train',
      'environment.node',
      'classes gone',
      'classes new',
    ]);
    expect(stageOf(diff, 'int8')?.changes).toEqual([
      { key: 'version', before: 1, after: 2 },
      { key: 'keep.heads', before: 2, after: 4 },
      { key: 'targets', before: null, after: ['a'] },
    ]);
    expect(stageOf(diff, 'int8')?.causes).toEqual({ appeared: ['no-vnni'], vanished: ['fixed-cost'] });
    const text = renderDiffText(diff, { columns: 80, color: false });
    expect(text).toContain('int8: bytes 2.37 MB -> 3.00 MB (1.27x), 1 changed by less than 1 %');
    expect(text).toContain('int8: layers: 2 -> 3');
    expect(text).toContain('int8: no-vnni appeared');
  });
});

describe('quality', () => {
  const labels = Int32Array.from({ length: 400 }, (_, i) => i % 4);
  const rights = (from: number): Uint8Array => Uint8Array.from(labels, (_, i) => Number(i >= from));
  const base = { ...simulatedRun(1), report: { ...simulatedRun(1).report, measurement: null } };
  const [a, b] = [evaluated(base, labels, rights(40)), evaluated(base, labels, rights(80))];
  const first = (diff: Diff) => diff.stages[0]?.findings[0];

  it('is paired where both hold predictions of the same examples', () => {
    expect(first(diffOf(a, b))).toMatchObject({ paired: true, flips: { gained: 0, lost: 40 }, verdict: 'worse' });
  });

  it.each([
    ['predictions are missing', { ...b, scores: new Map() }],
    ['the test split is another one', { ...b, examples: 'another split' }],
    ['the test split is not known', { ...b, examples: null }],
    [
      'the examples have other ids',
      {
        ...b,
        scores: new Map(
          [...b.scores].map(([id, one]) => [id, one && { ...one, ids: one.ids.map((example) => example + 1) }]),
        ),
      },
    ],
  ])('is unpaired, and says so, where %s', (_, other) => {
    const diff = diffOf(a, other);
    expect(first(diff)).toMatchObject({ paired: false, flips: null });
    const [paired, unpaired] = [first(diffOf(a, b)), first(diff)];
    const width = (finding: typeof paired) =>
      finding === undefined ? 0 : finding.difference.high - finding.difference.low;
    expect(width(unpaired)).toBeGreaterThan(width(paired));
    expect(renderDiffText(diff, { columns: 80, color: false })).toContain('accuracy is compared unpaired');
  });

  it('leaves alone what lies inside the band', () => {
    const wide = compareRuns({ before: a, after: b }, { latency: 0.05, quality: 0.2 }, null);
    expect(first(wide)?.verdict).toBe('noise');
  });

  it('survives figures that are no numbers, zero examples and classes never seen', () => {
    const broken = withStages((stage) => ({
      ...stage,
      quality: stage.quality && { ...stage.quality, score: Number.NaN },
    }));
    expect(stageOf(diffOf(sideOf(full), broken), 'int8')?.refusals[0]).toEqual({
      kind: 'quality',
      figure: 'accuracy',
      reason: "one side's accuracy is no number",
    });
    const none = withStages((stage) => ({ ...stage, quality: stage.quality && { ...stage.quality, examples: 0 } }));
    expect(stageOf(diffOf(sideOf(full), none), 'int8')?.refusals[0]?.reason).toBe('there are no examples');
    const unseen = judged(labels, () => true);
    if (unseen.scored === null) throw new Error('these are choices');
    const nan = { ...unseen, ...choices({ ...unseen.scored, logits: unseen.scored.logits.fill(Number.NaN) }) };
    const side = { ...a, scores: new Map([...a.scores].map(([id]) => [id, nan])) };
    expect(first(diffOf(a, side))?.verdict).toMatch(/worse|noise/);
  });
});

describe('latency', () => {
  const [a, b] = [simulatedRun(1), simulatedRun(2)];
  const refusalOf = (before: DiffSide, after: DiffSide): string | undefined =>
    diffOf(before, after).stages[0]?.refusals.find(({ figure }) => figure === 'p50')?.reason;
  const on = (side: DiffSide, environment: Partial<Report['environment']>): DiffSide => ({
    ...side,
    report: { ...side.report, environment: { ...side.report.environment, ...environment } },
  });
  const latencies = (side: DiffSide, change: (stage: StageReport) => StageReport['latency']): DiffSide => ({
    ...side,
    report: {
      ...side.report,
      stages: side.report.stages.map((stage) => ({ ...stage, latency: change(stage) })),
    },
  });

  it.each([
    ['another CPU', on(b, { cpu: 'another' }), 'measured on another CPU: some cpu and another'],
    [
      'other instruction sets',
      on(b, { cpuFlags: ['avx2', 'fma'] }),
      'the CPUs have other instruction sets: avx2 and avx2 fma',
    ],
    [
      'another runtime',
      on(b, { onnxruntime: '2.0.0' }),
      'measured with other versions of ONNX Runtime: 1.30.0 and 2.0.0',
    ],
    [
      'other threads',
      latencies(b, ({ latency }) => latency.map((cell) => ({ ...cell, threads: 2 }))),
      'measured at other batches, lengths or threads',
    ],
    ['a stage without latency', latencies(b, () => []), 'no latency was measured in B'],
    [
      'no reference kernel',
      latencies(b, ({ latency }) => latency.map((cell) => ({ ...cell, relative: null }))),
      'no reference kernel was timed in both runs, and times of two days do not compare',
    ],
    [
      'too few rounds',
      {
        ...b,
        report: {
          ...b.report,
          measurement: b.report.measurement && { ...b.report.measurement, processes: 1, rounds: 3 },
        },
      },
      '3 rounds are too few to compare latency: set measure.rounds to 6 or more',
    ],
  ])('is refused for %s', (_, other, reason) => {
    expect(refusalOf(a, other)).toBe(reason);
  });

  it('is refused where a clock went backwards', () => {
    const backwards = latencies(b, ({ latency }) =>
      latency.map((cell) => ({ ...cell, relative: { estimate: -1, low: -2, high: Number.NaN } })),
    );
    expect(refusalOf(a, backwards)).toBe('a latency is missing or no positive number');
  });

  it('is divided by a model that both runs measured where no kernel was timed', () => {
    const beside = (slower: number): DiffSide => ({
      ...sideOf({
        ...full,
        measurement: full.measurement && { ...full.measurement, rounds: 25, processes: 1, referenceKernel: null },
        stages: full.stages.map((stage) => ({
          ...stage,
          latency: stage.latency.map((cell) => ({
            ...cell,
            p50Ms: cell.p50Ms * slower,
            relative: null,
            speedup: stage.id === 'int8' ? (cell.speedup ?? 1) / 1.5 ** Number(slower > 1) : cell.speedup,
            speedupInterval:
              stage.id === 'teacher'
                ? { low: 1, high: 1 }
                : {
                    low: (0.99 * (cell.speedup ?? 1)) / (stage.id === 'int8' && slower > 1 ? 1.5 : 1),
                    high: (1.01 * (cell.speedup ?? 1)) / (stage.id === 'int8' && slower > 1 ? 1.5 : 1),
                  },
          })),
        })),
      }),
    });
    const diff = diffOf(beside(1), beside(1.3));
    const verdicts = (id: string) =>
      stageOf(diff, id)
        ?.findings.filter(({ figure }) => figure === 'p50')
        .map(({ verdict }) => verdict);
    expect(verdicts('student')).toEqual(['noise', 'noise']);
    expect(verdicts('int8')).toEqual(['worse', 'worse']);
    expect(stageOf(diff, 'teacher')?.refusals[0]?.reason).toContain('is what the others are measured by');
  });
});

const gate: Gate = {
  ...{ stage: 'int8', figure: 'bytes', limit: 'max', value: 2e6, versus: null, confidence: 0.95 },
  ...{ batch: null, length: null },
};

describe('gates', () => {
  const judgedBy = (one: Partial<Gate>, before = sideOf(full), after = sideOf(full)) =>
    diffOf(before, after, [{ ...gate, ...one }]).gates[0];

  it.each<[string, Partial<Gate>, string]>([
    ['bytes above the most', {}, 'failed'],
    ['bytes at the most', { value: 2_370_000 }, 'passed'],
    ['a ratio to a stage', { limit: 'maxRatio', value: 0.3, versus: 'student' }, 'passed'],
    ['an accuracy well above the least', { figure: 'accuracy', limit: 'min', value: 0.7 }, 'passed'],
    ['an accuracy well below the least', { figure: 'accuracy', limit: 'min', value: 0.9 }, 'failed'],
    [
      'a drop that the interval holds',
      { figure: 'accuracy', limit: 'maxDrop', value: 0.006, versus: 'teacher' },
      'undecided',
    ],
    ['a drop far from the limit', { figure: 'accuracy', limit: 'maxDrop', value: 0.05, versus: 'teacher' }, 'passed'],
    ['a time below the most', { figure: 'p50', value: 0.3 }, 'passed'],
    ['a time at another batch', { figure: 'p50', value: 0.3, batch: 32 }, 'failed'],
    ['a ratio of times', { figure: 'p50', limit: 'maxRatio', value: 0.5, versus: 'teacher' }, 'passed'],
    ['a batch that was not measured', { figure: 'p50', value: 0.3, batch: 5 }, 'undecided'],
    ['a stage that is not there', { stage: 'gone' }, 'undecided'],
    ['a figure that is missing', { stage: 'deploy' }, 'undecided'],
    ['no change from the baseline', { limit: 'maxRatio', value: 1, versus: 'baseline' }, 'passed'],
    ['a p50 as that of the baseline', { figure: 'p50', limit: 'maxRatio', value: 1.5, versus: 'baseline' }, 'passed'],
    [
      'a p50 too near to that of the baseline',
      { figure: 'p50', limit: 'maxRatio', value: 1.01, versus: 'baseline' },
      'undecided',
    ],
  ])('judge %s', (_, one, outcome) => {
    expect(judgedBy(one)?.outcome).toBe(outcome);
  });

  it('are undecided on another machine', () => {
    const elsewhere = sideOf({ ...full, environment: { ...full.environment, cpu: 'another' } });
    const found = judgedBy({ figure: 'p50', limit: 'maxRatio', value: 1.5, versus: 'baseline' }, elsewhere);
    expect(found).toMatchObject({ outcome: 'undecided', found: null });
    expect(found?.reason).toContain('another CPU');
  });

  it('of the run itself are judged again, now that there is a baseline', () => {
    const own = { ...gate, limit: 'maxRatio' as const, value: 1, versus: 'baseline' };
    const report = { ...full, gates: [{ ...own, outcome: 'undecided' as const, found: null, reason: 'no baseline' }] };
    expect(diffOf(sideOf(full), sideOf(report)).gates[0]?.outcome).toBe('passed');
  });
});

/** Any text, and texts that are known to do harm. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom(...Object.values(hostile), '::error::owned', '##[error]owned', '%0A::error::x'),
);

const sayingEverywhere = (text: string): Diff => {
  const report = fullReport([text], text);
  const stages = report.stages.map((stage) => ({ ...stage, id: `${stage.id}${text}`, config: { [text]: text } }));
  const causes = [{ name: text, finding: text, evidence: text, advice: text, about: 'time' as const, share: null }];
  const after = { ...report, seed: 9, environment: { ...report.environment, cpu: text } };
  const named = { where: text, name: text, created: text };
  return diffOf(
    { ...sideOf({ ...full, name: text }), name: named },
    { ...sideOf({ ...after, stages: stages.map((stage) => ({ ...stage, causes })) }), name: named },
    [{ ...gate, stage: text, versus: text, limit: 'maxRatio' }],
  );
};

describe('rendered diffs', () => {
  const changed = diffOf(
    sideOf(full),
    withStages((stage) => ({ ...stage, quality: stage.quality && { ...stage.quality, score: 0.7 } })),
    [gate],
  );

  it.each([0, 1, 20, 40, 80])('fit a terminal of %i columns', (columns) => {
    const width = columns === 0 ? 80 : columns;
    for (const diff of [changed, sayingEverywhere('漢字'.repeat(30)), sayingEverywhere('a'.repeat(90))]) {
      for (const line of renderDiffText(diff, { columns, color: false }).split('\n')) {
        expect(terminalWidth(line)).toBeLessThanOrEqual(width);
      }
    }
  });

  it('let no text steer the terminal, the workflow, or the page', () => {
    const tags = (page: string) =>
      [...new Set([...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/"[^"]*"/g, '""')))].toSorted();
    const harmless = tags(renderDiffHtml(sayingEverywhere('x')));
    fc.assert(
      fc.property(anyText, (text) => {
        const diff = sayingEverywhere(text);
        const said = renderDiffText(diff, { columns: 80, color: false });
        expect(said).not.toMatch(/(?!\n)\p{Cc}|\u202e|^\s*::|##\[/mu);
        for (const line of diffAnnotations(diff, false).trimEnd().split('\n')) {
          expect(line).toMatch(/^::(error|warning|notice) title=[^:,]*::/);
        }
        const markdown = renderDiffMarkdown(diff);
        expect(markdown).not.toMatch(/<(?!\/?(?:details|summary)>)|(?<!\\)\]\(/);
        for (const tag of tags(renderDiffHtml(diff))) expect(harmless).toContain(tag);
      }),
      { numRuns: 60, examples: Object.values(hostile).map((text): [string] => [text]) },
    );
  });

  it('fit a pull-request comment', () => {
    const many = {
      ...full,
      stages: Array.from({ length: 60 }, (_, i) =>
        bareStage(`s${i}`, { config: { i }, latency: full.stages[0]?.latency ?? [] }),
      ),
    };
    const later = { ...many, stages: many.stages.map((stage) => ({ ...stage, config: { i: -1 }, version: 3 })) };
    const text = renderDiffMarkdown(diffOf(sideOf(many), sideOf(later), Array(30).fill(gate)));
    expect(text.split('\n').length).toBeLessThanOrEqual(60);
    expect(text).toContain('<details><summary>Configuration</summary>');
  });

  it('annotate failed gates as errors, undecided ones as warnings, differences as warnings', () => {
    const lines = diffAnnotations(changed, false).split('\n');
    expect(lines[0]).toBe('::error title=decant gate failed::failed: int8 bytes: at most 2.00 MB; found 2.37 MB');
    expect(lines.filter((line) => line.startsWith('::warning title=decant%3A worse::')).length).toBe(3);
  });
});

describe('a file that is no report of this version', () => {
  const text = JSON.stringify(full);
  it.each([
    [
      'older',
      text.replace('decant.report/1', 'decant.report/0'),
      'has the schema "decant.report/0"; this version of decant reads "decant.report/1": run the pipeline again, or read it with the version that wrote it',
    ],
    [
      'newer',
      text.replace('decant.report/1', 'decant.report/2'),
      'has the schema "decant.report/2"; this version of decant reads "decant.report/1": update decant, or run the pipeline with this version',
    ],
    ['truncated', text.slice(0, 900), 'was it cut short? decant report RUN writes it again'],
    ['foreign', '{"scripts":{}}', 'is no report of decant: it has no "schema": "decant.report/1"'],
    ['null', 'null', 'is no report of decant'],
    ['damaged', text.replace('"seed":1', '"seed":"one"'), 'is damaged or of an older version: seed: '],
  ])('is %s, and the error says so', (_, content, reason) => {
    expect(() => parseReport(content, 'x.json')).toThrow(reason);
  });

  it.each([
    ['a rate of 1e308', (score: number) => ({ score: score * 1e308 }), 'accuracy cannot be'],
    ['a rate of 7', () => ({ score: 7 }), 'stages.0.quality.score: accuracy cannot be 7'],
    ['a rate below none', () => ({ score: -0.5 }), 'accuracy cannot be -0.5'],
    ['half a text', () => ({ examples: 1.5 }), 'stages.0.quality.examples'],
    ['fewer texts than none', () => ({ examples: -1 }), 'stages.0.quality.examples'],
  ])('holds %s, which nothing comes to', (_, change, reason) => {
    const [first, ...others] = full.stages;
    const quality = first?.quality;
    const stages = [{ ...first, quality: { ...quality, ...change(quality?.score ?? 0) } }, ...others];
    expect(() => parseReport(JSON.stringify({ ...full, stages }), 'x.json')).toThrow(reason);
  });

  it('lacks gates where it is from before there were any, and is read all the same', () => {
    const { gates: _, ...before } = full;
    expect(parseReport(JSON.stringify(before), 'x.json')).toEqual(full);
  });
});
