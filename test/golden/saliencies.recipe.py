"""Makes saliencies.json: what PyTorch computes by the papers' formulas of one layer y = x W' in front of a classifier.

    python test/golden/saliencies.recipe.py > test/golden/saliencies.json
"""

import json

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(19)

TEXTS, OUTPUTS, INPUTS, CLASSES, GROUP, DAMPING = 24, 5, 12, 3, 8, 0.01

x = torch.randn(TEXTS, INPUTS) * torch.linspace(0.3, 2, INPUTS) + torch.randn(TEXTS, 1)
labels = torch.randint(CLASSES, (TEXTS,))
weight = torch.randn(OUTPUTS, INPUTS, requires_grad=True)
head = torch.randn(CLASSES, OUTPUTS)


def gradient(text):
    logits = head @ torch.tanh(weight @ x[text])
    loss = torch.nn.functional.cross_entropy(logits[None], labels[text : text + 1])
    return torch.autograd.grad(loss, weight)[0]


gradients = torch.stack([gradient(text) for text in range(TEXTS)])
w = weight.detach()
fisher_diagonal = (gradients**2).mean(0)


def obs():
    """OBS within groups of 8 inputs of one output: scores, and the weights once the 40 % that score least are gone."""
    damping = DAMPING * fisher_diagonal.mean()
    scores, blocks = torch.zeros_like(w), {}
    for row in range(OUTPUTS):
        for first in range(0, INPUTS, GROUP):
            g = gradients[:, row, first : first + GROUP]
            fisher = g.T @ g / TEXTS + damping * torch.eye(g.shape[1])
            blocks[row, first] = fisher
            scores[row, first : first + GROUP] = w[row, first : first + GROUP] ** 2 / (2 * torch.linalg.inv(fisher).diag())
    gone = torch.zeros(w.numel(), dtype=torch.bool)
    gone[scores.flatten().argsort()[: int(0.4 * w.numel())]] = True
    gone = gone.reshape(w.shape)
    moved = w.clone()
    for (row, first), fisher in blocks.items():
        own = slice(first, first + fisher.shape[0])
        q = gone[row, own].nonzero().flatten()
        if len(q) == 0:
            continue
        inverse = torch.linalg.inv(fisher)
        # The optimal update where the weights q of a group go together: -F^-1 E_q [E_q' F^-1 E_q]^-1 w_q.
        moved[row, own] -= inverse[:, q] @ torch.linalg.solve(inverse[q][:, q], w[row, own][q])
        moved[row, own][q] = 0
    moved[gone] = 0
    return scores, gone, moved


def sparsegpt(w, x, sparsity, prunen=0, prunem=0, blocksize=128):
    """Algorithm 1 of 2301.00774; exactly the share goes of each block."""
    w, hessian = w.clone(), x.T @ x
    hessian += DAMPING * hessian.diag().mean() * torch.eye(len(hessian))
    hinv = torch.linalg.cholesky(torch.linalg.inv(hessian), upper=True)
    columns = w.shape[1]
    for i1 in range(0, columns, blocksize):
        i2 = min(i1 + blocksize, columns)
        block, inverse = w[:, i1:i2].clone(), hinv[i1:i2, i1:i2]
        errors = torch.zeros_like(block)
        mask = torch.zeros_like(block, dtype=torch.bool)
        if prunen == 0:
            scores = (block**2 / inverse.diag() ** 2).flatten()
            flat = mask.flatten()
            flat[scores.argsort()[: int(round(sparsity * scores.numel()))]] = True
            mask = flat.reshape(block.shape)
        for i in range(i2 - i1):
            if prunen and i % prunem == 0:
                scores = block[:, i : i + prunem] ** 2 / inverse.diag()[i : i + prunem] ** 2
                mask.scatter_(1, i + torch.topk(scores, prunen, dim=1, largest=False)[1], True)
            kept = block[:, i].clone()
            kept[mask[:, i]] = 0
            error = (block[:, i] - kept) / inverse[i, i]
            block[:, i:] -= error[:, None] @ inverse[i, i:][None]
            block[:, i][mask[:, i]] = 0
            errors[:, i] = error
        w[:, i1:i2] = block
        w[:, i2:] -= errors @ hinv[i1:i2, i2:]
    return w


def reconstructed(w, start, x):
    """Least squares over what stays, with the same damping about the difference from w."""
    hessian = x.T @ x
    hessian += DAMPING * hessian.diag().mean() * torch.eye(len(hessian))
    result = torch.zeros_like(w)
    for row in range(len(w)):
        stay = start[row].nonzero().flatten()
        result[row, stay] = torch.linalg.solve(hessian[stay][:, stay], (hessian @ w[row])[stay])
    return result


# Wider than a stretch of 128 inputs; made of sines, so that tests need no file for it.
def wide(rows, columns, step):
    i, j = torch.arange(rows)[:, None], torch.arange(columns)[None]
    return torch.sin(1 + step * i * (j + 1) + j * j)


wide_weight, wide_inputs = wide(6, 160, 0.7), wide(200, 160, 0.37)
scores, gone, moved = obs()
magnitude_half = w * (w.abs() > w.abs().flatten().sort()[0][w.numel() // 2 - 1])

golden = {
    "inputs": x,
    "weight": w,
    "gradients": gradients.reshape(TEXTS, -1),
    "magnitude": w.abs(),
    "wanda": w.abs() * x.norm(dim=0),
    "taylor": (gradients * w).abs().mean(0),
    "fisher": 0.5 * w**2 * fisher_diagonal,
    "obs": scores,
    "obsMoved": moved,
    "sparsegpt": {
        "half": sparsegpt(w, x, 0.5),
        "twoOfFour": sparsegpt(w, x, 0.5, 2, 4),
        "wide": sparsegpt(wide_weight, wide_inputs, 0.5),
    },
    "reconstructed": reconstructed(w, magnitude_half, x),
}


def plain(value):
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    return [[float(f"{number:.7g}") for number in row] for row in value.tolist()]


print(json.dumps(plain(golden)))
