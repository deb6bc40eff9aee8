"""Makes losses.json: what losses that imitate a teacher come to, and their gradients in the student, by PyTorch 2.15 in float64.

    python test/golden/losses.recipe.py > test/golden/losses.json
"""

import json
import math

import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, Categorical, kl_divergence

torch.manual_seed(19)
torch.set_default_dtype(torch.float64)

TEXTS, LENGTH, CLASSES = 4, 5, 3
LENGTHS = torch.tensor([5, 3, 4, 2])
KEPT = (torch.arange(LENGTH)[None, :] < LENGTHS[:, None]).double()
cases = []


def drawn(*dims, scale=1.0):
    return (torch.randn(*dims) * scale).mul(1e4).round().div(1e4).float().double()


def plain(tensor):
    return {"dims": list(tensor.shape), "data": [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()]}


def case(name, uses, loss, student, teacher, projections=None, options=None, **more):
    """`student` and `teacher` are tensors by name; gradients are those in the student's, and in projections."""
    projections = projections or {}
    moving = {**student, **projections}
    for tensor in moving.values():
        tensor.requires_grad_(True)
    value = loss()
    found = torch.autograd.grad(value, list(moving.values()), allow_unused=True)
    gradients = {key: plain(g) for key, g in zip(moving, found) if g is not None}
    cases.append(
        {
            "name": name,
            "entry": {"uses": uses, **(options or {})},
            "student": {key: plain(x) for key, x in student.items()},
            "teacher": {key: plain(x) for key, x in teacher.items()},
            "projections": {key: plain(x) for key, x in projections.items()},
            "loss": value.item(),
            "gradients": gradients,
            **more,
        }
    )


def answers(name, uses, of, width=CLASSES, **more):
    s, t = drawn(TEXTS, width, scale=2), drawn(TEXTS, width, scale=2)
    case(name, uses, lambda: of(s, t), {"answers": s}, {"answers": t}, **more)


# Losses on answers

def kl(s, t, T=2.0):
    return kl_divergence(Categorical(logits=t / T), Categorical(logits=s / T)).mean() * T**2


def bernoulli(s, t, T=2.0):
    return kl_divergence(Bernoulli(logits=t / T), Bernoulli(logits=s / T)).mean() * T**2


answers("kl", "kl", kl, answer="choice")
answers("kl, half of it", "kl", lambda s, t: 0.5 * kl(s, t, 4.0), options={"weight": 0.5, "temperature": 4}, answer="choice")
answers("kl, each class by itself", "kl", bernoulli, answer="set")
answers("reverse-kl", "reverse-kl", lambda s, t: kl(t, s), answer="choice")
answers("reverse-kl, each class by itself", "reverse-kl", lambda s, t: bernoulli(t, s), answer="set")
answers("mse", "mse", F.mse_loss, answer="choice")
answers("mse of numbers", "mse", F.mse_loss, width=1, answer="number")


def pearson(x, y, eps=1e-8):
    """As hunto/DIST_KD has it: the cosine of what is centred."""
    return F.cosine_similarity(x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True), dim=1, eps=eps)


def dist(s, t, beta=1.0, gamma=1.0, tau=1.0):
    s, t = (s / tau).softmax(dim=1), (t / tau).softmax(dim=1)
    inter = 1 - pearson(s, t).mean()
    intra = 1 - pearson(s.T, t.T).mean()
    return tau**2 * (beta * inter + gamma * intra)


answers("dist", "dist", dist, options={"temperature": 1}, answer="choice", width=5)
answers(
    "dist, softened and uneven",
    "dist",
    lambda s, t: dist(s, t, 0.5, 2.0, 3.0),
    options={"temperature": 3, "inter": 0.5, "intra": 2},
    answer="choice",
    width=5,
)
answers("cosine", "cosine", lambda s, t: (1 - F.cosine_similarity(s, t)).mean(), width=6, answer="vector")


def contrastive(s, t, T):
    s, t = F.normalize(s), F.normalize(t)
    return F.kl_div((s @ t.T / T).log_softmax(1), (t @ t.T / T).log_softmax(1), reduction="batchmean", log_target=True)


answers("contrastive", "contrastive", lambda s, t: contrastive(s, t, 0.2), options={"temperature": 0.2}, width=6, answer="vector")


# Losses inside: layers' states are called hidden.0, hidden.1, ...

def mean(per_token):
    return (per_token * KEPT).sum() / KEPT.sum()


def states(layers, width):
    return [drawn(TEXTS, LENGTH, width) for _ in range(layers)]


def named(kind, tensors):
    return {f"{kind}.{i}": x for i, x in enumerate(tensors)}


def squares(s, t):
    return mean(F.mse_loss(s, t, reduction="none").mean(-1))


