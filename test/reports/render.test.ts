import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { value } from '../../graph/graph.ts';
import type { Precision } from '../../models/precision.ts';
import { textPort, textSignature } from '../../models/signature.ts';
import { cardWithFigures } from '../../reports/card.ts';
import { isUneven } from '../../reports/classification.ts';
import { renderCsv } from '../../reports/csv.ts';
import { renderHtml } from '../../reports/html/page.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import type { Report, StageReport } from '../../reports/report.ts';
import { renderTable } from '../../reports/terminal.ts';
import { oneLine, terminalWidth } from '../../reports/text.ts';
import { headline, verdict } from '../../reports/verdict.ts';
import { modelCard } from '../../stages/export/card.ts';
import { RESULTS_PLACEHOLDER, UNTITLED } from '../../stages/export/placeholder.ts';
import { bare, bareStage, fullReport, hostile, latency } from './sample.ts';

const report = fullReport();

/** Any text, texts of markup, and texts that are known to do harm. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('<', '>', '&', '"', "'", '`', '|', '\n', '=', '\u001b', '[', ']', '*', 'a', '\\'),
    maxLength: 20,
  }),
  fc.constantFrom(...Object.values(hostile)),
);

/** The report with one text wherever names, examples and notes stand. */
const sayingEverywhere = (text: string): Report => {
  const full = fullReport([text, `${text} 2`], text);
  const rename = (id: string): string => (id === 'int8' ? text : id);
  return {
    ...full,
    stages: full.stages.map((stage) => ({
      ...stage,
      id: rename(stage.id),
      inputs: Object.fromEntries(Object.entries(stage.inputs).map(([name, id]) => [name, rename(id)])),
      notes: [...stage.notes, text],
    })),
  };
};

const many = (stages: number): Report => ({
  ...report,
  stages: Array.from({ length: stages }, (_, i) => ({
    ...(report.stages[i % 4] ?? bareStage('x')),
    id: `stage-${i}`,
    notes: ['one', 'two'],
  })),
});

describe('the verdict', () => {
  it('compares the model that ships with the reference, with intervals', () => {
    expect(headline(report)?.id).toBe('int8');
    expect(verdict(report)).toBe(
      'int8 is 15.7 times as fast as teacher (15.1 to 16.2) and 11.4 times smaller; it is right on 79.7 % (78.8 to 80.6) of 8,154 test texts, -0.5 points (-1.1 to +0.1), which may be chance. Against the linear bag of words it is +6.6 points (+5.8 to +7.4).',
    );
  });

  it('does not call a speed-up whose interval holds 1 faster', () => {
    const same = { ...latency(1, 2.2, 1.01), speedupInterval: { low: 0.97, high: 1.06 } };
    const stages = report.stages.map((stage) => (stage.id === 'int8' ? { ...stage, latency: [same] } : stage));
    expect(verdict({ ...report, stages })).toContain('int8 is as fast as teacher as far as can be told');
  });

  it('says so when nothing was evaluated or only the reference was', () => {
    expect(verdict(bare)).toBe('No model of this run was evaluated.');
    expect(verdict({ ...report, stages: report.stages.slice(0, 1) })).toBe(
      'teacher: it is right on 80.2 % (79.3 to 81.1) of 8,154 test texts.',
    );
  });
});

/** The sample where the strongest baseline is as much above a stage as `estimate` says. */
const beaten = (estimates: Readonly<Record<string, number>>): Report => ({
  ...report,
  stages: report.stages.map((stage) => {
    const estimate = estimates[stage.id];
    const score = estimate === undefined ? null : { estimate, low: estimate - 0.01, high: estimate + 0.01 };
    return { ...stage, overBaseline: score && { baseline: 'linear', score, paired: true } };
  }),
});

