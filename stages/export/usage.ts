import { FOLDER } from '../../ground/reported/stage.ts';
import { dataTask, modelTask, writes } from '../../ground/tasks.ts';
import { type Model, type ModelInfo, type PixelRule, tokensIn } from '../../models/model.ts';
import { clientOptions, onnxFile, type Precision, preferred, sideFiles } from '../../models/precision.ts';
import { type InputRole, inputOf } from '../../models/signature.ts';
import { pythonFeeds } from './names.ts';
import { specialTokens } from './tokens.ts';

/** What is said of a folder's use: its model, the token that stands for a hidden one, and its files. */
export interface Used {
  readonly info: ModelInfo;
  readonly mask: string;
  readonly files: readonly Precision[];
}

export const usedOf = ({ info, tokenizer }: Omit<Model, 'graph'>, files: readonly Precision[]): Used => {
  const { mask_token: mask = '' } = tokenizer === undefined ? {} : specialTokens(info, tokenizer);
  return { info, mask: mask.replaceAll('`', ''), files };
};

/** How one vector of a text is made: as the checkpoint's makers said, or the mean as a first thing to try. */
const poolingOf = ({ processor: { sentence } }: ModelInfo): string => {
  const pooling = sentence?.pooling === 'first' ? 'cls' : 'mean';
  return `{ pooling: '${pooling}'${sentence?.normalize === true ? ', normalize: true' : ''} }`;
};

const maskedText = (mask: string): string => JSON.stringify(`Some ${mask} text.`);

/** Clients read files with three or four channels, whatever they show. */
const isGrey = ({ processor: { pixels } }: ModelInfo): boolean => pixels?.channels === 1;

const call = ({ info, mask }: Used): string => {
  const { about, answer } = modelTask(info.task);
  if (answer === 'vector') return `await run('Some text.', ${poolingOf(info)})`;
  switch (about) {
    case 'text':
      return answer === 'set' ? `await run('Some text.', { top_k: null })` : `await run('Some text.')`;
    case 'word':
      return dataTask(info.task).truth === 'entities'
        ? `await run('Some text.', { aggregation_strategy: 'simple' })`
        : `await run('Some text.', { ignore_labels: [] })`;
    case 'token':
      return writes(info.task) ? `await run('Some text', { max_new_tokens: 40 })` : `await run(${maskedText(mask)})`;
    case 'image':
      return isGrey(info) ? `await run((await RawImage.read('image.png')).grayscale())` : `await run('image.png')`;
  }
};

/** What is done to a logit, in the client's language. */
const numberFrom = ({ processor: { activation } }: ModelInfo): string =>
  activation === 'sigmoid' ? '1 / (1 + Math.exp(-logits.data[0]))' : 'logits.data[0]';

/** How a file that the client has no word for is named to it; config.json says the rest. */
const chosen = ({ files }: Used): string => {
  const { model_file_name: name } = clientOptions(preferred(files));
  return name === undefined ? '' : `, { model_file_name: '${name}' }`;
};

const numberLines = (used: Used, folder: string): string =>
  `const tokenizer = await AutoTokenizer.from_pretrained('${folder}');
const model = await AutoModelForSequenceClassification.from_pretrained('${folder}'${chosen(used)});
// Of a pair: tokenizer('Some text.', { text_pair: 'Another text.', truncation: true })
const { logits } = await model(tokenizer('Some text.', { truncation: true }));
console.log(${numberFrom(used.info)});
// Not pipeline('${modelTask(used.info.task).pipeline}', ...): it makes 1 of any single number.`;

const pipelineLines = (used: Used, folder: string): string =>
  `const run = await pipeline('${modelTask(used.info.task).pipeline}', '${folder}'${chosen(used)});
console.log(${call(used)});`;

/** No pipeline gives a number: that of texts makes shares of scores, and of a single one the share is always 1. */
const isNumber = ({ info }: Used): boolean => modelTask(info.task).answer === 'number';

const imports = (used: Used): string =>
  isNumber(used)
    ? 'AutoModelForSequenceClassification, AutoTokenizer'
    : `pipeline${isGrey(used.info) ? ', RawImage' : ''}`;

const lines = (used: Used, folder: string): string =>
  isNumber(used) ? numberLines(used, folder) : pipelineLines(used, folder);

/** A module for Node. */
export const nodeUsage = (used: Used): string =>
  `import { ${imports(used)} } from '@huggingface/transformers';

${lines(used, FOLDER)}`;

/** A module of a page whose server has the folder below /models/. */
export const browserUsage = (used: Used): string =>
  `import { env, ${imports(used)} } from '@huggingface/transformers';

// The server of the page has this folder as /models/model/; nothing comes from elsewhere.
env.allowLocalModels = true;
env.allowRemoteModels = false;
env.localModelPath = '/models/';
${lines(used, 'model')}`;

/** What Python makes of the first output of a session, `y`. */
const pythonAnswer = ({ info, mask }: Used): string => {
  const { about, answer } = modelTask(info.task);
  const { activation, sentence } = info.processor;
  if (answer === 'number') return activation === 'sigmoid' ? 'print(1 / (1 + np.exp(-y[0, 0])))' : 'print(y[0, 0])';
  if (answer === 'vector') {
    const vector = sentence?.pooling === 'first' ? 'y[0, 0]' : 'y[0].mean(axis=0)';
    return sentence?.normalize === true ? `v = ${vector}\nprint(v / np.linalg.norm(v))` : `print(${vector})`;
  }
  if (answer === 'set') {
    return `config = json.load(open(f"{folder}/config.json"))
limits = config.get("thresholds") or [0.5] * y.shape[1]
p = 1 / (1 + np.exp(-y[0]))
print([config["id2label"][str(c)] for c in range(len(p)) if p[c] > limits[c]])`;
  }
  if (about === 'token') {
    return `at = text.tokens.index(${JSON.stringify(mask)})
print([tokenizer.id_to_token(int(i)) for i in y[0, at].argsort()[::-1][:5]])`;
  }
  const labels = 'labels = json.load(open(f"{folder}/config.json"))["id2label"]';
  return about === 'word'
    ? `${labels}\nprint([(t, labels[str(c)]) for t, c in zip(text.tokens, y[0].argmax(axis=1))])`
    : `${labels}\nprint(labels[str(y[0].argmax())])`;
};

