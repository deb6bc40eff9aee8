"""Makes the golden variants: every normalizer, pre-tokenizer, model and post-processor of tokenizer.json with their options.

    python recipe.py      # needs tokenizers and sentencepiece; made with tokenizers 0.23.3, sentencepiece 0.2.1

variants.json.gz holds the vocabularies once, and of each variant what differs; the odd texts; the ids of every text, and ids
and types of pairs of neighbours, whole and cut to a length, as Python's tokenizers finds them. Equal versions give equal bytes.
"""

import base64
import gzip
import io
import json
import os
import tempfile
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as sp
from tokenizers import Tokenizer, pre_tokenizers

HERE = Path(__file__).parent

TEXTS = [
    "The old dog sleeps in the garden.", "unhappiness, internationalization; playing-player!", "It's 3.14159 or 1,000,000 (50%)?",
    # emoji and what lies beyond U+FFFF
    "👍", "a👍b 👍🏽 👨‍👩‍👧‍👦", "🇩🇪🇫🇷 ❤️ ❤", "𝒜𝒷𝒸 𝟘𝟙𝟚 𝔘𝔫𝔦", "𠀀𠀁 extension B", "𐐀𐐨 deseret 𐌰", "🀄︎ ⌚️ 1️⃣ #️⃣",
    # combining marks, composed and not
    "café cafe\u0301 CAFÉ", "e\u0301\u0302\u0303 \u0301abc a\u0338b", "A\u030angstro\u0308m Ångström", "\u1112\u1161\u11ab 한 한국어", "ΐ ΐ ḯ ṩ s\u0323\u0307", "ﬁnal ﬂow ﬀ ﷺ ½ ①",
    # case that is no one to one
    "ΟΔΟΣ ΣΑΣ Σ ςσ ΑΣ. ΑΣΑ", "İstanbul ıI Iı DİYARBAKIR", "Straße STRASSE ẞ ß ſ", "ǅ ǆ Ǆ ŉ ǰ", "Ω Ω K Å K", "ՙև եւ ﬓ", "ᏣᎳᎩ ꭰ Ა ა",
    # scripts
    "日本語のテキスト、漢字かな交じり文。", "ｶﾀｶﾅ カタカナ ＦＵＬＬ １２３", "中文字符，标点！中a文b字c", "豈 更 車 㐀㐁", "مرحبا بالعالم، كيف ٱلْحَمْدُ", "שָׁלוֹם עולם", "नमस्ते दुनिया क्षत्रिय", "ภาษาไทย สวัสดีครับ", "Привет, ёлка ДОМ", "ქართული Հայերեն አማርኛ",
    "Ελληνικά γράμματα ῼ ᾳ", "Tiếng Việt Đặng Łódź Øre ñandú", "ᠮᠣᠩᠭᠣᠯ ትግርኛ ཀ", "பேரளவு తెలుగు ಕನ್ನಡ",
    # spaces that are not U+0020, zero width, control characters
    "a\u00a0b\u2003c\u3000d", "a\u200bb\u200cc\u200dd\u2060e", "a\tb\nc\r\nd\u000be\u000cf", "a\u2028b\u2029c\u0085d\u001fe", "a\u0000b\u0001c\u007fd\u0080e", "\ufeff", "\ufeffbom\ufeff", "soft\u00adhyphen \u202eright\u202c", "a\ufffdb \ue000 \u0378 \U000e0041 \U0010ffff", "\u1680ogham\u205fmath\u202fnnbsp\u180emvs", "a\ufe0fb \ufff9\ufffa\ufffb",
    # nothing, and spaces alone
    "", " ", "   ", "\t", "\n\n", "\u00a0", "\u3000 \u200b", " a", "a ", "  a  b  ",
    # punctuation and numbers
    "don't won't I'M they're 's ' \"", "... !!! ?! -- ---", "snake_case camelCase C++ [x] {y} <z>", "$€£¥₿ ^~` |\\/", "“quoted” ‘single’ «guille» …—–", "a.b.c 1.2.3 12:30 1e-9 0x1F", "٣٤٥ ৩৪ Ⅷ ² ¾ 五", "@name #tag http://x.org/?a=b&c=d", "a,b;c:d.e!f?g", "§¶†‡•‰№™©®", "_ __ a_b _a", "+-*/=<>≤≠∞∑", "、。！？「」『』・", "‚„‹›¡¿", "a1b22c333 4d",
    # long words
    "internationalization" * 6, "x" * 99, "x" * 100, "x" * 101, "é" * 101 + " y", "ab" * 60 + "c", "日" * 120, "👍" * 60, "1234567890" * 12, "." * 130,
    # marks of the models
    "▁the ▁ ▁▁a", "##ing a##b ##", "Ġthe Ċ", "<0x41> <0xE2>", "the</w> play@@ ing", "a▁b ▁", "</w> </w>a",
    # added tokens in texts
    "[CLS] a [SEP] b [PAD] c [MASK] [UNK]", "[cls] [mask] [Mask]", "a[SEP]b[MASK]c", "a [MASK] b  [MASK]  c", "[MASK][MASK] [MASK", "x LEFT y xLEFTy  LEFT ", "x RIGHT y xRIGHTy RIGHT  z", "word inside keyword wordy word. (word) word_ wordé", "WORD Word café_token CAFÉ_TOKEN cafe\u0301_token", "both BOTH both  BOTH  ", "日WORD日 日word日 👍word👍", "ﬁtoken fitoken FITOKEN", "the dog the  dogs xthe dogx", "new\u00a0line ↵ a↵b ↵↵",
    "<s> a </s> b <pad> <mask> <unk>", "<s></s>", "<S> <MASK>",
]  # fmt: skip

