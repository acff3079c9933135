"""Masking, tokenizer and corpora for PyTorch's training loops.

Masks are functions of (seed, step, example): the same on any number of workers and ranks, and the same that ``electra
pretrain`` uses. This module takes any torch, and needs neither the program nor its libtorch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from electra._native import Batches, Masker, Tokenizer, build_corpus

__all__ = ["MaskedCorpus", "MaskingCollator", "Tokenizer", "build_corpus"]

_DTYPES = {"ids": torch.int64, "flags": torch.bool, "reals": torch.float32}
# What `labels` hold where nothing is predicted: the default `ignore_index` of PyTorch's cross entropy.
_IGNORED = -100


def _tensor(data: bytearray, dtype: torch.dtype, rows: int, width: int) -> torch.Tensor:
    """A tensor over the bytes, which it keeps."""
    if not data:
        return torch.empty((rows, width), dtype=dtype)
    return torch.frombuffer(data, dtype=dtype).view(rows, width)


class MaskedCorpus(IterableDataset[dict[str, torch.Tensor]]):
    """The masked batches of a corpus that ``electra corpus build`` or ``build_corpus`` wrote, step after step.

    An item is a whole batch: give it to ``DataLoader`` with ``batch_size=None``. Workers share the steps out and keep their
    order. Items are those of ``batch``.

    ``steps`` is the number of batches and ``start`` the first step. ``masking`` is ``"electra"``, ``"bert"`` or
    ``"reference"``; ``mask_prob`` replaces the rule's share, and ``choice`` is ``"token"``, ``"whole-word"`` or
    ``"n-gram"``.
    Each of ``ranks`` processes has its rows of each batch.
    """

    def __init__(
        self,
        corpus: str | os.PathLike[str],
        batch_size: int,
        *,
        steps: int,
        start: int = 0,
        seed: int = 1,
        masking: str = "electra",
        mask_prob: float | None = None,
        choice: str = "token",
        rank: int = 0,
        ranks: int = 1,
        columns: str = "transformers",
    ) -> None:
        super().__init__()
        if columns not in ("transformers", "electra"):
            raise ValueError(f"columns: {columns!r}; expected 'transformers' or 'electra'")
        self.steps, self.start, self.columns = steps, start, columns
        self._corpus, self._batch_size, self._seed = os.fspath(corpus), batch_size, seed
        self._settings: dict[str, Any] = {"masking": masking, "mask_prob": mask_prob, "choice": choice}
        self._settings |= {"rank": rank, "ranks": ranks}
        self._batches = self._open()

    def _open(self) -> Batches:
        return Batches(self._corpus, self._batch_size, self._seed, **self._settings)

    def __getstate__(self) -> dict[str, Any]:
        # A worker that is spawned opens the corpus itself.
        return {name: value for name, value in self.__dict__.items() if name != "_batches"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._batches = self._open()

    def __len__(self) -> int:
        return self.steps

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        worker = get_worker_info()
        first, stride = (0, 1) if worker is None else (worker.id, worker.num_workers)
        for step in range(self.start + first, self.start + self.steps, stride):
            yield self.batch(step)

    def batch(self, step: int) -> dict[str, torch.Tensor]:
        """The batch of a step, B rows of L positions.

        With ``columns="transformers"`` it has ``input_ids`` with the masks in, ``attention_mask``, ``token_type_ids`` and
        ``labels``, which are -100 where nothing is predicted. With ``columns="electra"`` it has the program's own columns:
        ``input_ids`` without masks, ``masked_input_ids``, and in N slots a row ``masked_positions``, ``masked_valid``,
        ``masked_distinct`` and ``uniforms``; and ``examples``, the numbers of the rows' examples.
        """
        found = self._batches.batch(step)
        rows = len(found["examples"][2]) // 8
        columns = {
            name: _tensor(data, _DTYPES[kind], rows, width) for name, (kind, width, data) in found.items()
        }
        columns["examples"] = columns["examples"].view(rows)
        if self.columns == "electra":
            return columns
        labels = torch.full_like(columns["input_ids"], _IGNORED)
        valid, positions = columns["masked_valid"], columns["masked_positions"]
        places = valid.nonzero()[:, 0], positions[valid]
        labels[places] = columns["input_ids"][places]
        return {
            "input_ids": columns["masked_input_ids"],
            "attention_mask": columns["attention_mask"].long(),
            "token_type_ids": columns["token_type_ids"],
            "labels": labels,
        }


class MaskingCollator:
    """Pads and masks examples of a data set of your own, in place of ``DataCollatorForLanguageModeling``.

    A feature has ``input_ids`` with special tokens, at most ``max_length`` of them, and ``example``, its number in the data
    set. Masks are a function of (``seed``, ``step``, example). Set ``step`` to the number of the epoch before each epoch:
    workers see it, and each epoch has other masks. A feature's own ``step`` takes its place.
    """

    def __init__(
        self,
        tokenizer: Tokenizer | str | os.PathLike[str],
        max_length: int,
        *,
        seed: int = 1,
        masking: str = "electra",
        mask_prob: float | None = None,
        choice: str = "token",
    ) -> None:
        loaded = tokenizer if isinstance(tokenizer, Tokenizer) else Tokenizer(tokenizer)
        self._masker = Masker(loaded, max_length, seed, masking=masking, mask_prob=mask_prob, choice=choice)
        # In memory that workers share, so that those who live for several epochs see what is set.
        self._step = torch.zeros((), dtype=torch.int64)
        torch.Tensor.share_memory_(self._step)  # type: ignore[no-untyped-call]

    @property
    def step(self) -> int:
        """The step of the masks."""
        return int(self._step)

    @step.setter
    def step(self, step: int) -> None:
        self._step.fill_(step)

    def __call__(self, features: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """The batch of some features: ``input_ids`` with masks, ``attention_mask``, ``labels``, ``[B, L]`` each."""
        steps = {int(feature.get("step", self.step)) for feature in features}
        if len(steps) != 1:
            raise ValueError(f"features of the steps {sorted(steps)}; expected one step in a batch")
        examples = [int(feature["example"]) for feature in features]
        rows = [_ids(feature["input_ids"]) for feature in features]
        length, columns = self._masker.mask(steps.pop(), examples, rows)
        flags = _tensor(columns["attention_mask"], torch.bool, len(rows), length)
        return {
            "input_ids": _tensor(columns["input_ids"], torch.int64, len(rows), length),
            "attention_mask": flags.long(),
            "labels": _tensor(columns["labels"], torch.int64, len(rows), length),
        }


def _ids(ids: Any) -> list[int]:
    """Ids as a list, whether they came as one, as an array or as a tensor."""
    found: list[int] = ids if isinstance(ids, list) else ids.tolist()
    return found
