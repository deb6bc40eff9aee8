"""Makes the golden checkpoints: tiny Hugging Face folders with random weights and what PyTorch computes from them.

    python recipe.py [NAME ...]      # all of them, or the named ones; needs torch, transformers, tokenizers, safetensors

Each folder is written as its makers would publish it, read back with transformers, and run on a padded batch:
expected.json holds the texts, the ids that Python's tokenizer gives for them, and the output. Weights deviate by 0.2 and
more, norms and biases are moved from 1 and 0, so that a mistake shows in the first digits. Made with torch 2.15,
transformers 5.24, tokenizers 0.23; equal versions give equal bytes.
"""

import json
import math
import os
import shutil
import sys
from collections import Counter
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = Path(__file__).parent

CORPUS = [
    "The quick brown fox jumps over the lazy dog near the old mill.",
    "A small café serves crème brûlée and strong coffee every morning.",
    "Birds sing early; the garden wakes slowly under a pale sun.",
    "She reads long books about rivers, mountains and the people who live there.",
    "Prices rose by 3.5 percent in 2019, the report said.",
    "Is the train late again? Nobody knows why it stops here.",
    "Old dogs sleep near the warm stove while it rains outside.",
    "The report about the river was long, but the morning was short.",
]
TEXTS = [
    "Old dogs sleep near the café while birds sing.",
    "Is it late?",
    "Prices of coffee rose, the report said.",
]
PAIRS = ["A fox jumps.", "Nobody knows.", "The river is long."]
FEW = ["Dogs sleep.", "Is it late?"]
LABELS = ["animal", "money", "travel"]


# Tokenizers, one a family, made of the corpus above.


def template(first, last, between, ids, pair_type):
    return processors.TemplateProcessing(
        single=f"{first} $A {last}",
        pair=f"{first} $A {between} $B:{pair_type} {last}:{pair_type}",
        special_tokens=[(token, ids[token]) for token in {first, last}],
    )


def pieces(tokenizer, mark):
    """Words of the corpus by falling count, and every character, in a fixed order: native trainers draw lots on ties."""
    counts = Counter(
        word
        for text in CORPUS
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text))
    )
    words = sorted(counts, key=lambda word: (-counts[word], word))
    characters = sorted({character for word in words for character in word if character != mark})
    return [(word, counts[word]) for word in words], characters


def unique(items):
    return list(dict.fromkeys(items))


def wordpiece(special, unknown):
    tokenizer = Tokenizer(models.WordPiece())
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    words, characters = pieces(tokenizer, "")
    parts = [*characters, *(f"##{character}" for character in characters), "##ing", "##er", "##s"]
    vocabulary = unique([*special, *parts, *(word for word, _ in words)])[:150]
    tokenizer.model = models.WordPiece({token: i for i, token in enumerate(vocabulary)}, unk_token=unknown)
    return tokenizer


def byte_bpe(special):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def unigram(special, unknown, lowercase=False):
    tokenizer = Tokenizer(models.Unigram())
    steps = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
    steps += [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()] if lowercase else [normalizers.NFKC()]
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    words, characters = pieces(tokenizer, "\u2581")
    scored = [("\u2581", -3.0), *((character, -6.0) for character in characters), ("ing", -4.5), ("er", -4.5), ("s", -3.5)]
    scored += [(word, round(math.log(count / 100) - 2, 4)) for word, count in words]
    scores = {token: 0.0 for token in special}
    for token, score in scored:
        scores.setdefault(token, score)
    tokenizer.model = models.Unigram(list(scores.items())[:130], unk_id=special.index(unknown))
    return tokenizer


BERT_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROBERTA_SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
CAMEMBERT_SPECIAL = ["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>", "<mask>"]
ALBERT_SPECIAL = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
DEBERTA_SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
MODERNBERT_SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]

