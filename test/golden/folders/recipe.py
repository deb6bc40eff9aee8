"""What transformers and sentence-transformers make of golden checkpoints whose files beside the weights were changed.

    python recipe.py      # needs torch, transformers, sentence-transformers; made with transformers 5.24, sentence-transformers 6.2

Each case is a checkpoint of ../checkpoints with some keys of its JSON files set or dropped, or with files of its own. tokens.json
holds the ids that AutoTokenizer gives for odd texts, sentences.json the vectors that SentenceTransformer makes of some, one at a
time; null where the library itself fails. decant must give the same, or refuse the folder.
"""

import json
import os
import shutil
import tempfile
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import transformers
from sentence_transformers import SentenceTransformer

HERE = Path(__file__).parent
CHECKPOINTS = HERE.parent / "checkpoints"

TEXTS = [
    "Old dogs sleep near the café while birds sing.",
    "  two  spaces ",
    "ÀÉ naïve Straße ΣΑΣ e\u0301",
    "<mask> [MASK] a [mask] <s> x [SEP]y dogs",
    "日本 coffee\tnew\nline ½ ﬁne",
    "``quoted'' text, don't stop-it",
]
PAIR = ["A fox jumps over dogs.", "Nobody knows."]


def token(content, **flags):
    return {"content": content, "lstrip": False, "rstrip": False, "single_word": False, "normalized": False, "special": True, **flags}


CONFIG, SPECIAL, ADDED, TOKENIZER = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.json"
WORDS = {"roberta": ["e", "ing"], "modernbert": ["e", "ing"], "bert": ["dogs", "old"], "mpnet": ["dogs", "old"]}
FLAGS = ["do_lower_case", "strip_accents", "tokenize_chinese_chars", "add_prefix_space", "keep_accents", "split_by_punct"]
IDLE = ["legacy", "do_basic_tokenize", "add_bos_token", "add_eos_token", "clean_up_tokenization_spaces", "split_special_tokens"]
CLASSES = ["BertTokenizer", "MPNetTokenizer", "RobertaTokenizerFast", "XLMRobertaTokenizer", "AlbertTokenizer", "PreTrainedTokenizerFast"]


def changes(base):
    """Keys to set, by file."""
    first, second = WORDS.get(base, ["▁dogs", "s"])
    for flag in FLAGS + IDLE:
        for value in (True, False):
            yield {CONFIG: {flag: value}}
    for name in CLASSES:
        yield {CONFIG: {"tokenizer_class": name}}
        yield {CONFIG: {"tokenizer_class": None}, "config.json": {"tokenizer_class": name}}
    yield {CONFIG: {"tokenizer_class": None}}
    yield {CONFIG: {"extra_special_tokens": [first]}}
    yield {CONFIG: {"extra_special_tokens": {"image_token": second}}}
    yield {CONFIG: {"additional_special_tokens": [first, second]}}
    yield {CONFIG: {"additional_special_tokens": [first], "extra_special_tokens": [second]}}
    yield {CONFIG: {"image_token": first}}
    yield {CONFIG: {"mask_token": first}}
    yield {CONFIG: {"mask_token": {"__type": "AddedToken", **token(first, lstrip=True, special=False, normalized=True)}}}
    yield {CONFIG: {"cls_token": first}}
    yield {CONFIG: {"unk_token": first}}
    yield {CONFIG: {"added_tokens_decoder": {"1": token(first)}}}
    yield {CONFIG: {"added_tokens_decoder": {}}, SPECIAL: {"mask_token": first}}
    yield {SPECIAL: {"mask_token": first}}
    yield {SPECIAL: {"mask_token": {"content": first, "lstrip": True, "rstrip": False, "normalized": True, "single_word": True}}}
    yield {SPECIAL: {"additional_special_tokens": [first, second]}}
    yield {SPECIAL: {"image_token": first}}
    yield {SPECIAL: {"do_lower_case": False}}
    yield {ADDED: {first: 3}}
    yield {CONFIG: {"model_max_length": 9}}
    yield {CONFIG: {"model_max_length": None, "max_len": 9}}
    yield {CONFIG: {"model_max_length": 9, "truncation_side": "left"}}
    yield {CONFIG: {"model_input_names": ["input_ids", "attention_mask"]}}
    truncation = {"direction": "Left", "max_length": 6, "strategy": "LongestFirst", "stride": 0}
    yield {CONFIG: {"model_max_length": 9}, TOKENIZER: {"truncation": truncation}}
    yield {TOKENIZER: {"truncation": {**truncation, "direction": "Right"}}}
    yield {TOKENIZER: {"post_processor": None}}
    yield {TOKENIZER: {"normalizer": {"type": "Lowercase"}}}
    yield {TOKENIZER: {"pre_tokenizer": {"type": "Whitespace"}}}
    yield {TOKENIZER: {"added_tokens": []}}


