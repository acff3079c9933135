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


packages = ["numpy", "tokenizers", "transformers"]
print(
    json.dumps(
        {
            "date": datetime.date.today().isoformat(),
            "cpu": cpu(),
            "cores": os.cpu_count(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "packages": {name: importlib.metadata.version(name) for name in packages},
        }
    )
)