# name: (make, special tokens, class on the hub, first, last, between the texts of a pair, type of the second text)
FAMILIES = {
    "bert": (lambda special: wordpiece(special, "[UNK]"), BERT_SPECIAL, "BertTokenizer", "[CLS]", "[SEP]", "[SEP]", 1),
    "mpnet": (
        lambda special: wordpiece(special, "[UNK]"),
        ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"],
        "MPNetTokenizer",
        "<s>",
        "</s>",
        "</s> </s>",
        0,
    ),
    "roberta": (lambda special: byte_bpe(special), ROBERTA_SPECIAL, "RobertaTokenizer", "<s>", "</s>", "</s> </s>", 0),
    "xlm-roberta": (
        lambda special: unigram(special, "<unk>"),
        ROBERTA_SPECIAL,
        "XLMRobertaTokenizer",
        "<s>",
        "</s>",
        "</s> </s>",
        0,
    ),
    "camembert": (
        lambda special: unigram(special, "<unk>"),
        CAMEMBERT_SPECIAL,
        "CamembertTokenizer",
        "<s>",
        "</s>",
        "</s> </s>",
        0,
    ),
    "albert": (lambda special: unigram(special, "<unk>", lowercase=True), ALBERT_SPECIAL, "AlbertTokenizer", "[CLS]", "[SEP]", "[SEP]", 1),
    "deberta-v2": (
        lambda special: unigram(special, "[UNK]"),
        DEBERTA_SPECIAL,
        "DebertaV2Tokenizer",
        "[CLS]",
        "[SEP]",
        "[SEP]",
        1,
    ),
    "modernbert": (
        lambda special: byte_bpe(special),
        MODERNBERT_SPECIAL,
        "PreTrainedTokenizerFast",
        "[CLS]",
        "[SEP]",
        "[SEP]",
        0,
    ),
}


def role_tokens(special, first, last):
    def pick(part):
        return next(token for token in special if part in token.lower())

    return {
        "pad_token": pick("pad"),
        "unk_token": next(token for token in special if token.lower() in ("<unk>", "[unk]")),
        "cls_token": first,
        "sep_token": last,
        "mask_token": pick("mask"),
    }


def make_tokenizer(family):
    make, special, cls, first, last, between, pair_type = FAMILIES[family]
    tokenizer = make(special)
    tokenizer.add_special_tokens(special)
    ids = {token: tokenizer.token_to_id(token) for token in special}
    assert [ids[token] for token in special] == list(range(len(special)))
    tokenizer.post_processor = template(first, last, between, ids, pair_type)
    roles = role_tokens(special, first, last)
    config = {"tokenizer_class": cls, "model_max_length": 64, **roles}
    if cls == "PreTrainedTokenizerFast":
        config["model_input_names"] = ["input_ids", "attention_mask"]
    return tokenizer, config, ids


# Checkpoints. Every architecture has one wider model with a text classifier; other heads are as small as they can be.

NARROW = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2)
WIDE = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
# RoBERTa and its kin count positions from behind the padding id, so their tables are longer than their texts.
FROM_PADDING = ("roberta", "xlm-roberta", "camembert", "mpnet")

CLASSES = {
    "text": transformers.AutoModelForSequenceClassification,
    "tokens": transformers.AutoModelForTokenClassification,
    "mlm": transformers.AutoModelForMaskedLM,
    "features": transformers.AutoModel,
}


def distil(sizes):
    return dict(
        dim=sizes["hidden_size"],
        hidden_dim=sizes["intermediate_size"],
        n_layers=sizes["num_hidden_layers"],
        n_heads=sizes["num_attention_heads"],
    )


ELECTRA = dict(embedding_size=12)
ALBERT = dict(embedding_size=12)
MOBILE = dict(embedding_size=8, intra_bottleneck_size=12, num_feedforward_networks=3, num_attention_heads=3)
DEBERTA = dict(
    relative_attention=True,
    position_buckets=8,
    max_relative_positions=-1,
    norm_rel_ebd="layer_norm",
    share_att_key=True,
    pos_att_type="p2c|c2p",
    position_biased_input=False,
    type_vocab_size=0,
)
MODERN = dict(local_attention=8)