/** Takes the most probable token behind a text, again and again, from what the graph remembers. */
const pythonWriting = ({ info, files }: Used): string => {
  const { inputs, states } = info.signature;
  const fed: Readonly<Partial<Record<InputRole, string>>> = {
    tokens: 'np.array([ids])',
    mask: 'np.ones((1, count), np.int64)',
    positions: 'np.arange(count - len(ids), count)[None]',
    last: 'np.array(1)',
  };
  const feeds = inputs.map(({ name, role }) => `${JSON.stringify(name)}: ${fed[role] ?? '[]'}`).join(', ');
  const [{ axes } = { axes: [] }] = states;
  const [heads, width] = [axes[1], axes[3]].map(Number);
  return `# pip install numpy onnxruntime tokenizers
import numpy as np, onnxruntime as ort
from tokenizers import Tokenizer

folder = "${FOLDER}"
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
session = ort.InferenceSession(f"{folder}/${onnxFile(preferred(files))}")
past = {i.name: np.zeros((1, ${heads}, 0, ${width}), np.float32) for i in session.get_inputs() if i.name.startswith("past")}
ids = tokenizer.encode("Some text").ids
written, count = list(ids), len(ids)
for _ in range(20):
    y, *present = session.run(None, {${feeds}, **past})
    past = dict(zip(past, present))
    ids = [int(y[0, -1].argmax())]
    written, count = written + ids, count + 1
print(tokenizer.decode(written))`;
};

/** Reads a source, and takes the most probable token of the answer again and again; what the source became is remembered once. */
const pythonAnswering = ({ info, files }: Used): string => {
  const { encoder, decoder } = sideFiles(preferred(files));
  const { start, padding } = tokensIn(info.processor);
  return `# pip install numpy onnxruntime tokenizers
import json
import numpy as np, onnxruntime as ort
from tokenizers import Tokenizer

folder = "${FOLDER}"
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
end = json.load(open(f"{folder}/config.json")).get("eos_token_id")
encoder = ort.InferenceSession(f"{folder}/${encoder}")
decoder = ort.InferenceSession(f"{folder}/${decoder}")
ids = np.array([tokenizer.encode("Some text").ids])
mask = np.ones_like(ids)
hidden = encoder.run(None, {"input_ids": ids, "attention_mask": mask})[0]
past = {i.name: np.zeros([d if isinstance(d, int) else int(d == "batch_size") for d in i.shape], np.float32)
        for i in decoder.get_inputs() if i.name.startswith("past")}
written = [${start ?? padding}]
while written[-1] != end and len(written) < 40 or len(written) == 1:
    y, *present = decoder.run(None, {"input_ids": np.array([written[-1:]]), "encoder_attention_mask": mask,
                                     "encoder_hidden_states": hidden, **past})
    past = {name: old if new.shape[2] == 0 else new for (name, old), new in zip(past.items(), present)}
    written.append(int(y[0, -1].argmax()))
print(tokenizer.decode(written))`;
};

/** The same of images, which need no tokenizer. */
const pythonOfImages = (
  { info, files }: Used,
  { channels, height, width, scale, mean, deviation }: PixelRule,
): string => {
  const name = inputOf(info.signature, 'pixels');
  return `# pip install numpy onnxruntime pillow
import json
import numpy as np, onnxruntime as ort
from PIL import Image

folder = "${FOLDER}"
session = ort.InferenceSession(f"{folder}/${onnxFile(preferred(files))}")
image = Image.open("image.png").convert("${channels === 1 ? 'L' : 'RGB'}").resize((${width}, ${height}), Image.BILINEAR)
x = np.asarray(image, np.float32).reshape(${height}, ${width}, ${channels}) * np.float32(${scale})
x = ((x - np.array(${JSON.stringify(mean)}, np.float32)) / np.array(${JSON.stringify(deviation)}, np.float32)).transpose(2, 0, 1)
y = session.run(None, {${JSON.stringify(name)}: x[None]})[0]
labels = json.load(open(f"{folder}/config.json"))["id2label"]
print(labels[str(y[0].argmax())])`;
};

/** A script for Python, which needs neither PyTorch nor transformers. */
export const pythonUsage = (used: Used): string => {
  const { info, mask, files } = used;
  const { reads } = modelTask(info.task);
  if (reads !== undefined) return reads === 'before' ? pythonWriting(used) : pythonAnswering(used);
  const { pixels } = info.processor;
  if (pixels !== undefined) return pythonOfImages(used, pixels);
  const file = onnxFile(preferred(files));
  const text = modelTask(info.task).about === 'token' ? maskedText(mask) : '"Some text."';
  return `# pip install numpy onnxruntime tokenizers
import json
import numpy as np, onnxruntime as ort
from tokenizers import Tokenizer

folder = "${FOLDER}"
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
tokenizer.enable_truncation(${info.maxLength})
session = ort.InferenceSession(f"{folder}/${file}")
text = tokenizer.encode(${text})
feeds = ${pythonFeeds(info)}
y = session.run(None, {i.name: np.array([feeds[i.name]]) for i in session.get_inputs()})[0]
${pythonAnswer(used)}`;
};
