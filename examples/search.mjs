// Finds the texts of a list that mean what is asked, by the vectors of a model:
//   npx decant run examples/sentence-embeddings.yaml
//   node examples/search.mjs examples/runs/sentence-embeddings/deploy texts.txt "to go somewhere slowly"
import { readFileSync } from 'node:fs';
import { loadModel, UserError } from 'decant';

const [folder, file, question] = process.argv.slice(2);
if (question === undefined) {
  console.error('usage: node search.mjs MODEL TEXTS "question": TEXTS has one text a line');
  process.exit(2);
}

/** Vectors of length 1: their product is the cosine. */
const unit = ({ vector }) => {
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
};
const dot = (x, y) => x.reduce((sum, value, i) => sum + value * y[i], 0);

const SHOWN = 5;

try {
  const texts = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const model = await loadModel(folder);
  const { answers } = await model.predict([question, ...texts]);
  await model.release();
  const [asked, ...vectors] = answers.map(unit);
  const found = vectors.map((vector, i) => ({ text: texts[i], cosine: dot(asked, vector) }));
  for (const { text, cosine } of found.toSorted((a, b) => b.cosine - a.cosine).slice(0, SHOWN))
    console.log(`${cosine.toFixed(3)}  ${text}`);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