LETTERS = "abcdefghijklmnopqrstuvwxyz"
OTHERS = "éèçñöüßłøάέςσωдомсё日本語中文字漢한국שלاحनไก👍🏽𝒜𠀀ﬁ½²½⅛…—“”«•€£▁Ġ\u0301\u00a0\u200b"
MARKS = "".join(chr(code) for code in range(0x21, 0x7F) if not chr(code).isalnum())
WORDS = "the old dog cat sleeps garden un happy play playing player token in it or and final cafe café strasse straße naive is to of".split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def unique(tokens):
    return list(dict.fromkeys(tokens))


def numbered(tokens):
    return {token: i for i, token in enumerate(unique(tokens))}


ALONE = [*LETTERS, *LETTERS.upper(), *"0123456789", *MARKS, *OTHERS]
INSIDE = [*LETTERS, *LETTERS.upper(), *"0123456789", *OTHERS, "ing", "er", "ness", "iness", "tion", "ational", "ization"]


def byte_alphabet():
    return sorted(pre_tokenizers.ByteLevel.alphabet())


def merged(words, count, split):
    """Byte-pair merges, most frequent first, ties by text: native trainers draw lots."""
    spelled = [split(word) for word in words]
    merges = []
    while len(merges) < count:
        pairs = {}
        for symbols in spelled:
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] = pairs.get(pair, 0) + 1
        if not pairs:
            break
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append([left, right])
        for symbols in spelled:
            at = 0
            while at + 1 < len(symbols):
                if symbols[at] == left and symbols[at + 1] == right:
                    symbols[at : at + 2] = [join(left, right)]
                at += 1
    return merges


def join(left, right):
    return left + (right[2:] if right.startswith("##") else right)


CORPUS = [*WORDS, "playing", "played", "internationalization", "unhappiness", "lowest", "newest", "widest", "sleeping", "gardens"] * 2


def bpe(letters, split, **options):
    known = [word for word in CORPUS if set(split(word)) <= set(letters)]
    merges = merged(known, 90, split)
    vocab = numbered([*SPECIAL, *letters, *(join(left, right) for left, right in merges)])
    defaults = {"type": "BPE", "dropout": None, "unk_token": "[UNK]", "continuing_subword_prefix": None, "end_of_word_suffix": None}
    return {**defaults, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab, "merges": merges, **options}


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
WORDPIECE = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}
WORDPIECE["vocab"] = numbered([*SPECIAL, *ALONE, *WORDS, *(f"##{piece}" for piece in INSIDE)])

