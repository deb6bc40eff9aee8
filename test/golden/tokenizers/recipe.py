"""Makes the golden tokenizers: tiny vocabularies in the files that checkpoints come with, and what Python says of odd texts.

    python recipe.py      # needs transformers and tokenizers; made with transformers 5.24, tokenizers 0.23

Each folder holds the files as its makers would publish them. expected.json holds the lines once, and for every folder the
ids of each line, and ids and types of pairs of neighbours that are cut to a length. Equal versions give equal bytes.
"""

import json
import os
from collections import Counter
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertTokenizer, MPNetTokenizer, PreTrainedTokenizerFast, RobertaTokenizer

HERE = Path(__file__).parent

WORDS = """the a an of and to in is it that was for on are with as his they be at this have from old small large dog cat
bird river mountain house water light stone tree garden morning evening reads writes sings runs sleeps quickly slowly never
always cafe creme naive resume uber strasse fiance unhappiness internationalization play playing played player token
tokens special mask""".split()

SENTENCES = [
    "The old dog sleeps in the garden.",
    "A small bird sings every morning, and the cat never runs.",
    "It was a large stone house on the river; they always have water.",
    "She reads quickly, he writes slowly.",
    "Unhappiness is internationalization of playing players.",
    "A café serves crème brûlée to the naïve fiancé.",
]

PIECES = [
    # accents, composed and decomposed, and what lower case does to them
    "café", "cafe\u0301", "CAFÉ", "CAFE\u0301", "naïve naïve", "Über Straße ÜBER STRASSE", "İstanbul ıŞ", "ǅ ǆ Ǆ",
    "Ångström A\u030angstro\u0308m", "e\u0301\u0302\u0303", "\u0301abc", "a\u0338b", "ς Σ σ ΑΣ", "ﬁnal ﬂow ﬀ", "①②③ ⅷ ½",
    "ＦＵＬＬ ｗｉｄｔｈ １２３", "ñandú ÑANDÚ", "Đorđe Łódź Øre", "ẞ ß ſ", "Ω Ω K Å",
    # scripts
    "日本語", "日本語のテキスト", "漢字かな交じり文", "中文字符，标点。", "한국어 텍스트", "\u1112\u1161\u11ab", "дом и сад", "ДОМ И САД", "ёлка йод",
    "Ελληνικά γράμματα", "שלום עולם", "שָׁלוֹם", "مرحبا بالعالم", "مُحَمَّد", "नमस्ते दुनिया", "ภาษาไทย", "ქართული", "Հայերեն",
    "豈 更 車", "㐀㐁 extension A", "𠀀𠀁 extension B", "𝒜𝒷𝒸 𝟘𝟙𝟚", "ｶﾀｶﾅ カタカナ", "中a文b字c", "dog狗cat猫",
    # emoji and other symbols
    "👍", "👍🏽 ok", "a👍b", "👨‍👩‍👧‍👦 family", "🇩🇪🇫🇷", "❤️ ❤", "☃ snow ☃☃", "🎉🎉🎉 party", "→ ← ⇒", "€5 £6 ¥7 $8", "™ © ®", "x² + y³ ≠ z",
    "…", "—dash–dash-dash", "“quoted” ‘single’ «guillemets»", "• bullet", "½ cup", "№ 5", "‰", "°C",
    # spaces and control characters
    "", " ", "  ", "\t", "\n", "a  b", " a", "a ", "  a  b  ", "a\tb", "a\nb", "a\r\nb", "a\u00a0b", "a\u2003b", "a\u200bb", "a\u3000b",
    "a\u2028b", "a\u0085b", "a\u0000b", "a\ufffdb", "a\u0007b", "a\u200db", "\ufeffbom", "soft\u00adhyphen", "a\u202eb", "a\u001fb", "a\u000bb\u000cc",
    "private \ue000 use", "unassigned \u0378 point", "a\u180eb", "a\u2060b",
    # punctuation and numbers
    "don't won't it's I'M they're we've he'll she'd", "can't've", "3.14159 -42 1,000,000 50% 1e-9", "a.b.c", "...", "!!!", "?!", "e.g., i.e.",
    "http://www.example.org/path?x=1&y=2#z", "name@example.org", "C++ C# .NET", "snake_case camelCase kebab-case", "[brackets] {braces} (parens) <angles>",
    "a/b\\c|d", "`code` ~tilde~ ^caret^", "'", "\"", "''''", "a'b", "'s", " 's", "12345", "1 2 3", "0x1F", "v1.2.3-beta", "$$$", "@@@", "##a", "a##b", "## a", "##",
    # long words
    "internationalization", "antidisestablishmentarianism", "x" * 99, "x" * 100, "x" * 101, "x" * 150 + " y", "é" * 100, "é" * 101, "ab" * 60, "playingplayedplayer",
    "unhappinessunhappiness", "a" * 64, "a" * 65, "Donaudampfschifffahrtsgesellschaft", "日" * 60,
    # special tokens inside texts
    "[CLS] a [SEP] b [PAD] c [MASK] d [UNK]", "[cls] a [sep]", "a[SEP]b", "a [MASK]b", "a  [MASK]  b", "[MASK][MASK]", "[MASK", "MASK]", "<s> a </s> b <pad> c <mask> d <unk>",
    "a<mask>b", "a <mask> b", "a  <mask>  b", "<mask><mask>", "<mask", "</s></s>", "<S>", "[Mask]", "[SEP]", "<s>", "<mask>", " [SEP] ", " <mask> ",
    "[LEFT] a", "a [LEFT] b", "a  [LEFT]  b", "a [RIGHT] b", "a  [RIGHT]  b", "a[RIGHT] b", "[BOTH]", "a [BOTH] b", "newword", "NewWord", "a newword b", "xnewwordx", "NEWWORD.", "é newword",
]  # fmt: skip

