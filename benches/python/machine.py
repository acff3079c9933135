"""Prints what a record has to say of its machine, as JSON."""

import datetime
import importlib.metadata
import json
import os
import platform
from pathlib import Path


def cpu():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def versions(names):
    """Those that are there: torch is not where no job asked for it."""
    for name in names:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pass


print(
    json.dumps(
        {
            "date": datetime.date.today().isoformat(),
            "cpu": cpu(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "packages": dict(versions(["numpy", "tokenizers", "torch", "transformers"])),
        }
    )
)