PIECES = [["▁", -3.5], *([f"▁{word}", -5 - i / 8] for i, word in enumerate(WORDS)), *([word, -7 - i / 8] for i, word in enumerate(WORDS)),
          *([letter, -9 - i / 16] for i, letter in enumerate(unique([*ALONE, "  ", "▁▁"])) if letter != "▁"), ["ing", -5.25], ["ness", -5.5], ["ab", -6.0], ["ba", -6.0], ["aba", -6.5]]  # fmt: skip


def unigram(extra=(), **options):
    vocab = [*([token, 0.0] for token in SPECIAL), *([byte, -20.0] for byte in extra)]
    known = {token for token, _ in vocab}
    return {"type": "Unigram", "unk_id": 1, "byte_fallback": False, "vocab": vocab + [p for p in PIECES if not (p[0] in known or known.add(p[0]))], **options}


MODELS = {
    "wordpiece": WORDPIECE,
    "wordpiece-short": {**WORDPIECE, "max_input_chars_per_word": 6},
    "wordpiece-prefix": {**WORDPIECE, "continuing_subword_prefix": "@@", "vocab": numbered([*SPECIAL, *ALONE, *WORDS, *(f"@@{p}" for p in INSIDE)])},
    "wordpiece-bare": {**WORDPIECE, "continuing_subword_prefix": "", "vocab": numbered([*SPECIAL, *ALONE, *WORDS])},
    "wordlevel": {"type": "WordLevel", "unk_token": "[UNK]", "vocab": numbered([*SPECIAL, *ALONE, *WORDS, "▁the", "▁", "...", "Ġthe", "日"])},
    "bpe": bpe(ALONE, list),
    "bpe-fused": bpe(ALONE, list, fuse_unk=True),
    "bpe-silent": bpe(ALONE, list, unk_token=None),
    "bpe-bytes": bpe([*BYTES, *ALONE], list, byte_fallback=True),
    "bpe-bytes-fused": bpe([*BYTES, *LETTERS], list, byte_fallback=True, fuse_unk=True),
    "bpe-prefix": bpe([*ALONE, *(f"##{p}" for p in INSIDE)], lambda word: [word[0], *(f"##{c}" for c in word[1:])], continuing_subword_prefix="##"),
    "bpe-suffix": bpe([*ALONE, *(f"{c}</w>" for c in ALONE)], lambda word: [*word[:-1], f"{word[-1]}</w>"], end_of_word_suffix="</w>"),
    "bpe-byte-level": bpe(byte_alphabet(), list),
    "bpe-ignoring": bpe([*byte_alphabet(), "garden", "Ġgarden", "sleeps", "Ġold"], list, ignore_merges=True),
    "unigram": unigram(),
    "unigram-bytes": unigram(BYTES, byte_fallback=True),
}  # fmt: skip


def charsmap(rule):
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.txt"
        corpus.write_text("\n".join(CORPUS), encoding="utf-8")
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(input=str(corpus), model_writer=model, vocab_size=40, normalization_rule_name=rule, hard_vocab_limit=False, minloglevel=2)
    proto = sp.ModelProto()
    proto.ParseFromString(model.getvalue())
    return base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode()


def sequence(kind, *parts):
    return {"type": "Sequence", kind: list(parts)}


def flags(**changed):
    return {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False, **changed}


ADDED = [{"id": i, "content": token, **flags(special=True)} for i, token in enumerate(SPECIAL)]


def more(model, *tokens):
    """Added tokens behind the vocabulary."""
    first = len(MODELS[model]["vocab"])
    return [*ADDED, *({"id": first + i, "content": content, **flags(**changed)} for i, (content, changed) in enumerate(tokens))]


CLS, SEP = {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}


def text(name, type_id):
    return {"Sequence": {"id": name, "type_id": type_id}}


