"""Finds the program and the libtorch that it links, and runs it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from electra._errors import ElectraError

#: The libtorch that the program was compiled against. ``cargo xtask wheel`` checks that it is this one.
TORCH = "2.11.0"
WRONG_INPUT = 2
INTERRUPTED = 130

_PROGRAM = Path(__file__).parent / "_program_files" / "electra"
# Colours and the movement of a cursor, which an exception's text has no use for.
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def program() -> Path:
    """The program's file.

    Raises ``ElectraError`` where this package came without it.
    """
    if not _PROGRAM.is_file():
        raise ElectraError(
            f"{_PROGRAM}: the program is missing; install a wheel made by `cargo xtask wheel`", WRONG_INPUT
        )
    return _PROGRAM


def _torch_libraries() -> Path:
    """The folder of this environment's libtorch, found without importing torch."""
    advice = f"install it with: {Path(sys.executable).name} -m pip install torch=={TORCH}"
    spec = importlib.util.find_spec("torch")
    if spec is None or not spec.submodule_search_locations:
        raise ElectraError(
            f"the program electra needs torch {TORCH}, and this environment has none; {advice}", WRONG_INPUT
        )
    try:
        found = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        found = "of an unknown version"
    # What follows a plus sign names the variant, such as +cpu or +cu130.
    if found.partition("+")[0] != TORCH:
        raise ElectraError(
            f"the program electra needs torch {TORCH}, and this environment has torch {found}; {advice}",
            WRONG_INPUT,
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / "lib"
    if not any(folder.glob("libtorch_cpu.*")):
        raise ElectraError(f"{folder}: there is no libtorch_cpu; {advice} --force-reinstall", WRONG_INPUT)
    return folder


def _environment(libraries: Path) -> dict[str, str]:
    """This process's environment, in which the loader finds libtorch."""
    environment = dict(os.environ)
    given = environment.get("LD_LIBRARY_PATH")
    environment["LD_LIBRARY_PATH"] = f"{libraries}{os.pathsep}{given}" if given else str(libraries)
    return environment


def main() -> None:
    """The command ``electra``: becomes the program."""
    try:
        executable, environment = program(), _environment(_torch_libraries())
    except ElectraError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    sys.stdout.flush()
    os.execve(executable, ["electra", *sys.argv[1:]], environment)


def run(
    arguments: Sequence[str | os.PathLike[str]], *, text: Iterable[str] | None = None, quiet: bool = False
) -> str:
    """Runs ``electra ARGUMENTS…`` to its end and gives what it prints on standard output.

    ``text`` are lines for its standard input. Its progress and its notes go on to ``sys.stderr`` unless ``quiet``.

    Raises ``ElectraError`` with the program's message, and ``KeyboardInterrupt`` where it was interrupted; what it saves
    then is saved.
    """
    environment = _environment(_torch_libraries())
    command = [str(program()), *(os.fspath(argument) for argument in arguments)]
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    errors: list[str] = []
    threads = [threading.Thread(target=_follow, args=(process, errors, quiet), daemon=True)]
    if text is not None:
        threads.append(threading.Thread(target=_feed, args=(process, text), daemon=True))
    for thread in threads:
        thread.start()
    assert process.stdout is not None
    try:
        output = process.stdout.read()
        process.wait()
    except KeyboardInterrupt:
        # A terminal interrupts the program as well; elsewhere it hears of it here. It saves what there is to save.
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait()
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for thread in threads:
            thread.join()
        process.stdout.close()
    if process.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    if process.returncode != 0:
        raise ElectraError(_message(errors, process.returncode), max(process.returncode, 1))
    return output


def _follow(process: subprocess.Popen[str], errors: list[str], quiet: bool) -> None:
    """Passes the program's standard error on, and keeps it."""
    assert process.stderr is not None
    with process.stderr as stream:
        for line in stream:
            errors.append(line)
            if not quiet:
                sys.stderr.write(line)
                sys.stderr.flush()


def _feed(process: subprocess.Popen[str], text: Iterable[str]) -> None:
    """Writes lines to the program's standard input."""
    assert process.stdin is not None
    try:
        with process.stdin as stream:
            for line in text:
                stream.write(line + "\n")
    except BrokenPipeError:
        # It has ended, and its standard error says why.
        pass


def _message(errors: list[str], exit_code: int) -> str:
    lines = [_ESCAPES.sub("", line).strip() for line in errors]
    found = [line.removeprefix("error:").strip() for line in lines if line.startswith("error:")]
    if found:
        return found[-1]
    rest = [line for line in lines if line]
    return rest[-1] if rest else f"the program ended with exit code {exit_code}"