SETTINGS, POOLING, PROMPTS = "sentence_bert_config.json", "1_Pooling/config.json", "config_sentence_transformers.json"
OTHERS = ["roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"]
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.sentence_transformer.modules.pooling.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.base.modules.normalize.Normalize"},
]


def sentence_changes():
    """Files to write whole, or None to remove them."""
    for name in OTHERS:
        yield {SETTINGS: None, f"sentence_{name}_config.json": {"max_seq_length": 8, "do_lower_case": False}}
    yield {SETTINGS: {}, "sentence_roberta_config.json": {"max_seq_length": 8}}
    yield {"sentence_roberta_config.json": {"max_seq_length": 8}}
    yield {SETTINGS: {"max_seq_length": 60}, "+tokenizer_config.json": {"model_max_length": 10}}
    yield {SETTINGS: {"max_seq_length": None}, "+tokenizer_config.json": {"model_max_length": 10}}
    yield {SETTINGS: None, "+tokenizer_config.json": {"model_max_length": 10}}
    yield {SETTINGS: {"do_lower_case": True}, "+tokenizer_config.json": {"do_lower_case": False}}
    yield {SETTINGS: {"do_lower_case": True}, "+tokenizer_config.json": {"do_lower_case": False, "strip_accents": True}}
    for key in ("tokenizer_args", "processor_kwargs"):
        yield {SETTINGS: {key: {"model_max_length": 8}}}
        yield {SETTINGS: {key: {"do_lower_case": False}}}
    yield {SETTINGS: {"model_args": {"attn_implementation": "eager"}}}
    yield {SETTINGS: {"config_args": {"hidden_act": "relu"}}}
    yield {SETTINGS: {"processing_kwargs": {"text": {"max_length": 6}}}}
    yield {SETTINGS: {"transformer_task": "fill-mask"}}
    yield {SETTINGS: {"unknown_key": 1}}
    for mode in ("cls", "mean", "max", "lasttoken", "weightedmean", ["mean"], ["cls", "mean"]):
        yield {POOLING: {"embedding_dimension": 32, "pooling_mode": mode}}
    yield {POOLING: {"word_embedding_dimension": 32}}
    yield {POOLING: {"word_embedding_dimension": 32, "pooling_mode_cls_token": True}}
    yield {POOLING: {"word_embedding_dimension": 32, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": False}}
    yield {POOLING: {"word_embedding_dimension": 32, "pooling_mode": "mean", "pooling_mode_cls_token": True}}
    yield {POOLING: {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "include_prompt": False}}
    yield {POOLING: {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "new_key": 1}}
    yield {PROMPTS: {"prompts": {"short": "Is it: "}, "default_prompt_name": "short"}}
    yield {PROMPTS: {"prompts": {"short": "Is it: "}, "default_prompt_name": None}}
    yield {PROMPTS: {"prompts": {}, "default_prompt_name": "none"}}
    yield {PROMPTS: {"truncate_dim": 8}}
    yield {PROMPTS: {"similarity_fn_name": "dot", "model_type": "SentenceTransformer"}}
    yield {"2_Normalize/config.json": {"module_input_name": "token_embeddings"}}
    yield {"modules.json": MODULES}
    yield {"modules.json": [MODULES[0], MODULES[2], MODULES[1]]}


def folder_of(home, base, files, merge):
    folder = Path(home) / base
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(CHECKPOINTS / base, folder)
    for name, content in files.items():
        path = folder / name.removeprefix("+")
        path.parent.mkdir(exist_ok=True)
        if content is None:
            path.unlink()
            continue
        old = json.loads(path.read_text()) if (merge or name.startswith("+")) and path.exists() else None
        if isinstance(old, dict):
            content = {key: value for key, value in {**old, **content}.items() if key not in content or value is not None or key == "post_processor"}
        path.write_text(json.dumps(content))
    return folder


def tokens_of(folder):
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        return [tokenizer(text, truncation=True)["input_ids"] for text in TEXTS] + [tokenizer(*PAIR, truncation=True)["input_ids"]]
    except Exception:
        return None


def vectors_of(folder):
    try:
        model = SentenceTransformer(str(folder), device="cpu")
        return [[float(f"{x:.6g}") for x in model.encode([text])[0]] for text in TEXTS[:4]]
    except Exception:
        return None


def dump(name, record):
    (HERE / name).write_text(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    bases = ["bert", "mpnet", "roberta", "xlm-roberta", "camembert", "albert", "deberta-v2", "modernbert"]
    with tempfile.TemporaryDirectory() as home:
        cases = [
            {"base": base, "files": files, "ids": tokens_of(folder_of(home, base, files, True))}
            for base in bases
            for files in changes(base)
        ]
        dump("tokens.json", {"texts": TEXTS, "pair": PAIR, "cases": cases})
        base = "sentence-transformers"
        cases = [{"files": files, "vectors": vectors_of(folder_of(home, base, files, False))} for files in sentence_changes()]
        dump("sentences.json", {"texts": TEXTS[:4], "cases": cases})
    print(len(cases))