def template(single, pair):
    special = {token: {"id": token, "ids": [SPECIAL.index(token)], "tokens": [token]} for token in ("[CLS]", "[SEP]")}
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special}


SEP1 = {"SpecialToken": {"id": "[SEP]", "type_id": 1}}
BERT = template([CLS, text("A", 0), SEP], [CLS, text("A", 0), SEP, text("B", 1), SEP1])
ENDS = {"sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
SPACES = {"type": "WhitespaceSplit"}
BERT_CUT = {"type": "BertPreTokenizer"}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
MARKED = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}


def bert(**changed):
    return {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True, **changed}


def replace(kind, pattern, content):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def split(kind, pattern, behavior, invert=False):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


V = {}


def variant(name, model="wordpiece", normalizer=None, pre=SPACES, post=None, added=None):
    assert name not in V
    V[name] = {"model": model, "normalizer": normalizer, "pre_tokenizer": pre, "post_processor": post, "added_tokens": ADDED if added is None else added}


# normalizers
variant("bert", normalizer=bert(), pre=BERT_CUT, post=BERT)
for key, value in [("clean_text", False), ("handle_chinese_chars", False), ("strip_accents", True), ("strip_accents", False), ("lowercase", False)]:
    variant(f"bert {key} {value}", normalizer=bert(**{key: value}), pre=BERT_CUT, post=BERT)
variant("bert accents alone", normalizer=bert(lowercase=False, strip_accents=True), pre=BERT_CUT)
for kind in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"]:
    variant(f"normalizer {kind}", model="bpe-byte-level" if kind == "ByteLevel" else "wordpiece", normalizer={"type": kind})
