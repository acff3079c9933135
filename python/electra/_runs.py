"""Pre-training."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from electra._errors import ElectraError
from electra._program import run as run_program


class Run:
    """The folder of a run that ``electra.pretrain`` or ``electra pretrain`` made."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Run({str(self.path)!r})"

    def __fspath__(self) -> str:
        return str(self.path)

    def records(self) -> list[dict[str, float]]:
        """The numbers of each logged step, oldest first: a copy of ``metrics.jsonl``.

        Raises ``FileNotFoundError`` where no step was logged yet.
        """
        file = self.path / "metrics.jsonl"
        text = file.read_text(encoding="utf-8")
        # The last line may be half written while the run goes on.
        whole = text[: text.rfind("\n") + 1].splitlines()
        return [json.loads(line) for line in whole]

    def metrics(self) -> Any:
        """The numbers of each logged step: a ``pandas.DataFrame`` where pandas is installed, else a list."""
        records = self.records()
        if importlib.util.find_spec("pandas") is None:
            return records
        return importlib.import_module("pandas").DataFrame.from_records(records)

    def export(
        self,
        output: str | os.PathLike[str],
        *,
        step: int | None = None,
        generator: bool = True,
        tokenizer: str | os.PathLike[str] | None = None,
        quiet: bool = False,
    ) -> Path:
        """Writes the networks in the Hub's layout, as transformers loads them, and gives the folder.

        ``output`` must be new or empty. ``step`` is that of a checkpoint, by default the newest; without ``generator`` the
        generator is left out.
        """
        command: list[str | os.PathLike[str]] = ["export", "--run", self.path, "--output", output]
        if step is not None:
            command += ["--step", str(step)]
        if tokenizer is not None:
            command += ["--tokenizer", tokenizer]
        if not generator:
            command.append("--no-generator")
        run_program(command, quiet=quiet)
        return Path(output)


def pretrain(
    config: Mapping[str, Any] | str | os.PathLike[str],
    run: str | os.PathLike[str],
    *,
    set: Mapping[str, Any] | None = None,
    ranks: int | None = None,
    quiet: bool = False,
) -> Run:
    """Pre-trains an encoder, or goes on with a run that was interrupted, and gives the run.

    ``config`` are the settings, as a dictionary or as the path of a TOML file. ``run`` is the folder of the run. ``set``
    replaces settings by their dotted names: ``{"budget.steps": 100}``. ``ranks`` is the number of processes that train it
    together. Paths in the settings are relative to the working folder.
    """
    with tempfile.TemporaryDirectory(prefix="electra-") as folder:
        if isinstance(config, Mapping):
            file = Path(folder) / "config.toml"
            file.write_text(tomli_w.dumps(_plain(config)), encoding="utf-8")
        else:
            file = Path(config)
        command: list[str | os.PathLike[str]] = ["pretrain", "--config", file, "--run", run, "--json"]
        for name, value in (set or {}).items():
            command += ["--set", f"{name}={_toml(value)}"]
        if ranks is not None:
            command += ["--ranks", str(ranks)]
        try:
            run_program(command, quiet=quiet)
        except ElectraError as error:
            if not isinstance(config, Mapping):
                raise
            # Nobody who gave a dictionary knows the file.
            raise ElectraError(str(error).replace(str(file), "config"), error.exit_code) from None
    return Run(run)


def _plain(value: Any) -> Any:
    """Values that TOML knows: paths become text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _toml(value: Any) -> str:
    """A value as it stands in a line of TOML."""
    return tomli_w.dumps({"x": _plain(value)}).removeprefix("x = ").strip()