describe('a model that beats no baseline', () => {
  it('is not worth deploying, says the first sentence', () => {
    expect(verdict(beaten({ int8: -0.02 }))).toMatch(
      /^Nothing here is worth deploying yet: int8 does not beat the linear bag of words by accuracy, 79.7 % against 73.1 %, -2.0 points \(-3.0 to -1.0\)\. int8 is 15.7 times/,
    );
  });

  it('is not beaten by chance', () => {
    expect(verdict(beaten({ int8: 0.005 }))).toContain('+0.5 points (-0.5 to +1.5), which may be chance.');
  });

  it('is told beside those that do', () => {
    expect(verdict(beaten({ int8: 0, student: 0.03 }))).toMatch(
      /^int8 is not worth deploying yet: .* may be chance; student does\. /,
    );
  });

  it('says nothing where nothing is known of baselines, or of too few texts', () => {
    expect(verdict(beaten({}))).toMatch(/^int8 is 15.7 times/);
    const few = beaten({ int8: -0.2 });
    expect(verdict({ ...few, data: { ...few.data, test: 20 } })).toMatch(/^int8 is 15.7 times/);
  });
});

describe('uneven classes', () => {
  const supports = [900, 60, 40];
  const uneven: Report = {
    ...report,
    stages: report.stages.map((stage) => ({
      ...stage,
      quality: stage.quality && {
        ...stage.quality,
        classes: stage.quality.classes.slice(0, 3).map((one, i) => ({ ...one, support: supports[i] ?? 0 })),
      },
    })),
  };

  it('have macro F1 in the headline, in the tables and on the page', async () => {
    expect(verdict(uneven)).toContain('8,154 test texts with a macro F1 of 69.7 % (67.7 to 71.7) over uneven classes');
    expect(renderTable(uneven, { columns: 120, color: false })).toMatch(/accuracy % +macro F1 % +points/);
    expect(renderMarkdown(uneven)).toContain('| stage | accuracy % | macro F1 % |');
    expect(await renderHtml(uneven)).toMatch(/>Macro F1<\/button><\/dt><dd>69.7 %/);
  });

  it('are none where the smallest has a third of its even share', () => {
    expect(isUneven([900, 100, 112].map((support) => ({ support })))).toBe(true);
    expect(isUneven([776, 112, 112].map((support) => ({ support })))).toBe(false);
    expect(verdict(report)).not.toContain('uneven');
  });
});

describe('answers of the model that ships', () => {
  it('are told by class, with what was confused and the surest mistakes, in Markdown and HTML', async () => {
    const markdown = renderMarkdown(report);
    const open = markdown.split('<details>')[0] ?? '';
    expect(open).toMatch(/\| act \| 100 \| 80.0 \| 70.0 \| 75.0 \[70.0, 80.0\] \| 90 \| 10 \|/);
    expect(open).toContain('Most often taken: act for animal (10).');
    expect(markdown).toContain('a small tree: said act, 93.0 % sure; true: animal');
    const page = await renderHtml(report);
    expect(page).toMatch(/<h3>Classification report<.*<h3>Confusion matrix<.*<h3>Reliability</s);
    expect(page).toContain('<span class="cell" style="--share:0.900">90</span>');
    expect(page).toContain('said act, 93.0 % sure; true: <b>animal</b>');
  });
});

describe('a control', () => {
  const scratch = {
    ...(report.stages[1] ?? bareStage('x')),
    id: 'scratch',
    uses: 'train',
    config: { like: 'student' },
  };
  const controlled: Report = { ...report, stages: [...report.stages.slice(0, 2), scratch] };

  it('is no headline and has no speed-up', () => {
    expect(headline(controlled)?.id).toBe('student');
    const table = renderTable(controlled, { columns: 120, color: false });
    expect(table).toMatch(/^scratch .* 3,788 +—$/m);
    expect(table).toContain('scratch is a control, trained from random weights without a teacher');
  });

  it('is none where another stage takes its model', () => {
    const taken = { ...bareStage('more', { inputs: { model: 'scratch' } }), model: scratch.model };
    expect(
      renderTable({ ...controlled, stages: [...controlled.stages, taken] }, { columns: 120, color: false }),
    ).not.toContain('control');
  });
});

