import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderHtml } from '../../reports/html/page.ts';
import type { Report } from '../../reports/report.ts';
import { manyLines, oneLine } from '../../reports/text.ts';
import { effort, isLate } from '../rig/effort.ts';
import { bare, bareStage, fullReport, hostile } from './sample.ts';

const LARGEST = 2_000_000;
const SLOWEST_SECONDS = 2;
const sections = (page: string): string[] => [...page.matchAll(/<section id="(\w+)"/g)].map(([, id]) => id ?? '');

let page: string;
beforeAll(async () => {
  page = await renderHtml(fullReport());
});

/** Names of all elements and attributes, in order: what markup is there apart from texts. */
const skeleton = (html: string): string[] =>
  [...html.replace(/<style>.*?<\/style>/s, '').matchAll(/<(\/?[a-z][\w-]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*\/?>/g)].map(
    ([, name, attributes]) =>
      `${name} ${[...(attributes ?? '').matchAll(/([\w:-]+)(?:="[^"]*")?/g)].map(([, key]) => key).join(' ')}`,
  );

describe('report.html', () => {
  it('has every part that the report has figures for, in the order a reader asks', () => {
    expect(sections(page)).toEqual([
      'stages',
      'use',
      'answers',
      'mistakes',
      'tradeoff',
      'waterfall',
      'quality',
      'comparisons',
      'classes',
      'flips',
      'latency',
      'time',
      'causes',
      'structure',
      'bits',
      'training',
      'cost',
      'notes',
      'environment',
      'reproduce',
    ]);
  });

  it('leaves out parts without figures instead of showing them empty', async () => {
    expect(sections(await renderHtml(bare))).toEqual(['stages', 'environment']);
    const model = fullReport().stages[0]?.model ?? null;
    expect(sections(await renderHtml({ ...bare, stages: [bareStage('encoder', { model })] }))).toEqual([
      'stages',
      'structure',
      'environment',
    ]);
  });

  it('is one file that asks the network and scripts for nothing', () => {
    expect(page).not.toMatch(/<(?:script|link rel="stylesheet"|iframe|object|embed|base|form)\b/);
    expect(page).not.toMatch(/(?:src|href|action)="(?!#|data:,)/);
    expect(page).not.toMatch(/@import|url\(/);
    expect(page.length).toBeLessThan(LARGEST);
  });

  it('has a table behind every picture, and words in its place', () => {
    const figures = page.match(/<figure>.*?<\/figure>/gs) ?? [];
    expect(figures.length).toBe(12);
    for (const figure of figures) {
      expect(figure).toMatch(/<svg .*<details class="data"><summary>.*<table>.*<tbody>\s*<tr>/s);
      expect(figure).toMatch(/role="img" aria-label="[^"]{20,}"/);
    }
    expect(page.match(/<svg /g)?.length).toBe(figures.join('').match(/<svg /g)?.length);
  });

  it('says where each weight of a budget stands and why, and what layers are from before', () => {
    const bits = page.slice(page.indexOf('id="bits"'), page.indexOf('id="training"'));
    expect(bits).toContain('<h3>int8: a loss of 0.3pt at most</h3>');
    expect(bits).toContain('loses 0.0005 in 4 bits, 21 % of what all lose');
    expect(bits).toContain('8 bits would save 0.00085 for 728 kB');
    // A drop of the estimate is a change of the score with the other sign.
    expect(bits).toContain('+0.1 [-0.3, +0.4] points');
    expect(bits).toMatch(
      /aria-label="What layers of int8 lose in the fewest bytes: embeddings 0\.00085, layers\.0 0\.0005 nats/,
    );
    expect(bits).toMatch(/<tr class="strong"><th[^>]*>1\.34 MB/);
    expect(bits).toContain('0.99540 (layer 1)');
    expect(bits).toContain('How far inputs of int8 were evened out');
    expect(bits).toContain('What inputs of int8 span in 8 bits');
    expect(bits).toContain('What stays in float32 in int8');
  });

  it('has every target it links to, and every id once', () => {
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id ?? '');
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });

  it('tells scores of training as those of the task that each stage trains for, and each of several losses', async () => {
    const report = fullReport();
    const [teacher, ...others] = report.stages;
    const curve = [{ step: 9, epoch: 1, loss: 4.2, terms: { kl: 3.7, hidden: 0.5 }, score: 4.011 }];
    const training = { steps: 9, epochs: 1, tokensPerSecond: 1, paddingFraction: 0, metric: 'nats', curve };
    const adapted = bareStage('adapted', { training });
    const both = await renderHtml({
      ...report,
      stages: [...(teacher === undefined ? [] : [teacher]), adapted, ...others],
    });
    const section = both.match(/<section id="training".*?<\/section>/s)?.[0] ?? '';
    for (const metric of ['accuracy %', 'nats per token']) {
      expect(section).toContain(`Validation ${metric}`);
      expect(section).toContain(`>validation ${metric}</th>`);
    }
    expect(section).toContain('>4.011<');
    expect(section).toContain('Losses of adapted');
    expect(section).toContain('>kl 3.700, hidden 0.500<');
    expect(section).not.toContain('401');
  });

  it('names the columns and rows of its tables', () => {
    for (const row of page.match(/<tbody>.*?<\/tbody>/gs) ?? []) expect(row).toMatch(/<tr[^>]*><th scope="row"/);
    for (const head of page.match(/<thead>.*?<\/thead>/gs) ?? []) expect(head).toMatch(/<th scope="col"/);
  });

  it('is equal for equal reports, and quick', async () => {
    const spent = effort();
    expect(await renderHtml(fullReport())).toBe(page);
    expect(isLate(spent(), SLOWEST_SECONDS)).toBe(false);
  });

  it('gives the exact file and command', () => {
    expect(page).toContain('npx decant run pipeline.yaml --threads 2 --set data.limit=8000 --set &#39;x=');
    expect(page).toContain('stages: []  # &lt;b&gt;');
  });
});

/** The report with one text as its name, in every class, stage, text, note, cause, layer and operator. */
const saying = (text: string): Report => {
  const full = fullReport([text, 'other'], text);
  const named = (id: string): string => (id === 'int8' ? text : id);
  return {
    ...full,
    environment: { ...full.environment, cpu: text, cpuFlags: [text] },
    data: { ...full.data, uses: text },
    pipeline: { yaml: text, overrides: [text] },
    stages: full.stages.map((stage) => ({
      ...stage,
      id: named(stage.id),
      uses: text,
      inputs: Object.fromEntries(Object.entries(stage.inputs).map(([name, id]) => [name, named(id)])),
      notes: [text],
      causes: stage.causes.map((cause) => ({ ...cause, finding: text, evidence: text, advice: text })),
      time:
        stage.time === null
          ? null
          : { ...stage.time, operators: [{ op: text, ms: 1, count: 1 }], layers: [{ layer: text, ms: 1 }] },
    })),
  };
};

const anyText = fc.oneof(
  fc.constantFrom(...Object.values(hostile)),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
  fc.string({
    unit: fc.constantFrom('<', '>', '&', '"', "'", '/', ' ', '=', 'on', 'svg', 'script', '{', '$'),
    minLength: 1,
    maxLength: 12,
  }),
);

describe('text of others', () => {
  it('never becomes markup', async () => {
    const plain = skeleton(await renderHtml(saying('plain')));
    expect(plain.length).toBeGreaterThan(400);
    await fc.assert(
      fc.asyncProperty(anyText, async (text) => {
        const html = await renderHtml(saying(`a${text}`));
        // Pictures are compared without their paths, whose number depends on the width of names.
        const outside = (all: readonly string[]): string[] =>
          all.filter((tag) => !/^\/?(?:g|path|text|line|title|tspan)\b/.test(tag));
        expect(outside(skeleton(html))).toEqual(outside(plain));
        expect(html).not.toMatch(/(?![\n\t])\p{Cc}|\u202e/u);
      }),
      { numRuns: 8 },
    );
  });

  it('is found to be harmful by this test when it is not escaped', async () => {
    const html = await renderHtml(saying('plain'));
    expect(skeleton(html.replaceAll('plain', hostile.markup))).not.toEqual(skeleton(html));
    const attacked = html.replace(/(aria-label="[^"]*?)plain/g, `$1${hostile.attribute}`);
    expect(skeleton(attacked)).not.toEqual(skeleton(html));
  });

  it('keeps its letters and loses what steers a terminal or reorders a line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(oneLine(text)).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
        expect(manyLines(text)).not.toMatch(/(?![\n\t])[\p{Cc}\p{Cs}]/u);
      }),
    );
    expect(oneLine('  naïve 漢字 👩‍🔬 \r\n x ')).toBe('naïve 漢字 👩‍🔬 x');
  });
});
