"""Writes pruning-in-training.json: movement, soft movement and hard concrete gates as PyTorch's autograd has them.

    python test/golden/pruning-in-training.recipe.py

Scores are parameters behind a step function whose gradient is that of the identity (straight-through), as in the papers' own code;
weights and scores are moved by torch.optim.SGD.
"""

import json
from pathlib import Path

import torch

torch.manual_seed(7)
torch.set_default_dtype(torch.float64)

STEPS = 10
BEGIN, END = 2, 8  # of 10 steps: riseOf
SPARSITY = 0.5
SHAPES = {"a": (4, 6), "b": (3, 5)}
RATE, LAMBDA = 0.01, 1.0


class Mask(torch.autograd.Function):
    """1 for what is kept; dL/dS = dL/dM."""

    @staticmethod
    def forward(ctx, scores, masks):
        return masks.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad, None


def share(step):
    """Cubic, over the middle three fifths."""
    if step >= END:
        return SPARSITY
    if step <= BEGIN:
        return 0.0
    t = (step - BEGIN) / (END - BEGIN)
    return SPARSITY * (1 - (1 - t) ** 3)


def keep(scores, count):
    """0 for the `count` of smallest score, the first of equals first."""
    flat = scores.detach().flatten()
    order = torch.argsort(flat, stable=True)
    mask = torch.ones_like(flat)
    mask[order[:count]] = 0
    return mask.reshape(scores.shape)


def ceil(x):
    return int(-(-x // 1))


def masks_of(scores, step, together):
    if step <= BEGIN:
        return None
    if together:
        flat = torch.cat([s.detach().flatten() for s in scores.values()])
        mask = keep(flat, ceil(round(share(step) * flat.numel(), 9)))
        parts = torch.split(mask, [s.numel() for s in scores.values()])
        return {name: part.reshape(SHAPES[name]) for name, part in zip(scores, parts)}
    result, units, gone = {}, 0, 0
    for name, s in scores.items():
        # What rounding leaves to one matrix, the next makes up for.
        units += s.numel()
        until = ceil(round(share(step) * units, 9))
        result[name] = keep(s, until - gone)
        gone = until
    return result


def run(soft):
    weights = {n: torch.nn.Parameter(torch.randn(d)) for n, d in SHAPES.items()}
    scores = {n: torch.nn.Parameter(torch.zeros(d)) for n, d in SHAPES.items()}
    masks = {n: torch.ones(d) for n, d in SHAPES.items()}
    wanted = {n: torch.randn(d) for n, d in SHAPES.items()}
    rates, trace = {}, []
    mover = torch.optim.SGD(weights.values(), lr=0.3)
    start = {n: w.detach().tolist() for n, w in weights.items()}
    for step in range(1, STEPS + 1):
        inputs = {n: torch.randn(5, d[1]) for n, d in SHAPES.items()}
        masked = {n: weights[n] * Mask.apply(scores[n], masks[n]) for n in SHAPES}
        for m in masked.values():
            m.retain_grad()
        loss = sum(((inputs[n] @ (masked[n] - wanted[n]).T) ** 2).mean() for n in SHAPES)
        mover.zero_grad()
        for s in scores.values():
            s.grad = None
        loss.backward()
        shown = {n: {"weight": masked[n].detach().tolist(), "gradient": masked[n].grad.tolist()} for n in SHAPES}
        for n, s in scores.items():
            if soft and n not in rates:
                rates[n] = RATE / (s.grad**2).mean().sqrt().item()
            rate = rates[n] if soft else 1.0
            if soft:
                pull = RATE * LAMBDA / rate
                s.grad += torch.autograd.grad(pull * torch.sigmoid(s).sum(), s)[0]
            torch.optim.SGD([s], lr=rate).step()
        mover.step()
        new = masks_of(scores, step, soft) if step <= END else None
        masks = masks if new is None else new
        trace.append(
            {
                "seen": shown,
                "scores": {n: s.detach().tolist() for n, s in scores.items()},
                "moved": {n: w.detach().tolist() for n, w in weights.items()},
                "masks": {n: m.int().tolist() for n, m in masks.items()},
            }
        )
    return {"start": start, "steps": trace}


def gates():
    """Louizos et al. 2018, eq. 10, 12 and 13, and the Lagrangian of CoFi."""
    beta, gamma, zeta = 2 / 3, -0.1, 1.1
    log_alpha = torch.nn.Parameter(torch.linspace(-4, 4, 9))
    u = torch.rand(9) * 0.98 + 0.01
    into = torch.randn(9)
    stretch = lambda s: torch.clamp(s * (zeta - gamma) + gamma, 0, 1)
    sample = stretch(torch.sigmoid((torch.log(u) - torch.log(1 - u) + log_alpha) / beta))
    (slope,) = torch.autograd.grad((sample * into).sum(), log_alpha)
    opened = torch.sigmoid(log_alpha - beta * torch.log(torch.tensor(-gamma / zeta)))
    target, first, second = 0.4, torch.tensor(0.7, requires_grad=True), torch.tensor(1.3, requires_grad=True)
    beyond = opened.mean() - target
    lagrangian = first * beyond + second * beyond**2
    down, up, upper = torch.autograd.grad(lagrangian, [log_alpha, first, second])
    return {
        "logAlpha": log_alpha.tolist(),
        "logit": (torch.log(u) - torch.log(1 - u)).tolist(),
        "into": into.tolist(),
        "sample": sample.tolist(),
        "slope": slope.tolist(),
        "mean": stretch(torch.sigmoid(log_alpha)).tolist(),
        "open": opened.tolist(),
        "target": target,
        "multipliers": [first.item(), second.item()],
        "lagrangian": lagrangian.item(),
        "down": down.tolist(),
        # Multipliers rise.
        "up": [-up.item(), -upper.item()],
    }


def rounded(value):
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(one) for one in value]
    return value if isinstance(value, int) else float(f"{value:.7g}")


result = {"shapes": SHAPES, "movement": run(False), "soft": run(True), "gates": gates()}
path = Path(__file__).parent / "pruning-in-training.json"
path.write_text(json.dumps(rounded(result) | {"torch": torch.__version__}, separators=(",", ":")) + "\n")
