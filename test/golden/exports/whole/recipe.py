"""An encoder as a file of ONNX alone: the checkpoint test/golden/checkpoints/bert-features by PyTorch's TorchScript exporter.

    python test/golden/exports/whole/recipe.py

with torch 2.15.0 and transformers 5.24.0. Its tokenizer stays beside the checkpoint.
"""

from pathlib import Path

import torch
from transformers import AutoModel

here = Path(__file__).parent
names = ["input_ids", "attention_mask", "token_type_ids"]


class Features(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, *inputs):
        return self.model(**dict(zip(names, inputs))).last_hidden_state


model = Features(AutoModel.from_pretrained(here / "../../checkpoints/bert-features")).eval()
ids = torch.randint(5, 20, (2, 9), generator=torch.Generator().manual_seed(0))
inputs = (ids, torch.ones_like(ids), torch.zeros_like(ids))
axes = {name: {0: "batch", 1: "sequence"} for name in [*names, "last_hidden_state"]}
torch.onnx.export(
    model, inputs, here / "bert-features.onnx", input_names=names, output_names=["last_hidden_state"],
    dynamic_axes=axes, opset_version=17, dynamo=False,
)