variant("NFD, accents, lower case", normalizer=sequence("normalizers", {"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}))
variant("lower case, NFC", normalizer=sequence("normalizers", {"type": "Lowercase"}, {"type": "NFC"}), pre=BERT_CUT)
for left, right in [(True, True), (True, False), (False, True), (False, False)]:
    variant(f"strip {left} {right}", model="bpe", normalizer={"type": "Strip", "strip_left": left, "strip_right": right}, pre=None)
variant("prepend", model="unigram", normalizer={"type": "Prepend", "prepend": "▁"}, pre=None)
variant("prepend text", model="bpe", normalizer={"type": "Prepend", "prepend": "the "}, pre=SPACES)
variant("replace text", normalizer=replace("String", "the", "cat"))
variant("replace spaces", model="unigram", normalizer=replace("String", " ", "▁"), pre=None)
variant("replace a special sign", normalizer=replace("String", ".", "!"), pre=BERT_CUT)
variant("replace pattern", normalizer=replace("Regex", " {2,}", " "), pre=split("String", " ", "Isolated"))
variant("replace class", normalizer=replace("Regex", "[\\p{L}&&[^a-z]]", "x"), pre=BERT_CUT)
variant("replace dots", normalizer=replace("Regex", "\\.+|…", "..."), model="wordlevel")
variant("llama", model="bpe-bytes-fused", normalizer=sequence("normalizers", {"type": "Prepend", "prepend": "▁"}, replace("String", " ", "▁")), pre=None)
for rule in ["nmt_nfkc_cf", "nmt_nfkc", "nfkc"]:
    variant(f"charsmap {rule}", model="unigram", normalizer={"type": "Precompiled", "precompiled_charsmap": rule}, pre=MARKED)
variant("charsmap and spaces", model="unigram", normalizer=sequence("normalizers", {"type": "Precompiled", "precompiled_charsmap": "nmt_nfkc_cf"}, {"type": "Strip", "strip_left": False, "strip_right": True}, replace("Regex", " {2,}", "▁")), pre=MARKED)
# pre-tokenizers
variant("no parts at all", model="wordlevel", pre=None)
variant("one word", model="bpe", pre=None)
for kind in ["BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts"]:
    variant(f"pre-tokenizer {kind}", pre={"type": kind})
    variant(f"pre-tokenizer {kind}, words", model="wordlevel", pre={"type": kind})
for behavior in BEHAVIORS:
    variant(f"punctuation {behavior}", pre=sequence("pretokenizers", SPACES, {"type": "Punctuation", "behavior": behavior}))
    variant(f"split at text {behavior}", model="bpe", pre=split("String", " ", behavior))
    variant(f"split at text {behavior} inverted", model="bpe", pre=split("String", "a", behavior, True))
    variant(f"split at pattern {behavior}", model="wordlevel", pre=split("Regex", "\\w+|[^\\w\\s]+", behavior))
    variant(f"split at pattern {behavior} inverted", model="wordlevel", pre=split("Regex", "\\w+|[^\\w\\s]+", behavior, True))
    variant(f"split at a special sign {behavior}", model="bpe", pre=split("String", ".", behavior))
variant("punctuation", pre=sequence("pretokenizers", SPACES, {"type": "Punctuation"}))
variant("delimiter", pre={"type": "CharDelimiterSplit", "delimiter": "a"})
variant("delimiter space", model="wordlevel", pre={"type": "CharDelimiterSplit", "delimiter": " "})
for single in [True, False]:
    variant(f"digits {single}", pre=sequence("pretokenizers", SPACES, {"type": "Digits", "individual_digits": single}))
variant("fixed length", model="bpe", pre={"type": "FixedLength", "length": 5})
for prefix in [True, False]:
    for regex in [True, False]:
        variant(f"byte level {prefix} {regex}", model="bpe-byte-level", pre={**BYTE_LEVEL, "add_prefix_space": prefix, "use_regex": regex}, post={**BYTE_LEVEL, "trim_offsets": regex})
variant("GPT-4's pattern", model="bpe-byte-level", pre=sequence("pretokenizers", split("Regex", "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", "Isolated"), {**BYTE_LEVEL, "add_prefix_space": False, "use_regex": False}))
for scheme in ["first", "never", "always"]:
    for divided in [True, False]:
        variant(f"metaspace {scheme} {divided}", model="unigram", pre={**MARKED, "prepend_scheme": scheme, "split": divided}, added=more("unigram", ("LEFT", {}), ("word", {})))
variant("metaspace of an old file", model="unigram", pre={"type": "Metaspace", "replacement": "▁", "add_prefix_space": True})
variant("metaspace under WordPiece", pre=MARKED)
variant("metaspace with another mark", model="wordlevel", pre={**MARKED, "replacement": "_"})
variant("scripts and marks", model="unigram", pre=sequence("pretokenizers", {"type": "UnicodeScripts"}, MARKED))
# models
for name in MODELS:
    byte = name in ("bpe-byte-level", "bpe-ignoring")
    variant(f"model {name}", model=name, pre=BYTE_LEVEL if byte else MARKED if name.startswith("unigram") else BERT_CUT, normalizer=None if byte else {"type": "NFC"})
variant("model unigram, one word", model="unigram", pre=None)
variant("model unigram-bytes, one word", model="unigram-bytes", pre=None, normalizer=replace("String", " ", "▁"))
# post-processors
variant("BertProcessing", post={"type": "BertProcessing", **ENDS})
variant("RobertaProcessing", model="bpe-byte-level", pre=BYTE_LEVEL, post={"type": "RobertaProcessing", "trim_offsets": True, "add_prefix_space": True, **ENDS})
variant("RobertaProcessing untrimmed", model="bpe-byte-level", pre=BYTE_LEVEL, post={"type": "RobertaProcessing", "trim_offsets": False, "add_prefix_space": False, **ENDS})
variant("template one type", post=template([CLS, text("A", 0), SEP], [CLS, text("A", 0), SEP, SEP, text("B", 0), SEP]))
variant("template types of one text", post=template([CLS, text("A", 1), SEP1], [text("A", 1), SEP1, text("B", 0), SEP, CLS]))
variant("template reversed", post=template([text("A", 0), SEP, CLS], [CLS, text("B", 1), SEP, text("A", 0), SEP1]))
variant("template bare", post=template([text("A", 0)], [text("A", 0), text("B", 1)]))
variant("processors in a row", model="bpe-byte-level", pre=BYTE_LEVEL, post=sequence("processors", BYTE_LEVEL, BERT))
# added tokens
variant("added", added=more("wordpiece", ("LEFT", {"lstrip": True}), ("RIGHT", {"rstrip": True}), ("BOTH", {"lstrip": True, "rstrip": True}), ("word", {"single_word": True}), ("↵", {})), pre=BERT_CUT)
variant("added, normalized", normalizer=bert(), added=more("wordpiece", ("LEFT", {"lstrip": True, "normalized": True}), ("Word", {"normalized": True}), ("CAFÉ_TOKEN", {"normalized": True}), ("ﬁtoken", {"normalized": True}), ("the dog", {"normalized": True})), pre=BERT_CUT, post=BERT)
variant("added, single words", normalizer={"type": "NFKC"}, added=more("wordpiece", ("word", {"single_word": True, "normalized": True}), ("fitoken", {"normalized": True, "single_word": True}), ("café_token", {"normalized": True}), ("the dog", {"single_word": True})), pre=BERT_CUT)
variant("added in a unigram", model="unigram", pre=MARKED, normalizer={"type": "Precompiled", "precompiled_charsmap": "nmt_nfkc_cf"}, added=more("unigram", ("<s>", {"special": True}), ("</s>", {"special": True}), ("<mask>", {"lstrip": True, "special": True}), ("word", {"single_word": True, "normalized": True}), ("RIGHT", {"rstrip": True})))
variant("added in byte level", model="bpe-byte-level", pre=BYTE_LEVEL, added=more("bpe-byte-level", ("<mask>", {"lstrip": True, "special": True}), ("word", {"single_word": True}), ("BOTH", {"lstrip": True, "rstrip": True, "normalized": True})))
variant("added beside each other", added=more("wordpiece", ("wor", {}), ("word", {}), ("wordy", {}), ("LE", {"normalized": True}), ("LEFT", {"normalized": True})), pre=BERT_CUT)
variant("added words of the vocabulary", added=[*ADDED, *({"id": WORDPIECE["vocab"][word], "content": word, **flags(normalized=True)} for word in ("the", "dog"))])

CHARSMAPS = {rule: charsmap(rule) for rule in ["nmt_nfkc_cf", "nmt_nfkc", "nfkc"]}


def filled(part):
    """Charsmaps stand once in the file, by their names."""
    if isinstance(part, list):
        return [filled(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {key: CHARSMAPS[value] if key == "precompiled_charsmap" else filled(value) for key, value in part.items()}


LENGTHS = [6, 7, 8, 9, 10, 11, 13, 16, 21, 32]


def expected(parts):
    document = {"version": "1.0", "truncation": None, "padding": None, "decoder": None, **filled(parts), "model": MODELS[parts["model"]]}
    tokenizer = Tokenizer.from_str(json.dumps(document))
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    pairs, cut = [], []
    for i in range(len(TEXTS) - 1):
        whole = tokenizer.encode(TEXTS[i], TEXTS[i + 1])
        pairs.append([whole.ids, "".join(map(str, whole.type_ids))])
        tokenizer.enable_truncation(LENGTHS[i % len(LENGTHS)])
        short = tokenizer.encode(TEXTS[i], TEXTS[i + 1])
        cut.append([short.ids, "".join(map(str, short.type_ids))])
        tokenizer.no_truncation()
    return {"ids": ids, "pairs": pairs, "cut": cut}


document = {
    **{"texts": TEXTS, "lengths": LENGTHS, "models": MODELS, "charsmaps": CHARSMAPS},
    "variants": {name: {**parts, **expected(parts)} for name, parts in V.items()},
}
data = json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode()
(HERE / "variants.json.gz").write_bytes(gzip.compress(data, 9, mtime=0))
print(len(V), "variants,", len(TEXTS), "texts,", len(data), "bytes,", (HERE / "variants.json.gz").stat().st_size, "in gzip")