# name: (model type, tokenizer, head, settings, options of the folder)
SPECS = {
    "bert": ("bert", "bert", "text", WIDE, dict(pairs=True)),
    "bert-tokens": ("bert", "bert", "tokens", NARROW, dict(dtype="float16")),
    # Written as bert-base-uncased is: gamma and beta, a next-sentence head and a pooler that nobody asks for.
    "bert-mlm": ("bert", "bert", "mlm", dict(NARROW, hidden_act="gelu_new"), dict(rewrite="legacy")),
    "bert-features": ("bert", "bert", "features", dict(WIDE, num_hidden_layers=1), dict(shards="20KB")),
    # Written as all-MiniLM-L6-v2 is: position_ids among the weights, modules.json with mean pooling and length 1.
    "sentence-transformers": ("bert", "bert", "features", WIDE, dict(rewrite="position_ids", sentence="mean")),
    "distilbert": ("distilbert", "bert", "text", distil(WIDE), dict(dtype="float16")),
    "distilbert-tokens": ("distilbert", "bert", "tokens", distil(NARROW), {}),
    "distilbert-mlm": ("distilbert", "bert", "mlm", distil(NARROW), {}),
    "distilbert-features": ("distilbert", "bert", "features", dict(distil(NARROW), sinusoidal_pos_embds=True), {}),
    "roberta": ("roberta", "roberta", "text", dict(WIDE, type_vocab_size=1), dict(pairs=True)),
    "roberta-tokens": ("roberta", "roberta", "tokens", dict(NARROW, type_vocab_size=1), {}),
    "roberta-mlm": ("roberta", "roberta", "mlm", dict(NARROW, type_vocab_size=1), {}),
    "roberta-features": ("roberta", "roberta", "features", dict(NARROW, type_vocab_size=1), dict(sentence="cls")),
    "xlm-roberta": ("xlm-roberta", "xlm-roberta", "text", dict(WIDE, type_vocab_size=1), dict(shards="48KB")),
    "xlm-roberta-tokens": ("xlm-roberta", "xlm-roberta", "tokens", dict(NARROW, type_vocab_size=1), {}),
    "camembert": ("camembert", "camembert", "text", dict(NARROW, type_vocab_size=1, num_hidden_layers=2), {}),
    "camembert-mlm": ("camembert", "camembert", "mlm", dict(NARROW, type_vocab_size=1), {}),
    "electra": ("electra", "bert", "text", dict(WIDE, **ELECTRA), dict(pairs=True)),
    "electra-tokens": ("electra", "bert", "tokens", dict(NARROW, embedding_size=16), {}),
    "electra-mlm": ("electra", "bert", "mlm", dict(NARROW, **ELECTRA), {}),
    "electra-features": ("electra", "bert", "features", dict(NARROW, **ELECTRA), {}),
    "mpnet": ("mpnet", "mpnet", "text", WIDE, dict(pairs=True)),
    "mpnet-tokens": ("mpnet", "mpnet", "tokens", NARROW, {}),
    "mpnet-mlm": ("mpnet", "mpnet", "mlm", NARROW, {}),
    "mpnet-features": ("mpnet", "mpnet", "features", NARROW, dict(sentence="mean")),
    "albert": ("albert", "albert", "text", dict(WIDE, **ALBERT, num_hidden_layers=3), dict(pairs=True)),
    "albert-tokens": ("albert", "albert", "tokens", dict(NARROW, **ALBERT, inner_group_num=2), {}),
    "albert-mlm": ("albert", "albert", "mlm", dict(NARROW, **ALBERT), {}),
    "albert-features": (
        "albert",
        "albert",
        "features",
        dict(NARROW, **ALBERT, num_hidden_layers=3, num_hidden_groups=2),
        {},
    ),
    "mobilebert": ("mobilebert", "bert", "text", {**WIDE, **MOBILE}, dict(pairs=True)),
    "mobilebert-tokens": (
        "mobilebert",
        "bert",
        "tokens",
        {**NARROW, **MOBILE, "use_bottleneck": False, "num_attention_heads": 2},
        {},
    ),
    "mobilebert-mlm": ("mobilebert", "bert", "mlm", {**NARROW, **MOBILE}, {}),
    "mobilebert-features": (
        "mobilebert",
        "bert",
        "features",
        {
            **NARROW,
            **MOBILE,
            "use_bottleneck_attention": True,
            "normalization_type": "layer_norm",
            "trigram_input": False,
        },
        {},
    ),
    "deberta-v2": ("deberta-v2", "deberta-v2", "text", dict(WIDE, **DEBERTA), dict(pairs=True)),
    # As deberta-v2-xlarge: projections of positions of their own, a convolution, no layer norm of positions.
    "deberta-v2-tokens": (
        "deberta-v2",
        "deberta-v2",
        "tokens",
        dict(
            NARROW,
            relative_attention=True,
            pos_att_type=["c2p", "p2c"],
            position_biased_input=True,
            type_vocab_size=2,
            conv_kernel_size=3,
            conv_act="gelu",
            num_hidden_layers=2,
        ),
        dict(pairs=True),
    ),
    "deberta-v2-mlm": ("deberta-v2", "deberta-v2", "mlm", dict(NARROW, **{**DEBERTA, "pos_att_type": "p2c"}), {}),
    "deberta-v2-features": (
        "deberta-v2",
        "deberta-v2",
        "features",
        dict(NARROW, **{**DEBERTA, "pos_att_type": "c2p", "share_att_key": False}, embedding_size=12),
        {},
    ),
    # Written as ModernBERT-base is: which layers are local and both rotary bases in the settings of before version 5.
    "modernbert": (
        "modernbert",
        "modernbert",
        "text",
        dict(WIDE, **MODERN, num_hidden_layers=3, classifier_pooling="mean"),
        dict(
            pairs=True,
            dtype="bfloat16",
            settings=dict(global_attn_every_n_layers=2, global_rope_theta=160000.0, local_rope_theta=10000.0),
        ),
    ),
    "modernbert-cls": ("modernbert", "modernbert", "text", dict(NARROW, **MODERN, classifier_pooling="cls"), {}),
    "modernbert-tokens": ("modernbert", "modernbert", "tokens", dict(NARROW, **MODERN), {}),
    "modernbert-mlm": ("modernbert", "modernbert", "mlm", dict(NARROW, **MODERN), {}),
    "modernbert-features": (
        "modernbert",
        "modernbert",
        "features",
        dict(
            NARROW,
            **MODERN,
            num_hidden_layers=2,
            attention_bias=True,
            mlp_bias=True,
            norm_bias=True,
            layer_types=["sliding_attention", "full_attention"],
        ),
        {},
    ),
    # An output matrix of its own, with a bias beside the one that tied embeddings have.
    "bert-untied": ("bert", "bert", "mlm", dict(NARROW, tie_word_embeddings=False), {}),
    # The head that the makers of version 3 trained.
    "deberta-v3-mlm": ("deberta-v2", "deberta-v2", "mlm", dict(NARROW, **DEBERTA, legacy=False), {}),
}


