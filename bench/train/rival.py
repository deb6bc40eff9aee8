"""The training step of bench/train in PyTorch: float32, eager or compiled, fused AdamW, the same encoder from the same weights.

Called with a setting that sides.ts writes. Commands come one a line: `run N` answers with the seconds, tokens and losses of N
updates, `peak` with the most memory the process had, in MiB."""

import json
import pathlib
import random
import resource
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional as F

path = pathlib.Path(sys.argv[1])
config = json.loads(path.read_text())
device = torch.device(config["device"])
torch.set_num_threads(config["threads"])
torch.manual_seed(1)
hidden, heads, dropout = config["hidden"], config["heads"], config["dropout"]

given = {}
if "weights" in config:
    flat = numpy.fromfile(path.with_name("weights.f32"), dtype=numpy.float32)
    for weight in config["weights"]:
        size = int(numpy.prod(weight["dims"]))
        given[weight["name"]] = torch.from_numpy(flat[:size].reshape(weight["dims"]).copy())
        flat = flat[size:]


def linear(*names):
    """One linear map from weights stored (in, out), several side by side."""
    weight = torch.cat([given[f"{name}.weight"] for name in names], 1).T.contiguous()
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight = nn.Parameter(weight)
    layer.bias = nn.Parameter(torch.cat([given[f"{name}.bias"] for name in names]))
    return layer


def norm(name):
    layer = nn.LayerNorm(hidden, eps=1e-6)
    layer.weight = nn.Parameter(given[f"{name}.weight"])
    layer.bias = nn.Parameter(given[f"{name}.bias"])
    return layer


class Layer(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self, index):
        super().__init__()
        name = f"encoder.layer.{index}"
        self.norms = nn.ModuleList([norm(f"{name}.attention.LayerNorm"), norm(f"{name}.intermediate.LayerNorm")])
        self.qkv = linear(*[f"{name}.attention.self.{role}" for role in ("query", "key", "value")])
        self.out = linear(f"{name}.attention.output.dense")
        self.up = linear(f"{name}.intermediate.dense")
        self.down = linear(f"{name}.output.dense")

    def forward(self, x, bias):
        batch, length, _ = x.shape
        split = (batch, length, 3, heads, hidden // heads)
        q, k, v = self.qkv(self.norms[0](x)).view(split).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout)
        mixed = self.out(mixed.transpose(1, 2).reshape(batch, length, hidden))
        x = x + F.dropout(mixed, dropout)
        return x + F.dropout(self.down(F.gelu(self.up(self.norms[1](x)))), dropout)


def mean_pooled(x, mask):
    return (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)


class Encoder(nn.Module):
    """Mean-pooled classifier."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding.from_pretrained(given["embeddings.word_embeddings.weight"], freeze=False)
        self.positions = nn.Embedding.from_pretrained(given["embeddings.position_embeddings.weight"], freeze=False)
        self.layers = nn.ModuleList([Layer(i) for i in range(config["layers"])])
        self.norm = norm("LayerNorm")
        self.classifier = linear("classifier")

    def forward(self, ids, mask):
        bias = ((1 - mask) * -1e9)[:, None, None, :]
        x = self.words(ids) + self.positions(torch.arange(ids.shape[1], device=ids.device))
        x = F.dropout(x, dropout)
        for layer in self.layers:
            x = layer(x, bias)
        return self.classifier(F.dropout(mean_pooled(self.norm(x), mask), dropout))


class Pretrained(nn.Module):
    """Mean-pooled classifier on a checkpoint of Hugging Face, as transformers trains it."""

    def __init__(self):
        super().__init__()
        from transformers import AutoModel, logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        ratios = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
        self.body = AutoModel.from_pretrained(config["pretrained"], add_pooling_layer=False, dtype=torch.float32, **ratios)
        self.classifier = nn.Linear(hidden, config["classes"])
        nn.init.zeros_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, ids, mask):
        x = self.body(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return self.classifier(F.dropout(mean_pooled(x, mask), dropout))


model = Pretrained() if "pretrained" in config else Encoder()
model.train().to(device)
parameters = list(model.parameters())
if given:
    assert sum(p.numel() for p in parameters) == sum(w.numel() for w in given.values()), "not every weight is used"
optimizer = torch.optim.AdamW(
    [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": config["weightDecay"]},
        {"params": [p for p in parameters if p.dim() == 1], "weight_decay": 0.0},
    ],
    lr=config["learningRate"],
    fused=True,
)
answer = torch.compile(model) if config["compile"] else model
texts, labels = config["texts"], config["labels"]
shuffle = random.Random(1)


def rows_of(step):
    if config["batching"] == "random":
        return shuffle.sample(range(len(texts)), config["batch"])
    return config["plan"][step % len(config["plan"])]


def batch_of(rows):
    length = max(len(texts[row]) for row in rows)
    ids = torch.full((len(rows), length), config["padding"])
    mask = torch.zeros((len(rows), length))
    for i, row in enumerate(rows):
        ids[i, : len(texts[row])] = torch.tensor(texts[row])
        mask[i, : len(texts[row])] = 1
    return ids.to(device), mask.to(device), torch.tensor([labels[row] for row in rows], device=device)


def update(rows):
    ids, mask, wanted = batch_of(rows)
    loss = F.cross_entropy(answer(ids, mask), wanted, label_smoothing=config["labelSmoothing"])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    return loss.item()


done = 0
print("ready", flush=True)
for line in sys.stdin:
    command, *rest = line.split()
    if command == "peak":
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
        continue
    losses, tokens = [], 0
    start = time.perf_counter()
    for _ in range(int(rest[0])):
        rows = rows_of(done)
        losses.append(update(rows))
        tokens += sum(len(texts[row]) for row in rows)
        done += 1
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "tokens": tokens, "losses": losses}), flush=True)
