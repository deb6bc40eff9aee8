import { describe, expect, it } from 'vitest';
import { cardWithFigures } from '../../reports/card.ts';
import { compareRuns } from '../../reports/diff/compare.ts';
import { renderDiffMarkdown } from '../../reports/diff/markdown.ts';
import { judge } from '../../reports/gates/judge.ts';
import { gateSentence } from '../../reports/gates/words.ts';
import { renderHtml } from '../../reports/html/page.ts';
import { renderMarkdown } from '../../reports/markdown.ts';
import type { Report } from '../../reports/report.ts';
import { parseReport } from '../../reports/schema/index.ts';
import { renderTable } from '../../reports/terminal.ts';
import { fullReport } from './sample.ts';

/** The sample's figures as if they were of vectors. */
const ofFeatures = (): Report => {
  const report = fullReport([]);
  const alike = { metric: 'cosine', more: { spearman: { value: 0.9712, interval: null } } };
  return {
    ...report,
    data: { ...report.data, task: 'features', classes: [], baselines: null },
    stages: report.stages.map((stage) => ({
      ...stage,
      overBaseline: null,
      agreement: null,
      training: stage.training && { ...stage.training, metric: 'cosine' },
      quality: stage.quality && { ...stage.quality, ...alike, classes: [] },
      comparisons: stage.comparisons.map((one) => ({
        ...{ ...one, mcnemar: null, agreement: null, kl: null },
        ...{ classes: [], flips: { lost: [], gained: [] } },
      })),
    })),
  };
};

const ofTags = (): Report => {
  const report = fullReport(Array.from({ length: 472 }, (_, i) => `tag-${i}`));
  return {
    ...report,
    stages: report.stages.map((stage) => ({
      ...stage,
      overBaseline: stage.overBaseline && { ...stage.overBaseline, baseline: 'lexicon' },
    })),
    data: {
      ...report.data,
      task: 'token-classification',
      baselines: {
        majority: { score: 0.13, called: 'majority class', scoreInterval: null, difference: null },
        lexicon: { score: 0.861, called: 'most frequent class of each word', scoreInterval: null, difference: null },
      },
    },
  };
};

const card = `---
library_name: transformers.js
---
# A model
PLACEHOLDER
`;

const everything = async (report: Report): Promise<Record<string, string>> => {
  const folder = report.stages.at(-1);
  const side = { report, scores: new Map(), examples: null, name: { where: 'a', name: 'a', created: '' } };
  return {
    terminal: renderTable(report, { columns: 120, color: false }),
    markdown: renderMarkdown(report),
    html: await renderHtml(report),
    card: folder === undefined ? '' : cardWithFigures(card, 'PLACEHOLDER', report, folder),
    diff: renderDiffMarkdown(compareRuns({ before: side, after: side }, { latency: 0.05, quality: 0 }, [])),
  };
};

describe('a report of features', () => {
  it('speaks of cosines to the teacher, never of accuracy or classes', async () => {
    for (const [kind, text] of Object.entries(await everything(ofFeatures()))) {
      expect(text, kind).toMatch(/cosine to (the )?teacher/i);
      expect(text, kind).not.toMatch(/accura|linear bag|McNemar|\bclasses\b|0\.7960 %/i);
    }
    const { markdown, card: made } = await everything(ofFeatures());
    expect(markdown).toContain('the cosine to the teacher is 0.7970 (0.7880 to 0.8060) over 8,154 test texts');
    expect(made).toContain('type: feature-extraction');
  });

  it('comes back from report.json as it was', () => {
    const report = ofFeatures();
    expect(parseReport(JSON.stringify(report), 'x')).toEqual(report);
  });

  it('is held against limits of cosines, and says so where accuracy is asked for', () => {
    const report = ofFeatures();
    const evidence = {
      side: { report, scores: new Map(), examples: null },
      baseline: null,
      before: (id: string) => id,
    };
    const gate = { stage: 'int8', versus: null, confidence: 0.95, batch: null, length: null, value: 0.75 } as const;
    const sentence = (given: Pick<Parameters<typeof judge>[0], 'figure' | 'limit'> & { versus?: string }) =>
      gateSentence(judge({ ...gate, ...given }, evidence));
    expect(sentence({ figure: 'cosine', limit: 'min' })).toBe(
      'passed: int8 cosine: at least 0.7500; found 0.7970 [0.7880, 0.8060]',
    );
    expect(sentence({ figure: 'accuracy', limit: 'min' })).toBe(
      'undecided: int8 accuracy: at least 75.0 % (models of this run are judged by cosine to the teacher: name cosine instead)',
    );
    expect(
      gateSentence(judge({ ...gate, figure: 'cosine', limit: 'maxDrop', value: 0.02, versus: 'teacher' }, evidence)),
    ).toBe('passed: int8 cosine: at most 0.0200 below teacher; found +0.0050 [-0.0010, +0.0110] below');
  });
});

describe('a report of tags', () => {
  it('speaks of words and sentences, and stays readable with 472 of them', async () => {
    const { terminal = '', markdown = '', html = '', card: made = '', diff = '' } = await everything(ofTags());
    expect(terminal).toContain('8,154 test sentences with 8,154 words');
    expect(terminal).toMatch(/^lexicon +86\.1 /m);
    expect(terminal).toContain('lexicon (most frequent class of each word)');
    expect(terminal).toMatch(/Against the most frequent class of each word\sit\sis\s\+6\.6\spoints/);
    for (const text of [terminal, markdown, html, made, diff]) expect(text).toContain('word accuracy');
    for (const text of [terminal, markdown, diff]) expect(text).not.toMatch(/test texts|linear bag/);
    expect(html).toContain('Words whose answer changed');
    expect(html).toMatch(/clearly better tag-\d+(, tag-\d+){11} and \d+ more/);
    expect(html.match(/<th scope="row" class="text">tag-/g)?.length).toBeLessThan(250);
    expect(made).toContain('type: token-classification');
  });
});