def special_ids(model_type, config, ids):
    """The ids that config.json names; positions of RoBERTa's kin begin behind the padding id."""
    settings = dict(pad_token_id=ids[config["pad_token"]])
    if model_type in (*FROM_PADDING, "modernbert"):
        settings.update(bos_token_id=ids[config["cls_token"]], eos_token_id=ids[config["sep_token"]])
    if model_type == "modernbert":
        settings.update(cls_token_id=ids[config["cls_token"]], sep_token_id=ids[config["sep_token"]])
    return settings


def randomize(model, seed):
    # Scales of MobileBERT normalise nothing: around 1, the stream would grow from layer to layer.
    scale = 0.7 if getattr(model.config, "normalization_type", "") == "no_norm" else 1
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("relative_attention_bias.weight"):
                parameter.copy_(noise)
            elif parameter.dim() == 1:
                parameter.copy_(0.2 * noise + (scale if name.endswith("weight") else 0))
            else:
                parameter.copy_(noise * max(0.2, 1.2 / parameter.shape[-1] ** 0.5))


def rewrite(path, kind, hidden):
    weights = load_file(path)
    prefix = "bert." if any(name.startswith("bert.") for name in weights) else ""
    if kind == "position_ids":
        weights["embeddings.position_ids"] = torch.arange(64).unsqueeze(0)
    if kind == "legacy":
        legacy = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
        for new, old in legacy.items():
            for name in [name for name in weights if name.endswith(new)]:
                weights[name.removesuffix(new) + old] = weights.pop(name)
        weights[f"{prefix}pooler.dense.weight"] = torch.ones(hidden, hidden)
        weights[f"{prefix}pooler.dense.bias"] = torch.ones(hidden)
        weights["cls.seq_relationship.weight"] = torch.ones(2, hidden)
        weights["cls.seq_relationship.bias"] = torch.ones(2)
    save_file(weights, path, metadata={"format": "pt"})


def sentence_files(folder, mode, hidden):
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    dump(
        folder / "modules.json",
        [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate(modules if mode == "mean" else modules[:2])
        ],
    )
    (folder / "1_Pooling").mkdir()
    dump(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": hidden,
            "pooling_mode_cls_token": mode == "cls",
            "pooling_mode_mean_tokens": mode == "mean",
            "pooling_mode_max_tokens": False,
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    )
    dump(folder / "sentence_bert_config.json", {"max_seq_length": 32, "do_lower_case": False})


