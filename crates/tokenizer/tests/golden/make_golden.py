#!/usr/bin/env python3
"""Writes vocab.txt and bert.json: texts and their ids by transformers and tokenizers, for the tests to compare.

    cargo run -p electra-tokenizer --example train -- 1200 uncased tests/golden/trained tests/golden/corpus.txt
    python tests/golden/make_golden.py

both in the crate's folder, the first only when training is meant to change. Vocabulary, corpus and texts are
written for these tests. Needs `transformers`, no network and no PyTorch.
"""

import json
import pathlib
import tempfile

import tokenizers
import transformers

HERE = pathlib.Path(__file__).parent

WORDS = """
the rain wind house river bird sing ##s ##ing ##ed un ##happy ##ly cafe café straße strasse ναι ΝΑΙ ODOS οδος
οδοσ İstanbul istanbul việt viet nam ##am Rain RAIN THE don ' t ! ? . , ; : - _ ( ) [ ] " # ## $ % & * + / 0 1 2
##0 ##1 ##2 3 14 1999 비 ##가 ##는 온다 한국어 한국 ##어 문장 우산 ##을 下 雨 天 今 日 は 本 が か 今日 ガラス カラス ##ラス
傘 ##を 。 、 ، ؟ ! । مطر ##ة كتاب كِتاب बारिश बारश ##ें ह ै ##ै 🙂 👩 👩‍👩‍👧 ❤ ❤️ 🇰 ##🇷 🇰🇷 mask MASK ##mask ##MASK
sep SEP cls unk pad ㄱ ᄒ ##ᅡ ##ᆫ 하 a b c d e f g h i j k l m n o p q r s t u v w x y z A B C É é ñ ##ñ n ##̃ ̃ 
##a ##b ##c ##d ##e ##f ##g ##h ##i ##j ##k ##l ##m ##n ##o ##p ##q ##r ##t ##u ##v ##w ##x ##y ##z ß ##ß ẞ İ i̇
""".split()
VOCAB = list(dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", *WORDS]))

TEXTS = [
    "",
    " \t\n ",
    "The rain sings, the wind sang.",
    "unhappily unhappy UNHAPPY don't don’t",
    "Pi is 3.14, not 1999! (really?) [brackets] \"quotes\" #tag ##ing $5 50%",
    "Café café cafe\u0301 CAFÉ naïve ñ n\u0303 Straße STRASSE ẞ",
    "ΟΔΟΣ οδος ὈΔΌΣ Ναι ΝΑΙ",
    "İstanbul ISTANBUL ıstanbul I\u0307",
    "Việt Nam VIỆT NAM vie\u0323\u0302t",
    "한국어 문장. 비가 온다, 우산을",
    "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165 한 ㄱ",
    "今天下雨。今日は雨、傘を",
    "日本ガラス カ\u3099ラス が か\u3099 ﾊﾝｶｸ 全角ＡＢＣ",
    "مطر كتاب، كِتاب؟ نعم",
    "बारिश है। बारिशें",
    "🙂 👩‍👩‍👧 ❤️ ❤ 🇰🇷 rain🙂rain 👍🏽",
    "a\u00a0b\u3000c\u2003d\u2028e\u2029f\u200bg\u200dh\ufeffi\u00adj\u2060k",
    "bell\u0007 null\u0000 del\u007f nel\u0085x vt\u000bx ff\u000cx esc\u001bx tab\tx cr\rx lf\nx crlf\r\nx",
    "private \ue000 unassigned \u0378 \U000e0001 surrogates none",
    "literal [MASK] and [SEP] and [CLS]x[PAD] [UNK][mask] [ MASK ] ## [unused0]",
    "x" * 100 + " " + "x" * 101 + " the",
    "the" * 34 + "!" + "the",
    "rain-wind_house/river\\bird…rain—wind«bird»„rain“‚wind‘",
    "e\u0301\u0323 \u0301rain r\u0301ain \u0301",
    "𝔯𝔞𝔦𝔫 ﬁ ½ ² ™ № ａ",
    "𠀀𪜀豈更 㐀 下a雨b",
    b"broken \xff\xfe bytes \xe2\x82 rain\xf0\x9f\x98 \xed\xa0\x80wind \xc0\xaf".decode("utf-8", errors="replace"),
    "\ufffd\ufffdrain\ufffd",
    " rain  wind\t\triver ",
]
PAIRS = [["The rain", "sings."], ["비가", "온다"], ["", "rain"]]


def golden(folder, cased):
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": not cased}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = transformers.BertTokenizerFast.from_pretrained(folder)
    pairs = [tokenizer(a, b) for a, b in PAIRS]
    ids = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
    return {
        "ids": ids,
        "decoded": [tokenizer.backend_tokenizer.decode(row) for row in ids],
        "pair_ids": [pair["input_ids"] for pair in pairs],
        "pair_token_type_ids": [pair["token_type_ids"] for pair in pairs],
    }


def main():
    text = "".join(token + "\n" for token in VOCAB)
    (HERE / "vocab.txt").write_text(text, encoding="utf-8", newline="\n")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "vocab.txt").write_text(text, encoding="utf-8", newline="\n")
        result = {
            "made_with": {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__},
            "texts": TEXTS,
            "pairs": PAIRS,
            "uncased": golden(folder, cased=False),
            "cased": golden(folder, cased=True),
        }
    trained = HERE / "trained"
    library = tokenizers.Tokenizer.from_file(str(trained / "tokenizer.json"))
    auto = transformers.AutoTokenizer.from_pretrained(trained)
    ids = [library.encode(text, add_special_tokens=False).ids for text in TEXTS]
    assert ids == [auto(text, add_special_tokens=False)["input_ids"] for text in TEXTS]
    library.encode_special_tokens = True
    as_text = [library.encode(text, add_special_tokens=False).ids for text in TEXTS]
    pairs = [auto(a, b) for a, b in PAIRS]
    result["trained"] = {
        "ids": ids,
        "ids_special_tokens_as_text": as_text,
        "decoded": [auto.backend_tokenizer.decode(row) for row in ids],
        "pair_ids": [pair["input_ids"] for pair in pairs],
        "pair_token_type_ids": [pair["token_type_ids"] for pair in pairs],
    }
    with open(HERE / "bert.json", "w", encoding="utf-8", newline="\n") as file:
        json.dump(result, file, ensure_ascii=True, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
