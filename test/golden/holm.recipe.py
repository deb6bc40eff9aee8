"""What statsmodels says of Holm's correction. pip install numpy scipy statsmodels; python test/golden/holm.recipe.py"""

import json
from pathlib import Path

import numpy as np
import statsmodels
from statsmodels.stats.multitest import multipletests

generator = np.random.default_rng(19)
families = [
    [0.01, 0.04, 0.03, 0.005],
    [0.05],
    [0.02, 0.02, 0.02],
    [1.0, 0.0, 0.5],
    [0.0125, 0.0166, 0.0251, 0.0499],
    *[np.round(generator.beta(0.3, 3, size), 6).tolist() for size in (2, 5, 12, 30)],
]


def corrected(ps: list[float]) -> dict:
    rejected, adjusted, _, _ = multipletests(ps, alpha=0.05, method="holm")
    return {"ps": ps, "rejected": rejected.tolist(), "adjusted": adjusted.tolist()}


golden = {"statsmodels": statsmodels.__version__, "families": [corrected(ps) for ps in families]}
Path(__file__).with_name("holm.json").write_text(json.dumps(golden) + "\n")