describe('too few test texts', () => {
  const few: Report = { ...report, data: { ...report.data, test: 29, remarks: ['1 of 3 classes have no text'] } };
  const [folder = bareStage('deploy')] = report.stages.filter(({ id }) => id === 'deploy');
  const said = '29 test texts are too few for a verdict (30 or more are needed)';

  it('have no rate in the headline, wherever it stands', async () => {
    expect(verdict(few)).toBe(`int8 is 15.7 times as fast as teacher (15.1 to 16.2) and 11.4 times smaller; ${said}.`);
    expect(verdict({ ...few, data: { ...few.data, test: 30 } })).toContain('it is right on 79.7 %');
    for (const text of [renderTable(few, { columns: 200, color: false }), renderMarkdown(few)]) {
      expect(text.replaceAll('\\', '')).toContain(said);
      expect(text).toMatch(/data: 1 of 3 classes have no text/);
      expect(text).not.toContain('it is right on');
    }
    const page = await renderHtml(few);
    expect(page).toMatch(/>Accuracy<\/button><\/dt><dd>no verdict<small>29 test texts are too few/);
    expect(page).toContain('<b>data</b>: 1 of 3 classes have no text');
  });

  it('are said in the model card, and no rate goes to its index', () => {
    const card = cardWithFigures('---\na: b\n---\nPLACE', 'PLACE', few, folder);
    expect(card).toContain(`**${said}.**`);
    expect(card).toContain('metrics: []');
  });
});

describe('the terminal table', () => {
  it('shows the verdict, then one row a stage', () => {
    expect(
      renderTable(report, { columns: 80, color: false }),
    ).toBe(`int8 is 15.7 times as fast as teacher (15.1 to 16.2) and 11.4 times smaller; it
is right on 79.7 % (78.8 to 80.6) of 8,154 test texts, -0.5 points (-1.1 to
+0.1), which may be chance. Against the linear bag of words it is +6.6 points
(+5.8 to +7.4).

Why int8 is not faster still, by a profile of its own: A third of the time is
the cost of starting nodes (31.0 % of its time).

stage     accuracy %      points [95 %]     bytes  p50 ms  texts/s  speed-up
majority        14.0                  —       4 B       —        —         —
linear          73.1  -7.1 [-8.0, -6.2]   4.21 MB   0.021   46,948         —
teacher         80.2          reference  27.06 MB    2.23      448     1.00x
student         79.6  -0.6 [-1.2, +0.0]   8.81 MB   0.264    3,788      8.5x
int8            79.7  -0.5 [-1.1, +0.1]   2.37 MB   0.142    7,042     15.7x
deploy

stage    p50 ms, batch 32  texts/s, batch 32  speed-up, batch 32
teacher             44.20                724               1.00x
student              7.40              4,324                6.0x
int8                 3.40              9,412               13.2x
deploy

stage    agrees %  parameters  non-zero      gzip     MACs  seconds
teacher     100.0      6.76 M    6.76 M  24.89 MB  70.15 M       12
student      90.0      2.19 M    1.00 M   8.11 MB   9.00 M       12
int8         90.0      2.19 M    2.10 M   2.18 MB   9.00 M     12 *
deploy                                                           12

to be beaten: majority (majority class), linear (linear bag of words)
p50 at batch 1, 15 tokens, 1 thread; MACs at 15 tokens; latency of baselines is
from another measurement: from the text, splitting included, in JavaScript,
where that of models begins at tokens
* reused from the cache
8,154 test texts; 525 s in all
run with --set data.limit=8000 --set x='; rm -rf /

int8: kept | the classifier in float
`);
  });

  it.each([0, 1, 7, 20, 40, 47, 48, 60, 80, 200])('fits a terminal of %i columns', (columns) => {
    const width = columns === 0 ? 80 : columns;
    const wide = { ...report, stages: [...report.stages, bareStage('漢字'.repeat(20)), bareStage('a'.repeat(90))] };
    for (const line of renderTable(wide, { columns, color: false }).split('\n')) {
      expect(terminalWidth(line)).toBeLessThanOrEqual(width);
    }
  });

  it('uses escape codes only when colour is wanted, and none of a text of the run', () => {
    expect(renderTable(report, { columns: 80, color: true })).toContain('\u001b[1m');
    fc.assert(
      fc.property(anyText, fc.constantFrom(0, 20, 80), (text, columns) => {
        expect(renderTable(sayingEverywhere(text), { columns, color: false })).not.toMatch(/(?!\n)\p{Cc}|\u202e/u);
      }),
      { numRuns: 60 },
    );
  });
});

