"""Which architecture goes through which exporter."""

from architectures import KINDS

# The committed files: every architecture family, every kind of exporter, small.
GOLDENS = [
    *["bert-ts17", "bert-torch21fused", "bert_base-dy20external", "distilbert-dy20fixed", "distilbert-int8"],
    *["roberta-ts17train", "electra-ts11", "albert-slim", "albert-torch21functions", "mpnet-ts13inputs", "mobilebert-dy18", "deberta-optimum", "modernbert-dy24"],
    *["clip_text-ort16", "gpt2-dy20", "llama_cached-dy20", "llama_wide-genai", "mistral-dy24", "neox-dy20"],
    *["t5_encoder-constants", "bart_decoder-optimum", "whisper_encoder-dy20", "vit-ts17born", "swin-dy20", "swin-optfused"],
]

# Lists that are taken in turn, so that every architecture meets another part of what exporters can do.
EVERY = ["ts17", "dy20"]
OLD = ["ts11", "ts13", "ts14", "ts20", "ts17sdpa"]
NEW = ["dy18", "dy23", "dy24", "dy20eager", "dy20raw"]
FUSED = ["ortfused", "ortsaved", "ortfusedsdpa", "ortbasic"]
KEPT = ["ts17train", "ts14nofold", "ts13inputs", "ts17fixed", "ts17external", "dy20fixed", "dy20external", "constants"]
SMALL = ["slim", "half", "int8", "slimdy", "torch16", "uint8", "nbits", "stored8", "ortfused16", "ort16"]
# These run in environments of their own (README.md), so nothing but their names is planned here.
GENAI = ["llama_wide", "qwen3_cached"]
OPTIMUM = ["optimum", "optfused"]
OLD_TORCH = ["torch21", "torch21fused", "torch21functions"]
OLD_KINDS = ["bert", "bert_base", "distilbert", "roberta", "electra", "albert", "mpnet", "deberta", "gpt2", "t5_encoder", "t5", "vit"]


def plan(kinds=()):
    """Names of all files, or of those of the named architectures."""
    return [f"{kind}-{exporter}" for kind in kinds or KINDS for exporter in exporters_of(kind)]


def exporters_of(kind):
    turn = list(KINDS).index(kind)
    small = [SMALL[turn % 10], SMALL[(turn * 3 + 4) % 10]]
    picked = [OLD[turn % 5], NEW[turn % 5], NEW[(turn + 2) % 5], "ortfused", FUSED[turn % 4], KEPT[turn % 8], *small, ["ts17born", "dy20born"][turn % 2]]
    return list(dict.fromkeys([*EVERY, *picked, *(["genai", "genai4"] if kind in GENAI else [])]))


def elsewhere(environment):
    """The names that another environment makes: --optimum, --torch21."""
    if environment == "--optimum":
        return [f"{kind}-{exporter}" for kind, record in KINDS.items() if record.task not in (None, "text2text-generation") for exporter in OPTIMUM]
    return [f"{kind}-{exporter}" for kind in OLD_KINDS for exporter in OLD_TORCH]