s, t = states(2, 4), states(4, 4)
case(
    "hidden, spread evenly",
    "hidden",
    lambda s=s, t=t: squares(s[0], t[1]) + squares(s[1], t[3]),
    named("hidden", s),
    named("hidden", t),
)
s, t, w = states(2, 4), states(3, 6), drawn(4, 6)
case(
    "hidden, given and projected",
    "hidden",
    lambda s=s, t=t, w=w: 0.3 * squares(s[1] @ w, t[0]),
    named("hidden", s),
    named("hidden", t),
    {"hidden_projection.1.weight": w},
    {"layers": {"1": 0}, "weight": 0.3},
)
t = states(5, 4)
s = [(t[near] + drawn(TEXTS, LENGTH, 4, scale=0.5)).float().double() for near in (2, 1, 4)]
case(
    "hidden, the nearest",
    "hidden",
    lambda s=s, t=t: sum(torch.stack([squares(one, t[to]) for one in s]).min() for to in (1, 2, 4)),
    named("hidden", s),
    named("hidden", t),
    options={"layers": "dynamic"},
)
s, t = states(2, 4), states(2, 4)
case(
    "hidden-cosine of the last",
    "hidden-cosine",
    lambda s=s, t=t: F.cosine_embedding_loss(
        s[1][KEPT.bool()], t[1][KEPT.bool()], torch.ones(int(KEPT.sum()))
    ),
    named("hidden", s),
    named("hidden", t),
)
s, t = states(1, 4), states(2, 4)
case(
    "hidden-normalised",
    "hidden-normalised",
    lambda s=s, t=t: mean((F.normalize(s[0], dim=-1) - F.normalize(t[1], dim=-1)).pow(2).sum(-1)),
    named("hidden", s),
    named("hidden", t),
)
s, t, w = drawn(TEXTS, LENGTH, 4), drawn(TEXTS, LENGTH, 6), drawn(4, 6)
case(
    "embeddings",
    "embeddings",
    lambda s=s, t=t, w=w: squares(s @ w, t),
    {"embeddings": s},
    {"embeddings": t},
    {"embeddings_projection.embeddings.weight": w},
)

LEAST = float(torch.finfo(torch.float32).min)


def scores(heads, mask):
    x = drawn(TEXTS, heads, LENGTH, LENGTH)
    hidden = (KEPT == 0)[:, None, None, :].expand_as(x)
    return torch.where(hidden, torch.full_like(x, mask) if mask < -1e9 else x + mask, x).float().double()


def maps(s, t):
    """KL(teacher || student) of each query, the mean over heads."""
    return mean(F.kl_div(s.log_softmax(-1), t.softmax(-1), reduction="none").sum(-1).mean(1))


s, t = scores(2, LEAST), scores(2, -1e4)
case("attention", "attention", lambda s=s, t=t: maps(s, t), {"scores.0": s}, {"scores.0": t})
s, t = scores(2, -1e4), scores(3, LEAST)
case(
    "attention of other heads",
    "attention",
    lambda s=s, t=t: mean(
        (t.softmax(-1).mean(1) * ((t.softmax(-1).mean(1) + 1e-300).log() - (s.softmax(-1).mean(1) + 1e-300).log())).sum(-1)
    ),
    {"scores.0": s},
    {"scores.0": t},
)


def squared_scores(s, t):
    """As TinyBERT's code has it: scores below -1e2 are 0 on both sides; the mean over what is seen."""
    s, t = torch.where(s <= -1e2, 0.0, s), torch.where(t <= -1e2, 0.0, t)
    return mean(((s - t).pow(2).sum(-1) / KEPT.sum(1)[:, None, None]).mean(1))


s, t = scores(2, LEAST), scores(2, -1e4)
case(
    "attention before the softmax",
    "attention",
    lambda s=s, t=t: squared_scores(s, t),
    {"scores.0": s},
    {"scores.0": t},
    options={"compare": "scores"},
)


def heads_of(x, relation_heads):
    """(texts, heads, length, d) laid side by side and cut again."""
    wide = x.transpose(1, 2).reshape(TEXTS, LENGTH, -1)
    return wide.reshape(TEXTS, LENGTH, relation_heads, -1).transpose(1, 2)


def relations(s, t, relation_heads):
    hidden = (KEPT == 0)[:, None, None, :]
    found = []
    for one, other in zip(s, t):
        a, b = heads_of(one, relation_heads), heads_of(other, relation_heads)
        p, q = [
            (x @ x.transpose(-1, -2) / math.sqrt(x.shape[-1])).masked_fill(hidden, -1e30) for x in (b, a)
        ]
        found.append(maps(q, p))
    return sum(found) / len(found)


KINDS = ("queries", "keys", "values")
s = [drawn(TEXTS, 2, LENGTH, 6) for _ in KINDS]
t = [drawn(TEXTS, 3, LENGTH, 8) for _ in KINDS]
case(
    "relations",
    "relations",
    lambda s=s, t=t: relations(s, t, 4),
    {f"{kind}.0": x for kind, x in zip(KINDS, s)},
    {f"{kind}.0": x for kind, x in zip(KINDS, t)},
    options={"heads": 4},
)
s = [drawn(TEXTS, 2, LENGTH, 6) for _ in KINDS]
t = [drawn(TEXTS, 3, LENGTH, 8) for _ in KINDS]
case(
    "relations of values alone, of as many heads as divide both widths",
    "relations",
    lambda s=s, t=t: relations(s[2:], t[2:], 3),
    {f"{kind}.0": x for kind, x in zip(KINDS, s)},
    {f"{kind}.0": x for kind, x in zip(KINDS, t)},
    options={"of": ["values"]},
)



# The largest probabilities of a teacher, and what they leave over as one outcome more

def largest(s, t, K, T=2.0):
    """Log-probabilities of both over K tokens and none of them."""
    p, q = F.softmax(t / T, -1), F.softmax(s / T, -1)
    chosen = t.topk(K, -1).indices
    both = [torch.cat([x.gather(-1, chosen), 1 - x.gather(-1, chosen).sum(-1, keepdim=True)], -1) for x in (p, q)]
    return [Categorical(probs=x) for x in both]


def kept(K, turned=False):
    def of(s, t):
        p, q = largest(s, t, K)
        return (kl_divergence(q, p) if turned else kl_divergence(p, q)).mean() * 2.0**2

    return of


answers("kl of the largest and the rest", "kl", kept(3), width=9, answer="token", keep=3)
answers("reverse-kl of the largest and the rest", "reverse-kl", kept(3, True), width=9, answer="token", keep=3)
answers("kl of all that there are", "kl", kl, width=9, answer="token", keep=9)

print(json.dumps({"lengths": LENGTHS.tolist(), "cases": cases}))