def dump(path, data):
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def encode(tokenizer, config, texts, pairs):
    pad = tokenizer.token_to_id(config["pad_token"])
    tokenizer.enable_padding(pad_id=pad, pad_token=config["pad_token"])
    rows = tokenizer.encode_batch(texts if pairs is None else list(zip(texts, pairs)))
    tokenizer.no_padding()
    return rows


def digits(value):
    return float(f"{value:.6g}")


def write(name, seed):
    model_type, family, head, settings, options = SPECS[name]
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tokenizer, tokenizer_config, ids = make_tokenizer(family)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    dump(folder / "tokenizer_config.json", tokenizer_config)

    old = options.get("settings", {})
    labels = {} if head in ("mlm", "features") else dict(
        id2label=dict(enumerate(LABELS)), label2id={label: i for i, label in enumerate(LABELS)}
    )
    config = transformers.AutoConfig.for_model(
        model_type,
        vocab_size=tokenizer.get_vocab_size(),
        max_position_embeddings=66 if model_type in FROM_PADDING else 64,
        **special_ids(model_type, tokenizer_config, ids),
        **settings,
        **old,
        **labels,
    )
    kind = CLASSES[head]
    model = kind.from_config(config, attn_implementation="eager")
    randomize(model, seed)
    dtype = getattr(torch, options.get("dtype", "float32"))
    model.to(dtype).save_pretrained(folder, max_shard_size=options.get("shards", "50GB"))
    (folder / "generation_config.json").unlink(missing_ok=True)
    hidden = settings.get("hidden_size", settings.get("dim"))
    if "rewrite" in options:
        rewrite(folder / "model.safetensors", options["rewrite"], hidden)
    if "sentence" in options:
        sentence_files(folder, options["sentence"], hidden)
    if old:
        written = json.loads((folder / "config.json").read_text())
        for key in ("layer_types", "rope_parameters"):
            written.pop(key, None)
        dump(folder / "config.json", {**written, **old})
    expected(name, folder, tokenizer, tokenizer_config)


def expected(name, folder, tokenizer, tokenizer_config):
    _, _, head, _, options = SPECS[name]
    texts = FEW if head in ("mlm", "features") else TEXTS
    pairs = PAIRS if options.get("pairs") else None
    rows = encode(tokenizer, tokenizer_config, texts, pairs)
    model = CLASSES[head].from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    feeds = {
        "input_ids": torch.tensor([row.ids for row in rows]),
        "attention_mask": torch.tensor([row.attention_mask for row in rows]),
    }
    if pairs is not None and getattr(model.config, "type_vocab_size", 0) > 1:
        feeds["token_type_ids"] = torch.tensor([row.type_ids for row in rows])
    with torch.no_grad():
        result = model(**feeds)
    output = "last_hidden_state" if head == "features" else "logits"
    values = result[output]
    print(name, list(values.shape), f"largest {values.abs().max():.3g}", f"deviation {values.std():.3g}")
    record = {"text": texts}
    if pairs is not None:
        record["pair"] = pairs
    record["ids"] = feeds["input_ids"].tolist()
    record["mask"] = feeds["attention_mask"].tolist()
    if "token_type_ids" in feeds:
        record["types"] = feeds["token_type_ids"].tolist()
    record["output"] = output
    record["dims"] = list(values.shape)
    record["values"] = [digits(value) for value in values.flatten().tolist()]
    (folder / "expected.json").write_text(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


def write_buckets():
    """The buckets of distances at the sizes of published models: the golden texts are too short to reach most of them."""
    from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position
    from transformers.models.mpnet.modeling_mpnet import MPNetEncoder

    far = torch.arange(-511, 512)  # query minus key
    buckets = {
        "mpnet": MPNetEncoder.relative_position_bucket(-far).tolist(),
        "deberta-v2": make_log_bucket_position(far, 256, 512).to(torch.long).tolist(),
    }
    (HERE / "buckets.json").write_text(json.dumps(buckets, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    names = sys.argv[1:] or list(SPECS)
    write_buckets()
    for name in names:
        write(name, 1 + list(SPECS).index(name))
