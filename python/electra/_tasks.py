"""What a pre-trained encoder is used for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from electra._program import run as run_program
from electra._runs import _toml

Path = str | os.PathLike[str]


@dataclass(frozen=True)
class Detection:
    """What a discriminator says of a text, token by token, special tokens included."""

    #: The tokens.
    tokens: list[str]
    #: Logits of "replaced"; empty where the model tells no replaced tokens.
    logits: list[float]
    #: Probabilities of "replaced".
    probabilities: list[float]


def finetune(
    model: Path,
    tasks: Path | Sequence[Path],
    output: Path,
    *,
    data: Path | None = None,
    seeds: Sequence[int] = (1,),
    preset: str = "paper",
    evaluate: Sequence[str] = ("dev",),
    keep: str = "model",
    set: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> list[dict[str, Any]]:
    """Fine-tunes an encoder on tasks, with several seeds, and gives a dictionary for each task.

    Each has ``task``, ``metric``, ``seeds``, ``median`` and ``folder``, as ``electra finetune --json`` prints them. A task
    is a name of GLUE's, whose files are in ``data``, or a folder with a ``task.toml``. A seed that is done is not computed
    again.
    """
    several = [tasks] if isinstance(tasks, (str, os.PathLike)) else list(tasks)
    command: list[Path] = ["finetune", "--model", model, "--output", output, "--json"]
    for task in several:
        command += ["--task", task]
    if data is not None:
        command += ["--data", data]
    command += ["--seeds", ",".join(map(str, seeds)), "--evaluate", ",".join(evaluate)]
    command += ["--preset", preset, "--keep", keep]
    for name, value in (set or {}).items():
        command += ["--set", f"{name}={_toml(value)}"]
    printed = run_program(command, quiet=quiet)
    return [json.loads(line) for line in printed.splitlines()]


def detect(model: Path, texts: str | Iterable[str], *, quiet: bool = True) -> list[Detection]:
    """Says of each token of each text how probable it is that it was replaced.

    ``model`` is a folder that ``Run.export`` wrote, or another ElectraForPreTraining in the Hub's layout.
    """
    several = [texts] if isinstance(texts, str) else texts
    lines = [json.dumps({"text": text}) for text in several]
    printed = run_program(["detect", "--model", model, "--json"], text=lines, quiet=quiet)
    answers = [json.loads(line) for line in printed.splitlines()]
    return [
        Detection(answer["tokens"], answer.get("logits", []), answer.get("probabilities", []))
        for answer in answers
    ]


def embed(
    model: Path, texts: str | Iterable[str], *, pooling: str = "mean", quiet: bool = True
) -> list[list[float]]:
    """A vector of each text: the mean of the last layer, or with ``pooling="cls"`` its first position."""
    several = [texts] if isinstance(texts, str) else texts
    lines = [" ".join(text.split()) for text in several]
    printed = run_program(["embed", "--model", model, "--pooling", pooling], text=lines, quiet=quiet)
    return [json.loads(line) for line in printed.splitlines()]
