"""The training step of bench/train.ts in PyTorch: eager float32, fused AdamW, the same encoder.

Reads numbers of steps, one a line, and answers with the seconds they took."""

import json
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

config = json.loads(sys.argv[1])
torch.set_num_threads(config["threads"])
torch.manual_seed(1)
hidden, heads, dropout = config["hidden"], config["heads"], config["dropout"]


class Layer(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(hidden, eps=1e-6) for _ in range(2)])
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.up = nn.Linear(hidden, config["ffn"])
        self.down = nn.Linear(config["ffn"], hidden)

    def forward(self, x, bias):
        batch, length, _ = x.shape
        split = (batch, length, 3, heads, hidden // heads)
        q, k, v = self.qkv(self.norms[0](x)).view(split).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout)
        mixed = self.out(mixed.transpose(1, 2).reshape(batch, length, hidden))
        x = x + F.dropout(mixed, dropout)
        return x + F.dropout(self.down(F.gelu(self.up(self.norms[1](x)))), dropout)


class Encoder(nn.Module):
    """Mean-pooled classifier."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(config["vocabulary"], hidden)
        self.positions = nn.Embedding(config["length"], hidden)
        self.layers = nn.ModuleList([Layer() for _ in range(config["layers"])])
        self.norm = nn.LayerNorm(hidden, eps=1e-6)
        self.classifier = nn.Linear(hidden, config["classes"])

    def forward(self, ids, mask):
        bias = ((1 - mask) * -1e9)[:, None, None, :]
        x = self.words(ids) + self.positions(torch.arange(ids.shape[1]))
        x = F.dropout(x, dropout)
        for layer in self.layers:
            x = layer(x, bias)
        x = self.norm(x)
        pooled = (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        return self.classifier(F.dropout(pooled, dropout))


model = Encoder()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
shape = (config["batch"], config["length"])
batches = [
    (torch.randint(config["vocabulary"], shape), torch.randint(config["classes"], shape[:1])) for _ in range(8)
]
mask = torch.ones(shape)


def step(i):
    ids, labels = batches[i % len(batches)]
    loss = F.cross_entropy(model(ids, mask), labels, label_smoothing=0.1)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


print(0, flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    for i in range(int(line)):
        step(i)
    print(time.perf_counter() - start, flush=True)