LINES = [*SENTENCES, *PIECES]

# Below five nothing of a pair is left between RoBERTa's four special tokens, and Python cuts nothing at all.
LENGTHS = [5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 20, 24, 32]


def write(folder, files):
    home = HERE / folder
    home.mkdir(exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=0) + "\n"
        (home / name).write_text(text, encoding="utf-8", newline="\n")
    return home


LETTERS = "abcdefghijklmnopqrstuvwxyz"
MARKS = "".join(chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum())
OTHERS = "éèêëàâçñöüåøßđłıςσαωдомисаёй日本語中文字漢狗猫の한국𠀀豈㐀שלاحन👍☃…—–“”«€½²\u0301"


def words_file(special):
    alone = [*LETTERS, *LETTERS.upper(), *"0123456789", *MARKS, *OTHERS]
    inside = [f"##{letter}" for letter in [*LETTERS, *LETTERS.upper(), *"0123456789", *OTHERS]]
    tokens = [*special, *alone, *inside, *WORDS, "café", "Dog", "##ing", "##ed", "##er", "##ness", "##ization"]
    unique = list(dict.fromkeys(tokens))
    return "".join(f"{token}\n" for token in unique)


def learn_merges(count):
    """Byte-pair encoding of the words, ties by text: native trainers draw lots."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=True)
    texts = [*SENTENCES, " ".join(WORDS), " ".join(WORDS)]
    counts = Counter(word for text in texts for word, _ in split.pre_tokenize_str(text))
    words = {word: list(word) for word in counts}
    merges = []
    while len(merges) < count:
        pairs = Counter()
        for word, symbols in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += counts[word]
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append((left, right))
        for symbols in words.values():
            at = 0
            while at + 1 < len(symbols):
                if symbols[at] == left and symbols[at + 1] == right:
                    symbols[at : at + 2] = [left + right]
                at += 1
    return merges


MASK = {"content": "<mask>", "lstrip": True, "rstrip": False, "normalized": False, "single_word": False}


def roberta_files(config):
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    merges = learn_merges(160)
    tokens = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet()), *(left + right for left, right in merges), "<mask>"]
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    lines = ["#version: 0.2", *(f"{left} {right}" for left, right in merges)]
    return {
        "vocab.json": json.dumps(vocabulary, ensure_ascii=False) + "\n",
        "merges.txt": "\n".join(lines) + "\n",
        "tokenizer_config.json": config,
        "special_tokens_map.json": {"mask_token": MASK},
    }


def unigram_file():
    """As XLM-RoBERTa's, but for its compiled table of characters: NFKC instead."""
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [("▁", -2.5)]
    pieces += [(f"▁{word}", -4.0 - i / 64) for i, word in enumerate(WORDS)]
    pieces += [(letter, -6.0 - i / 32) for i, letter in enumerate([*LETTERS, *LETTERS.upper(), *"0123456789", *".,;'日本語é👍"])]
    pieces += [("ing", -5.25), ("ed", -5.5), ("er", -5.75), ("▁play", -5.0)]
    scores = {**{token: 0.0 for token in special}, **dict(reversed(pieces)), "<mask>": 0.0}
    tokenizer = Tokenizer(models.Unigram(list(scores.items()), unk_id=3))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("  ", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([*special, AddedToken("<mask>", lstrip=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer.to_str()


def added_file():
    """A tokenizer.json with added tokens of every kind."""
    home = write("added", {"vocab.txt": words_file(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])})
    tokenizer = BertTokenizer.from_pretrained(home)._tokenizer
    (home / "vocab.txt").unlink()
    tokenizer.add_tokens([AddedToken("newword", normalized=True), AddedToken("[LEFT]", lstrip=True, normalized=False)])
    tokenizer.add_special_tokens([AddedToken("[RIGHT]", rstrip=True), AddedToken("[BOTH]", lstrip=True, rstrip=True)])
    return tokenizer.to_str()


BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MPNET = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
OWN = {"pad_token": "[NIL]", "unk_token": "[WHAT]", "cls_token": "[GO]", "sep_token": "[STOP]", "mask_token": "[GAP]"}

FOLDERS = {
    "bert-defaults": (BertTokenizer, {"vocab.txt": words_file(BERT)}),
    "bert-cased": (
        BertTokenizer,
        {
            "vocab.txt": words_file(["[PAD]", "[unused0]", "[unused1]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]),
            "tokenizer_config.json": {
                "tokenizer_class": "BertTokenizer",
                "do_lower_case": False,
                "tokenize_chinese_chars": False,
                "model_max_length": 512,
            },
        },
    ),
    "bert-own-tokens": (
        BertTokenizer,
        {
            "vocab.txt": words_file(list(OWN.values())),
            "tokenizer_config.json": {"do_lower_case": False, "strip_accents": True},
            "special_tokens_map.json": OWN,
        },
    ),
    "mpnet": (
        MPNetTokenizer,
        {"vocab.txt": words_file(MPNET), "tokenizer_config.json": {"tokenizer_class": "MPNetTokenizer"}},
    ),
    "roberta": (RobertaTokenizer, roberta_files({"tokenizer_class": "RobertaTokenizer"})),
    "roberta-prefix": (RobertaTokenizer, roberta_files({"add_prefix_space": True})),
    "unigram": (PreTrainedTokenizerFast, {"tokenizer.json": unigram_file()}),
    "added": (PreTrainedTokenizerFast, {"tokenizer.json": added_file()}),
}


def expectations(kind, home):
    tokenizer = kind.from_pretrained(home)
    singles = [tokenizer(line)["input_ids"] for line in LINES]
    pairs = []
    for i in range(0, len(LINES) - 1, 2):
        length = LENGTHS[i // 2 % len(LENGTHS)]
        cut = {"truncation": "longest_first", "max_length": length, "return_token_type_ids": True}
        encoded = tokenizer(LINES[i], LINES[i + 1], **cut)
        pairs.append([length, encoded["input_ids"], encoded["token_type_ids"]])
    return {"ids": singles, "pairs": pairs}


expected = {name: expectations(kind, write(name, files)) for name, (kind, files) in FOLDERS.items()}
text = json.dumps({"lines": LINES, "tokenizers": expected}, ensure_ascii=True, separators=(",", ":"))
(HERE / "expected.json").write_text(text.replace('"ids"', '\n"ids"') + "\n", encoding="utf-8", newline="\n")
