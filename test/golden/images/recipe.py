"""Makes the golden models of images: tiny Hugging Face folders with random weights and what PyTorch computes from them.

    python recipe.py        # needs torch, transformers, safetensors

Each folder is written as its makers would publish it, read back with transformers, and run on a batch of two images.
expected.json holds the samples of the images (rows from the top, the channels of a pixel side by side) and the output.
Weights deviate by 0.2 and more, so that a mistake shows in the first digits. preprocessor_config.json is written by hand:
transformers wants Pillow to write it. Made with torch 2.15, transformers 5.24; equal versions give equal bytes.
"""

import json
import shutil
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
LABELS = ["animal", "money", "travel"]

SHAPE = dict(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=48,
    patch_size=4,
    id2label=dict(enumerate(LABELS)),
    label2id={label: i for i, label in enumerate(LABELS)},
)

HALF = dict(image_mean=[0.5] * 3, image_std=[0.5] * 3)
IMAGENET = dict(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])

# Name, configuration, class, image processor.
FOLDERS = [
    ("vit", transformers.ViTConfig(**SHAPE, image_size=12), "ViTForImageClassification", dict(HALF)),
    (
        "vit-grey",
        transformers.ViTConfig(**SHAPE, image_size=(8, 12), num_channels=1, qkv_bias=False, hidden_act="gelu_new"),
        "ViTForImageClassification",
        dict(image_mean=[0.1307], image_std=[0.3081], do_convert_rgb=False),
    ),
    ("vit-features", transformers.ViTConfig(**SHAPE, image_size=12), "ViTModel", dict(HALF)),
    ("deit", transformers.DeiTConfig(**SHAPE, image_size=12), "DeiTForImageClassification", dict(IMAGENET)),
    ("deit-teacher", transformers.DeiTConfig(**SHAPE, image_size=12), "DeiTForImageClassificationWithTeacher", dict(IMAGENET)),
]


def moved(model, seed):
    """Weights that no mistake hides behind: norms and biases away from 1 and 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            noise = 0.2 * torch.randn(weight.shape, generator=generator)
            weight.copy_(1 + noise if "layernorm" in name and name.endswith("weight") else noise)


def main():
    for seed, (name, config, kind, processor) in enumerate(FOLDERS):
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        model = getattr(transformers, kind)(config).eval()
        moved(model, seed)
        model.save_pretrained(folder)
        weights = folder / "model.safetensors"
        save_file(dict(sorted(load_file(weights).items())), weights, metadata={"format": "pt"})
        height, width = (config.image_size,) * 2 if isinstance(config.image_size, int) else config.image_size
        family = "DeiT" if name.startswith("deit") else "ViT"
        given = dict(
            do_normalize=True,
            do_rescale=True,
            do_resize=True,
            image_processor_type=f"{family}ImageProcessor",
            resample=2,
            rescale_factor=1 / 255,
            size=dict(height=height, width=width),
            **(dict(do_center_crop=False) if family == "DeiT" else {}),
            **processor,
        )
        (folder / "preprocessor_config.json").write_text(json.dumps(given, indent=2, sort_keys=True) + "\n")
        channels = config.num_channels
        samples = torch.randint(0, 256, (2, height, width, channels), generator=torch.Generator().manual_seed(seed))
        mean, deviation = torch.tensor(given["image_mean"]), torch.tensor(given["image_std"])
        pixels = ((samples.float() * (1 / 255) - mean) / deviation).permute(0, 3, 1, 2)
        read = getattr(transformers, kind).from_pretrained(folder).eval()
        with torch.no_grad():
            said = read(pixel_values=pixels)
        output = said.logits if hasattr(said, "logits") else said.last_hidden_state
        expected = dict(
            images=[dict(height=height, width=width, channels=channels, data=image.flatten().tolist()) for image in samples],
            dims=list(output.shape),
            output=[float(f"{x:.7g}") for x in output.flatten().tolist()],
        )
        (folder / "expected.json").write_text(json.dumps(expected) + "\n")


main()