/** Escaped characters and entities taken away, what is left can act. */
const active = (markdown: string): string => markdown.replace(/\\[\\`*_[\]#|~$+=-]|&(?:lt|gt|amp);/g, '');

describe('report.md', () => {
  it('keeps markup, links, mentions and table cells of names and notes inert', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const lines = renderMarkdown(sayingEverywhere(text)).split('\n');
        const plain = renderMarkdown(sayingEverywhere('x')).split('\n');
        const tags = (all: readonly string[]): string[] => all.flatMap((line) => active(line).match(/<[^>]*>?/g) ?? []);
        expect(tags(lines)).toEqual(tags(plain));
        expect(lines.length).toBe(plain.length);
        const bars = (all: readonly string[]): number[] => all.map((line) => active(line).split('|').length);
        expect(bars(lines)).toEqual(bars(plain));
        expect(active(lines.join('\n'))).not.toMatch(/\]\(|https?:\/\/|@\w/);
      }),
      { numRuns: 100 },
    );
  });

  it.each([0, 1, 4, 12, 25, 80])('is short enough for a pull-request comment with %i stages', (stages) => {
    const text = renderMarkdown(many(stages));
    expect(text.split('\n').length).toBeLessThan(60);
    expect(text.split('<details>').length).toBe(text.split('</details>').length);
  });

  it('has a short table of fewer bits', () => {
    const stages = report.stages.filter(({ quantization }) => quantization !== undefined);
    const markdown = renderMarkdown({ ...report, answers: null, stages });
    expect(markdown).toContain('<details><summary>Fewer bits</summary>');
    expect(markdown).toContain(
      '| int8 | q4 | 1 in 4 bits, 1 in 8 bits, 1 in float32 | 2.37 MB | 0.99540 (1) | +0.1 [-0.3, +0.4] points |',
    );
  });

  it('folds everything but the verdict and the table', () => {
    const open = renderMarkdown(report).split('<details>')[0] ?? '';
    expect(open).toContain('**int8 is 15.7 times as fast');
    expect(open).toContain(
      '| **int8** | 79.7 | -0.5 [-1.1, +0.1] | 2.37 MB | 0.142 | 7,042 | 15.7x | 3.40 | 9,412 | 13.2x |',
    );
  });
});

describe('the CSV', () => {
  const read = (of: Report): Record<string, string>[] => parse(renderCsv(of), { columns: true });

  it('has one line a stage with all digits', () => {
    const rows = read(report);
    expect(rows.map(({ stage }) => stage)).toEqual(['teacher', 'student', 'int8', 'deploy']);
    expect(rows[2]).toMatchObject({
      accuracy: '0.797',
      difference: '-0.005',
      bytes: '2370000',
      p50_ms_batch_1_length_15: '0.142',
      speedup_low_batch_1_length_15: '15.072',
    });
    expect(rows[3]).toMatchObject({ accuracy: '', bytes: '' });
  });

  it('never begins a text with what a spreadsheet runs', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const rows = read({ ...report, stages: [bareStage(text, { uses: text })] });
        expect(rows).toHaveLength(1);
        expect(rows[0]?.stage).not.toMatch(/^[=+\-@|%\t\r]/);
        expect(rows[0]?.stage?.replace(/^'/, '')).toBe(oneLine(text).replace(/^'/, ''));
      }),
    );
  });

  it('writes no figure that is not one', () => {
    const broken: StageReport = bareStage('x', {
      seconds: Number.NaN,
      difference: { score: Number.POSITIVE_INFINITY, low: 0, high: 0 },
    });
    expect(read({ ...bare, stages: [broken] })[0]).toMatchObject({ seconds: '', difference: '' });
  });
});

describe('the model card', () => {
  const info = (labels: readonly string[]) =>
    ({
      schema: 'decant.model/2',
      task: 'text-classification',
      labels,
      signature: textSignature({ ids: value('ids'), mask: value('mask') }, textPort(value('logits'))),
      maxLength: 48,
      processor: { tokens: { padding: 0, unknown: 1 } },
      modelType: 'distilbert',
      dimensions: { hidden: 192 },
    }) as const;
  const needs = (files: readonly Precision[]) =>
    new Map(files.map((file) => [file, { minor: file === 'fp32' ? 17 : 21, opset: 20, format: 9 }]));
  const cardOf = (labels: readonly string[], files: readonly Precision[], languages: readonly string[] = []): string =>
    modelCard({ info: info(labels), tokenizer: {} }, needs(files), { results: RESULTS_PLACEHOLDER, languages });
  const [folder = bareStage('deploy')] = report.stages.filter(({ id }) => id === 'deploy');
  const front = (card: string): unknown => parseYaml(card.split('---\n')[1] ?? '');

  it('carries the figures of the run, for people and in the front matter', () => {
    const card = cardWithFigures(cardOf(['a'], ['fp32', 'q8']), RESULTS_PLACEHOLDER, report, folder);
    expect(card).toContain(
      '| q8 (int8) | 79.7 [78.8, 80.6] | -0.5 [-1.1, +0.1] | 2.37 MB | 0.142 | 7,042 | 15.7x | 3.40 | 9,412 | 13.2x |',
    );
    expect(front(card)).toMatchObject({
      library_name: 'transformers.js',
      'model-index': [
        { name: 'supersense', results: [{ metrics: [{ type: 'accuracy', value: 0.796 }, {}, { value: 0.797 }, {}] }] },
      ],
    });
    expect(card).not.toContain(RESULTS_PLACEHOLDER);
    expect(card).toMatch(/^# supersense$/m);
    expect(card).not.toMatch(/^language:/m);
  });

  it('names the oldest ONNX Runtime of each file, and how to keep its telemetry off', () => {
    const card = cardOf(['a'], ['fp32', 'q8']);
    expect(card).toMatch(
      /^- `onnx\/model.onnx`: .*; needs ONNX Runtime 1.17 or later \(operator set 20, file format 9\)$/m,
    );
    expect(card).toMatch(/^- `onnx\/model_quantized.onnx`: .*; needs ONNX Runtime 1.21 or later /m);
    expect(card).toContain('ORT_DISABLE_TELEMETRY=1');
  });

  it('names languages where they are given, for people and for machines, and says that it knows none elsewhere', () => {
    const [none, two] = [cardOf(['a'], ['q8']), cardOf(['a'], ['q8'], ['no', 'pt-BR'])];
    expect(none).toContain('\nLanguages: not known.\n');
    expect(two).toContain('\nLanguages: no, pt-BR.\n');
    expect(front(two)).toMatchObject({ language: ['no', 'pt-BR'] });
    expect(front(none)).not.toHaveProperty('language');
    const whole = cardWithFigures(two, RESULTS_PLACEHOLDER, report, folder);
    expect(front(whole)).toMatchObject({ language: ['no', 'pt-BR'], 'model-index': [{ name: 'supersense' }] });
  });

  it('calls the data by its name, or by what reads it', () => {
    const named = { ...report, data: { ...report.data, name: 'letters *2025*.csv' } };
    const of = (one: Report) => cardWithFigures(cardOf(['a'], ['q8']), RESULTS_PLACEHOLDER, one, folder);
    const dataset = (card: string): unknown => Object(front(card))['model-index'][0].results[0].dataset.name;
    expect(dataset(of(named))).toBe('letters *2025*.csv');
    expect(of(named)).toContain('test texts of letters \\*2025\\*.csv');
    expect(dataset(of(report))).toBe(report.data.uses);
  });

  it('gets the title of the run alone when there are no figures, and stays as it is when it is not ours', () => {
    const card = cardOf([], ['q8']);
    const titled = card.replace(`# ${UNTITLED}`, `# ${bare.name}`);
    expect(titled).not.toBe(card);
    expect(cardWithFigures(card, RESULTS_PLACEHOLDER, bare, folder)).toBe(titled);
    expect(cardWithFigures('# mine', RESULTS_PLACEHOLDER, report, folder)).toBe('# mine');
  });

  it('keeps names inert', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const card = cardOf([text], ['q8']);
        expect(card.split('\n').length).toBe(cardOf(['x'], ['q8']).split('\n').length);
        const line = card.split('\n').find((one) => one.startsWith('Classes: ')) ?? '';
        expect(active(line)).not.toMatch(/[<>|`*[\]]/);
        const whole = cardWithFigures(card, RESULTS_PLACEHOLDER, sayingEverywhere(text), {
          ...folder,
          inputs: { q8: text },
        });
        expect(front(whole)).toMatchObject({ library_name: 'transformers.js' });
      }),
      { numRuns: 60 },
    );
  });
});
