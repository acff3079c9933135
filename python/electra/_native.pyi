"""The extension module; ``electra.data`` is its face."""

import os
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

_Path: TypeAlias = str | os.PathLike[str]
_Column: TypeAlias = tuple[Literal["ids", "flags", "reals"], int, bytearray]

class Tokenizer:
    def __new__(cls, path: _Path) -> Tokenizer: ...
    @staticmethod
    def train(
        lines: Iterable[str],
        vocab_size: int,
        *,
        lowercase: bool = True,
        strip_accents: bool = True,
        min_frequency: int = 2,
    ) -> Tokenizer: ...
    def save(self, folder: _Path) -> None: ...
    def encode(self, text: str) -> list[int]: ...
    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]: ...
    def decode(self, ids: Sequence[int], skip_special_tokens: bool = True) -> str: ...
    @property
    def vocab_size(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def special_ids(self) -> list[int]: ...

class Masker:
    def __new__(
        cls,
        tokenizer: Tokenizer,
        max_length: int,
        seed: int,
        *,
        masking: str = "electra",
        mask_prob: float | None = None,
        choice: str = "token",
    ) -> Masker: ...
    def mask(
        self, step: int, examples: Sequence[int], rows: Sequence[Sequence[int]]
    ) -> tuple[int, dict[str, bytearray]]: ...

class Batches:
    def __new__(
        cls,
        corpus: _Path,
        batch_size: int,
        seed: int,
        *,
        masking: str = "electra",
        mask_prob: float | None = None,
        choice: str = "token",
        rank: int = 0,
        ranks: int = 1,
    ) -> Batches: ...
    def batch(self, step: int) -> dict[str, _Column]: ...
    @property
    def examples(self) -> int: ...
    @property
    def max_length(self) -> int: ...

def build_corpus(
    tokenizer: Tokenizer,
    documents: Iterable[str | Iterable[str]],
    output: _Path,
    *,
    max_length: int = 128,
    segments: int = 2,
    seed: int = 0,
) -> int: ...
