"""Makes metrics.json: answers, and what scikit-learn 1.9.1 and SciPy 1.17.1 compute of them.

    python test/golden/metrics.recipe.py > test/golden/metrics.json
"""

import json

import numpy as np
from scipy.special import log_softmax
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, f1_score, log_loss, mean_squared_error

random = np.random.default_rng(7)


def sets(texts, classes, empty=()):
    truth = (random.random((texts, classes)) < np.linspace(0.05, 0.5, classes)).astype(int)
    said = np.where(random.random((texts, classes)) < 0.2, 1 - truth, truth)
    for column in empty:
        truth[:, column] = said[:, column] = 0
    present = [c for c in range(classes) if truth[:, c].any() or said[:, c].any()]
    return {
        "said": said.ravel().tolist(),
        "truth": truth.ravel().tolist(),
        "count": texts,
        "microF1": f1_score(truth, said, average="micro"),
        "macroF1": f1_score(truth, said, average="macro", labels=present),
        "subsetAccuracy": accuracy_score(truth, said),
    }


def numbers(said, truth):
    return {
        "said": said.tolist(),
        "truth": truth.tolist(),
        "count": len(said),
        "spearman": spearmanr(said, truth).statistic,
        "pearson": pearsonr(said, truth).statistic,
        "meanSquaredError": mean_squared_error(truth, said),
    }


def choices(tokens, classes):
    logits = random.normal(size=(tokens, classes)) * 2
    label = random.integers(0, classes, tokens)
    logits[np.arange(tokens), label] += 2
    logs = log_softmax(logits, axis=1)
    nats = -logs[np.arange(tokens), label]
    chosen = logits.argmax(axis=1)
    return {
        "nats": nats.tolist(),
        "right": (chosen == label).astype(int).tolist(),
        "chosen": chosen.tolist(),
        "label": label.tolist(),
        "count": tokens,
        "loss": log_loss(label, np.exp(logs), labels=range(classes)),
        "perplexity": float(np.exp(nats.mean())),
        "accuracy": accuracy_score(label, chosen),
        "macroF1": f1_score(label, chosen, average="macro"),
    }


plain = random.normal(size=60)
tied = random.integers(0, 6, 80)
print(
    json.dumps(
        {
            "sets": [sets(50, 6), sets(40, 5, empty=(2,)), sets(1, 3)],
            "numbers": [
                numbers(plain + random.normal(size=60), plain),
                numbers(np.round(tied + random.normal(size=80)), tied / 5),
                numbers(-plain, plain**3),
            ],
            "choices": [choices(70, 5), choices(200, 30)],
        }
    )
)
