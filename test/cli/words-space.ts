import { writeGraph } from '../../graph/codec/index.ts';
import { smallEncoder, tokenizerOfWords } from '../models/support.ts';
import { type Workspace, workspace } from '../rig/workspace.ts';

const words = ['[PAD]', '[UNK]', 'cat', 'dog', 'cow', 'bread', 'soup', 'milk', 'old', 'small', 'the', 'late'];
const special = ['[PAD]', '[UNK]'].map((content, id) => ({ id, content, special: true }));

/** A folder with an encoder (model.onnx), the tokenizer of its words (words) and 120 texts of two classes (texts.csv). */
export const wordsSpace = async (widths: {
  readonly hidden: number;
  readonly ffn: number;
  readonly heads: number;
}): Promise<Workspace> => {
  const space = workspace();
  space.write('words/tokenizer.json', JSON.stringify(tokenizerOfWords(words, special)));
  const lines = Array.from({ length: 120 }, (_, i) => `${words[8 + (i % 4)]} ${words[2 + (i % 6)]} number ${i}`);
  space.write(
    'texts.csv',
    lines.reduce((csv, text, i) => `${csv}${text},${i % 2 ? 'odd' : 'even'}\n`, 'text,label\n'),
  );
  const { graph } = smallEncoder({ ...widths, vocabulary: words.length, tokens: { padding: 0, unknown: 1 } });
  await writeGraph(space.path('model.onnx'), graph);
  return space;
};
