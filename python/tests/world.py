"""A little text in two scripts, and what the tests make of it."""

from __future__ import annotations

import random
from pathlib import Path

from electra.data import Tokenizer, build_corpus

WORDS = {
    "the": 9, "king": 3, "queen": 3, "saw": 4, "old": 2, "house": 3, "near": 2, "river": 2, "and": 5, "left": 2,
    "왕은": 3, "강을": 2, "보았다": 4, "집으로": 2, "갔다": 3,
}  # fmt: skip


def documents(count: int = 40) -> list[list[str]]:
    """Documents of lines, the same ones each time."""
    drawn = random.Random(1)
    words, weights = list(WORDS), list(WORDS.values())

    def line() -> str:
        return " ".join(drawn.choices(words, weights, k=drawn.randint(4, 12)))

    return [[line() for _ in range(drawn.randint(3, 8))] for _ in range(count)]


def tokenizer() -> Tokenizer:
    """A vocabulary of the text."""
    return Tokenizer.train((line for document in documents() for line in document), vocab_size=120)


def corpus(folder: Path, max_length: int = 32) -> Path:
    """A corpus of the text, in a folder."""
    place = folder / "corpus"
    build_corpus(tokenizer(), documents(), place, max_length=max_length)
    return place
