"""Reads exports of the golden checkpoints back in Python: what a second client makes of a folder that decant wrote.

    python exports.py DECANT      # DECANT: the command, such as ../../../bin/decant.js; needs what recipe.py needs, and onnxruntime

Every checkpoint is exported by decant and read with transformers: config.json as AutoConfig, the tokenizer as AutoTokenizer. Odd
texts and pairs must have the ids and types that the tokenizer of the checkpoint itself gives them, and the exported graph must
compute from them in ONNX Runtime what PyTorch computes from the checkpoint's weights. exports.json holds, for each, the SHA-256
of the files that were read and the ids; a test exports again and compares both, so that no other files pass for the ones that
Python has read. Made with torch 2.15, transformers 5.24, tokenizers 0.23, onnxruntime 1.32.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy
import onnxruntime
import torch
import transformers

HERE = Path(__file__).parent
READ = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]

TEXTS = [
    "Old dogs sleep near the café while birds sing.",
    "",
    "  two  spaces ",
    "ÀÉ naïve Straße İstanbul ΣΑΣ",
    "<mask> [MASK] a [mask] <s> x [SEP]y",
    "日本 coffee\tnew\nline",
    "½ ﬁne ①",
    "``quoted'' text, don't stop-it",
    "e\u0301 combining \u00a0nbsp",
    "word " * 90,
]
PAIRS = [("A fox jumps.", "Nobody knows."), ("a", "b c d"), ("long " * 50, "The river is long. " * 20)]

KINDS = {
    "ForSequenceClassification": transformers.AutoModelForSequenceClassification,
    "ForTokenClassification": transformers.AutoModelForTokenClassification,
    "ForMaskedLM": transformers.AutoModelForMaskedLM,
}


def encodings(tokenizer, length):
    singles = [tokenizer(text, truncation=True, max_length=length) for text in TEXTS]
    return singles + [tokenizer(a, b, truncation=True, max_length=length) for a, b in PAIRS]


def model_of(folder):
    (saved,) = json.loads((folder / "config.json").read_text())["architectures"]
    kind = next((one for end, one in KINDS.items() if saved.endswith(end)), transformers.AutoModel)
    return kind.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()


def largest_difference(model, session, rows):
    """Over all texts, one at a time; types where the graph has an input for them."""
    worst = 0.0
    names = {one.name for one in session.get_inputs()}
    for row in rows:
        feeds = {name: torch.tensor([row[name]]) for name in names if name in row}
        if "token_type_ids" in names:
            feeds.setdefault("token_type_ids", torch.zeros_like(feeds["input_ids"]))
        with torch.no_grad():
            theirs = model(**feeds)[0].numpy()
        (ours,) = session.run(None, {name: value.numpy() for name, value in feeds.items()})
        worst = max(worst, float(numpy.abs(theirs - ours).max()))
    return worst


def read_back(name, decant, home):
    folder, export = HERE / name, Path(home) / name
    subprocess.run(["node", decant, "export", str(folder), str(export), "--json"], check=True, stdout=subprocess.DEVNULL)
    config = transformers.AutoConfig.from_pretrained(export)
    length = json.loads((export / "tokenizer_config.json").read_text())["model_max_length"]
    original, tokenizer = (transformers.AutoTokenizer.from_pretrained(one) for one in (folder, export))
    assert tokenizer.model_max_length == length
    theirs, ours = encodings(original, length), encodings(tokenizer, length)
    for text, a, b in zip(TEXTS + PAIRS, theirs, ours):
        assert a["input_ids"] == b["input_ids"], (name, text, a["input_ids"], b["input_ids"])
    session = onnxruntime.InferenceSession(str(export / "onnx" / "model.onnx"), providers=["CPUExecutionProvider"])
    difference = largest_difference(model_of(folder), session, ours)
    assert difference < 1e-4, (name, difference)
    digest = hashlib.sha256(b"".join((export / file).read_bytes() for file in READ if (export / file).exists()))
    print(f"{name}: {type(config).__name__}, {type(tokenizer).__name__}, {difference:.1e}")
    return {
        "sha256": digest.hexdigest(),
        "config": type(config).__name__,
        "tokenizer": type(tokenizer).__name__,
        "ids": [row["input_ids"] for row in ours],
        "types": [row.get("token_type_ids") for row in ours[len(TEXTS) :]],
    }


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(1)
    decant = str(Path(sys.argv[1]).resolve())
    names = sorted(path.parent.name for path in HERE.glob("*/config.json"))
    with tempfile.TemporaryDirectory() as home:
        folders = {name: read_back(name, decant, home) for name in names}
    record = {"read": READ, "texts": TEXTS, "pairs": PAIRS, "folders": folders}
    (HERE / "exports.json").write_text(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
